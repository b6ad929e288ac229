-- Queries about mail to readers: its state, and single deliveries.

-- name: reader_tally_of_mail
-- Number of mails to readers per lane and state, with claimed ones among waiting ones.
SELECT domain.lane, tally.state, sum(tally.deliveries) FROM tally JOIN domain ON domain.id = tally.domain
WHERE tally.deliveries > 0 GROUP BY domain.lane, tally.state;

-- name: deferred_of_issues
-- Number of deliveries waiting after a failed attempt, by issue.
SELECT issue.id, tried.many
FROM (SELECT message, count(*) AS many FROM delivery /*+ INDEXED BY delivery_tried */
      WHERE state = 'waiting' AND issue IS NOT NULL AND first_attempt_ms IS NOT NULL GROUP BY message) AS tried
/*+ CROSS */ JOIN issue ON issue.message = tried.message;

-- name: deferred_own
-- Number of confirmations and test copies waiting after a failed attempt.
SELECT count(*) FROM domain
/*+ CROSS */ JOIN delivery /*+ INDEXED BY delivery_again */ ON delivery.domain = domain.id
WHERE domain.lane = 'own' AND delivery.state = 'waiting' AND delivery.due_ms > delivery.arrived_ms
  AND delivery.attempts > 0;

-- name: listed
-- Part of other queries: the columns of a delivery to a reader.
SELECT delivery.message, delivery.number, delivery.issue, delivery.subscriber, delivery.recipient, delivery.state,
       delivery.attempts, delivery.last_ms, delivery.cause, delivery.host, delivery.reply, delivery.maybe_duplicate,
       CASE WHEN delivery.due_ms > domain.paused_until_ms THEN delivery.due_ms ELSE domain.paused_until_ms END,
       domain.site,
       CASE WHEN EXISTS (SELECT 1 FROM site WHERE site.site = domain.site) THEN 1 ELSE 0 END
FROM delivery;

-- name: delivery
-- A delivery, if it is mail to a reader.
{listed} /*+ CROSS */ JOIN domain ON domain.id = delivery.domain
WHERE delivery.message = ?1 AND delivery.number = ?2 AND delivery.subscriber IS NOT NULL;

-- name: deliveries
-- The next ?4 deliveries of an issue after ?2 in one of the chosen states, or in any if ?3 is 1.
-- set: chosen (state text)
{listed} /*+ CROSS */ JOIN domain ON domain.id = delivery.domain
WHERE delivery.message = (SELECT message FROM issue WHERE id = ?1) AND delivery.number > ?2
  AND (?3 = 1 OR delivery.state IN (SELECT state FROM chosen))
ORDER BY delivery.number LIMIT ?4;

-- name: deliveries_of_reader
-- The last ?2 deliveries to a reader, newest first.
{listed} /*+ CROSS */ JOIN domain ON domain.id = delivery.domain
WHERE delivery.subscriber = ?1 AND delivery.subscriber IS NOT NULL ORDER BY delivery.message DESC LIMIT ?2;

-- name: last_deferred
-- The delivery of an issue that was deferred last.
{listed} /*+ INDEXED BY delivery_tried */ /*+ CROSS */ JOIN domain ON domain.id = delivery.domain
WHERE delivery.state = 'waiting' AND delivery.issue IS NOT NULL AND delivery.first_attempt_ms IS NOT NULL
  AND delivery.attempts > 0 AND delivery.message = (SELECT message FROM issue WHERE id = ?1)
ORDER BY delivery.last_ms DESC LIMIT 1;

-- name: failed_confirmations
-- The last ?2 confirmations, from message ?1 on, that failed or expired, newest first.
{listed} /*+ INDEXED BY delivery_aside */ /*+ CROSS */ JOIN domain ON domain.id = delivery.domain
WHERE delivery.state IN ('held', 'kept', 'failed', 'expired', 'unknown') AND delivery.state IN ('failed', 'expired')
  AND delivery.message >= ?1 AND delivery.issue IS NULL AND delivery.subscriber > 0
ORDER BY delivery.message DESC LIMIT ?2;

-- name: events_of_delivery
-- The events of a delivery, in order.
SELECT at_ms, what, detail FROM event WHERE message = ?1 AND number = ?2 ORDER BY id;
