-- Queries of housekeeping.

-- name: last_run
-- The run number given last.
SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'worker'), 0);

-- name: worker_numbers
-- Numbers of workers that live or were not swept yet.
SELECT number FROM worker;

-- name: enter_worker
-- A worker comes.
INSERT INTO worker (run, number, role, started_ms, lock) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: drop_worker
-- A worker has left, or was swept.
DELETE FROM worker WHERE number = ?1;

-- name: other_workers
-- Workers besides our own.
SELECT number, lock FROM worker WHERE number IS NOT ?1;

-- name: leases_of
-- How many leases a worker has.
SELECT count(*) FROM lease WHERE worker = ?1;

-- name: claimed_of
-- Up to ?2 deliveries that a worker had claimed, what it was doing with them, and whether they are of an issue.
SELECT message, number, state, issue IS NOT NULL FROM delivery INDEXED BY delivery_claimed
WHERE fence IN (SELECT fence FROM lease WHERE worker = ?1) LIMIT ?2;

-- name: tell_doubt_again
-- Of the chosen deliveries those that were in doubt before: of the first time a trigger tells.
INSERT INTO event (message, number, at_ms, what, detail)
SELECT delivery.message, delivery.number, ?2, 'maybe-duplicate', 'the process that had claimed it died'
FROM json_each(?1) AS chosen
CROSS JOIN delivery ON delivery.message = chosen.value ->> 0 AND delivery.number = chosen.value ->> 1
WHERE maybe_duplicate = 1 AND issue IS NULL AND fence IS NOT NULL;

-- name: doubt
-- The chosen deliveries wait again; the dead worker may have delivered them. Of an issue it is known: what was
-- not yet committing was not sent, and of the rest nobody will ever know.
UPDATE delivery SET
  maybe_duplicate = iif(issue IS NULL, 1, maybe_duplicate), last_ms = ?2,
  cause = iif(state = 'committing', 'unanswered', cause), level = iif(state = 'committing', 'message', level),
  host = iif(state = 'committing', '', host),
  reply = iif(state = 'committing', 'the process that was sending it died', reply),
  state = iif(state = 'committing', 'unknown', 'waiting'), fence = NULL
FROM json_each(?1) AS chosen
WHERE delivery.message = chosen.value ->> 0 AND delivery.number = chosen.value ->> 1 AND fence IS NOT NULL;

-- name: drop_leases
-- The leases of a worker end.
DELETE FROM lease WHERE worker = ?1;

-- name: needed_files
-- Which of the files, [name, …], belong to a message that has not ended.
SELECT file FROM message INDEXED BY message_file
WHERE file IN (SELECT value FROM json_each(?1)) AND ended_ms IS NULL;

-- name: ended_messages
-- Messages that ended before ?1, the first to end first, with the number of their deliveries.
SELECT id, (SELECT count(*) FROM delivery WHERE message = id) FROM message INDEXED BY message_ended
WHERE ended_ms < ?1 ORDER BY ended_ms LIMIT ?2;

-- name: forget_deliveries
-- The deliveries of the chosen messages go.
DELETE FROM delivery WHERE message IN (SELECT value FROM json_each(?1));

-- name: forget_events
-- So does what happened to them.
DELETE FROM event WHERE message IN (SELECT value FROM json_each(?1));

-- name: forget_messages
-- And the messages themselves.
DELETE FROM message WHERE id IN (SELECT value FROM json_each(?1));

-- name: forget_learned
-- What was learned (?1: to be there, or not) before ?2 is too old to be used; in batches of ?3.
DELETE FROM learned WHERE mailbox IN (SELECT mailbox FROM learned WHERE known = ?1 AND at_ms < ?2 LIMIT ?3);

-- name: learned_count
-- How many recipients something was learned about.
SELECT count(*) FROM learned;

-- name: forget_oldest_learned
-- The oldest of them go, those that were not there first.
DELETE FROM learned WHERE mailbox IN (
  SELECT mailbox FROM learned INDEXED BY learned_at WHERE known >= 0 ORDER BY known, at_ms LIMIT ?1);

-- name: forget_prefixes
-- Networks last proven before ?1 are strangers again; in batches of ?2.
DELETE FROM proven_prefix WHERE prefix IN (SELECT prefix FROM proven_prefix WHERE at_ms < ?1 LIMIT ?2);
