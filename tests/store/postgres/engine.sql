-- Queries that PostgreSQL runs in words of its own.

-- name: due_of_domains
-- Up to ?2 due deliveries of each domain, in order of due time and arrival.
-- set: turn (domain integer)
SELECT turn.domain, d.message, d.number, message.lane, message.sender, d.recipient, message.size, message.file,
       message.eight_bit, d.arrived_ms, d.attempts, d.first_attempt_ms, d.maybe_duplicate, d.issue, d.subscriber,
       d.first_recipient, message.utf8
FROM turn
CROSS JOIN LATERAL (
  SELECT * FROM delivery
  WHERE delivery.domain = turn.domain AND state = 'waiting' AND due_ms <= ?1
  ORDER BY due_ms, message, number LIMIT ?2) AS d
JOIN message ON message.id = d.message
ORDER BY turn.domain, d.due_ms, d.message, d.number;

-- name: last_event
-- The number of the last event of a reader that was ever given, also when that reader was erased.
SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('reader_event', 'number')::regclass), 0);

-- name: leap
-- Leave out numbers of readers, their events and issues. One row, or none in mail.db.
SELECT setval(owned.seq, coalesce(pg_sequence_last_value(owned.seq::regclass), 0) + 1000000)
FROM (SELECT pg_get_serial_sequence(table_name, column_name) AS seq FROM information_schema.columns
      WHERE table_schema = 'public' AND (table_name, column_name) IN
        (('subscriber', 'id'), ('reader_event', 'number'), ('issue', 'id'))) AS owned;

-- name: last_run
-- A run number that no worker had, less one: a sequence never gives one twice.
SELECT nextval('worker_runs') - 1;
