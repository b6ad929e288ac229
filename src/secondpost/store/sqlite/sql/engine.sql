-- Queries written for SQLite alone.

-- name: due_of_domains
-- Up to ?2 due deliveries per domain, by due time and arrival. Correlated, with a LIMIT per domain:
-- a window function would read everything that is due.
-- set: turn (domain integer)
-- json: groups of rows
SELECT json_group_array(json(due)) FROM (
  SELECT (
    SELECT json_group_array(json_array(
        turn.domain, d.message, d.number, message.lane, message.sender, d.recipient, message.size, message.file,
        message.eight_bit, d.arrived_ms, d.attempts, d.first_attempt_ms, d.maybe_duplicate, d.issue, d.subscriber,
        d.first_recipient, message.utf8))
    FROM (
      SELECT message, number, recipient, arrived_ms, attempts, first_attempt_ms, maybe_duplicate, issue, subscriber,
             first_recipient
      FROM delivery INDEXED BY delivery_waiting
      WHERE domain = turn.domain AND state = 'waiting' AND due_ms <= ?1
      ORDER BY due_ms, message, number LIMIT ?2) AS d
    CROSS JOIN message ON message.id = d.message) AS due
  FROM turn);

-- name: last_event
-- The highest event number ever given to any reader, including erased ones, so no column holds it.
SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'reader_event'), 0);

-- name: leap
-- Leave out so many numbers of readers, their events and issues that none is given that the original
-- of a copy may have given since: they stand in links and addresses that never expire.
UPDATE sqlite_sequence SET seq = seq + 1000000 WHERE name IN ('subscriber', 'reader_event', 'issue');

-- name: last_run
-- The highest run number ever given, including workers that have left; SQLite keeps it in a table
-- of its own.
SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'worker'), 0);
