-- Queries of housekeeping.

-- name: worker_numbers
-- Numbers of workers that live or are not swept yet.
SELECT number FROM worker;

-- name: enter_worker
-- Register a worker.
INSERT INTO worker (run, number, role, started_ms, lock) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: drop_worker
-- Remove a worker that left or was swept.
DELETE FROM worker WHERE number = ?1;

-- name: other_workers
-- All workers except ours.
SELECT number, lock FROM worker WHERE number IS DISTINCT FROM ?1;

-- name: leases_of
-- The number of a worker's leases.
SELECT count(*) FROM lease WHERE worker = ?1;

-- name: claimed_of
-- Up to ?2 deliveries claimed by a worker, their state, and whether they belong to an issue.
SELECT message, number, state, CASE WHEN issue IS NULL THEN 0 ELSE 1 END FROM delivery /*+ INDEXED BY delivery_claimed */
WHERE fence IN (SELECT fence FROM lease WHERE worker = ?1) LIMIT ?2;

-- name: tell_doubt_again
-- Record the doubt for chosen deliveries that were in doubt before; a trigger records the first
-- time.
-- set: chosen (message integer, number integer)
INSERT INTO event (message, number, at_ms, what, detail)
SELECT delivery.message, delivery.number, ?1, 'maybe-duplicate', 'the process that had claimed it died'
FROM chosen
/*+ CROSS */ JOIN delivery ON delivery.message = chosen.message AND delivery.number = chosen.number
WHERE maybe_duplicate = 1 AND issue IS NULL AND fence IS NOT NULL;

-- name: doubt
-- Return the chosen deliveries to waiting, since the dead worker may have delivered them. Those of
-- an issue that were not committing were not sent; the others become unknown.
-- set: chosen (message integer, number integer)
UPDATE delivery SET
  maybe_duplicate = CASE WHEN issue IS NULL THEN 1 ELSE maybe_duplicate END, last_ms = ?1,
  cause = CASE WHEN state = 'committing' THEN 'unanswered' ELSE cause END,
  level = CASE WHEN state = 'committing' THEN 'message' ELSE level END,
  host = CASE WHEN state = 'committing' THEN '' ELSE host END,
  reply = CASE WHEN state = 'committing' THEN 'the process that was sending it died' ELSE reply END,
  state = CASE WHEN state = 'committing' THEN 'unknown' ELSE 'waiting' END, fence = NULL
FROM chosen
WHERE delivery.message = chosen.message AND delivery.number = chosen.number AND fence IS NOT NULL
  AND state IN ({sources delivery waiting sweep}, {sources delivery unknown sweep});

-- name: drop_leases
-- Drop the leases of a worker.
DELETE FROM lease WHERE worker = ?1;

-- name: needed_files
-- Which of the files belong to a message that has not ended.
-- set: named (file text)
SELECT file FROM message /*+ INDEXED BY message_file */
WHERE file IN (SELECT file FROM named) AND ended_ms IS NULL;

-- name: ended_messages
-- Messages that ended before ?1, in order of their end, with their number of deliveries.
SELECT id, (SELECT count(*) FROM delivery WHERE message = id) FROM message /*+ INDEXED BY message_ended */
WHERE ended_ms < ?1 ORDER BY ended_ms, id LIMIT ?2;

-- name: forget_deliveries
-- Delete the deliveries of the chosen messages.
-- set: chosen (id integer)
DELETE FROM delivery WHERE message IN (SELECT id FROM chosen);

-- name: forget_events
-- Delete the events of the chosen messages.
-- set: chosen (id integer)
DELETE FROM event WHERE message IN (SELECT id FROM chosen);

-- name: forget_messages
-- Delete the chosen messages.
-- set: chosen (id integer)
DELETE FROM message WHERE id IN (SELECT id FROM chosen);

-- name: forget_learned
-- Delete recipients learned before ?2 (?1: existing or not), in batches of ?3.
DELETE FROM learned WHERE mailbox IN (SELECT mailbox FROM learned WHERE known = ?1 AND at_ms < ?2 LIMIT ?3);

-- name: learned_count
-- The number of learned recipients.
SELECT count(*) FROM learned;

-- name: forget_oldest_learned
-- Delete the oldest learned recipients, missing ones first.
DELETE FROM learned WHERE mailbox IN (
  SELECT mailbox FROM learned /*+ INDEXED BY learned_at */ WHERE known >= 0 ORDER BY known, at_ms, mailbox LIMIT ?1);

-- name: forget_prefixes
-- Delete networks last proven before ?1, in batches of ?2.
DELETE FROM proven_prefix WHERE prefix IN (SELECT prefix FROM proven_prefix WHERE at_ms < ?1 LIMIT ?2);
