-- Queries that tell the owner how mail to readers stands.

-- name: reader_tally_of_mail
-- How much mail to readers of a lane is in which state, what is under way among what waits.
SELECT domain.lane, tally.state, sum(tally.deliveries) FROM tally JOIN domain ON domain.id = tally.domain
WHERE tally.deliveries > 0 GROUP BY domain.lane, tally.state;

-- name: deferred_of_issues
-- How many deliveries of issues were tried and wait again, by issue.
SELECT issue.id, tried.many
FROM (SELECT message, count(*) AS many FROM delivery INDEXED BY delivery_tried
      WHERE state = 'waiting' AND issue IS NOT NULL AND first_attempt_ms IS NOT NULL GROUP BY message) AS tried
CROSS JOIN issue ON issue.message = tried.message;

-- name: deferred_own
-- How many confirmations and copies were tried and wait again.
SELECT count(*) FROM domain
CROSS JOIN delivery INDEXED BY delivery_again ON delivery.domain = domain.id
WHERE domain.lane = 'own' AND delivery.state = 'waiting' AND delivery.due_ms > delivery.arrived_ms
  AND delivery.attempts > 0;
