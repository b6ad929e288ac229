-- Queries of the numbers of issues and readers.

-- name: mails_by_domain
-- The mails of an issue after ?2 up to ?3 by domain and state: how many, how many of them were delivered since ?4 and
-- since ?5, and when a server last answered for one.
SELECT place.id, place.name, place.site, d.state, d.was_put_off, d.mails, d.minutes, d.hour, d.answered_ms
FROM (
  SELECT domain, state,
         CASE WHEN state = 'waiting' AND first_attempt_ms IS NOT NULL AND attempts > 0 THEN 1 ELSE 0 END AS was_put_off,
         count(*) AS mails,
         sum(CASE WHEN state = 'delivered' AND ended_ms >= ?4 THEN 1 ELSE 0 END) AS minutes,
         sum(CASE WHEN state = 'delivered' AND ended_ms >= ?5 THEN 1 ELSE 0 END) AS hour,
         max(CASE WHEN reply <> '' THEN last_ms END) AS answered_ms
  FROM delivery
  WHERE message = (SELECT message FROM issue WHERE id = ?1) AND number > ?2 AND number <= ?3
  GROUP BY 1, 2, 3
) AS d /*+ CROSS */ JOIN domain AS place ON place.id = d.domain;

-- name: answer
-- What a server said at ?5 about a mail of an issue to domain ?4, among those after ?2 up to ?3.
SELECT last_ms, host, reply FROM delivery
WHERE message = (SELECT message FROM issue WHERE id = ?1) AND number > ?2 AND number <= ?3
  AND domain = ?4 AND last_ms = ?5 AND reply <> ''
ORDER BY number LIMIT 1;

-- name: count_deferred
-- Count the chosen deliveries that wait after their first attempt, with their issues.
-- set: chosen (message integer, number integer)
INSERT INTO issue_deferral (issue, mails)
SELECT d.issue, count(*) FROM chosen
/*+ CROSS */ JOIN delivery AS d ON d.message = chosen.message AND d.number = chosen.number
WHERE d.state = 'waiting' AND d.attempts = 1 AND d.issue IS NOT NULL GROUP BY d.issue
ON CONFLICT (issue) DO UPDATE SET mails = issue_deferral.mails + excluded.mails;

-- name: tallies
-- The number of deliveries per state of the chosen issues.
-- set: chosen (id integer)
-- gives: issue, state, deliveries
SELECT issue, state, deliveries FROM issue_tally WHERE issue IN (SELECT id FROM chosen) AND deliveries > 0;

-- name: deferred
-- How many mails of the chosen issues were put off at their first attempt.
-- set: chosen (id integer)
-- gives: issue, mails
SELECT issue, mails FROM issue_deferral WHERE issue IN (SELECT id FROM chosen);

-- name: returned
-- Of how many readers the mail of the chosen issues came back after it was delivered.
-- set: chosen (id integer)
SELECT issue, count(DISTINCT subscriber) FROM bounce
WHERE issue IS NOT NULL AND issue IN (SELECT id FROM chosen) AND evidence IS NOT NULL GROUP BY issue;

-- name: suspended
-- How many readers were suspended because of bounces of the chosen issues.
-- set: chosen (id integer)
SELECT issue, count(DISTINCT subscriber) FROM bounce /*+ INDEXED BY bounce_weighed */
WHERE weighed IN ('suspended', 'held', 'accepted', 'forgiven') AND weighed IN ('suspended', 'accepted')
  AND issue IN (SELECT id FROM chosen) GROUP BY issue;

-- name: next_events
-- The last of the next ?2 events of readers after ?1.
SELECT max(number) FROM (
  SELECT number FROM reader_event WHERE number > ?1 ORDER BY number LIMIT ?2) AS next;

-- name: reader_changes
-- By time, the readers of newsletter ?1 whose state changed by an event after ?2 up to ?3, and from which state.
SELECT at_ms, source, state, count(*) FROM (
  SELECT happened.at_ms AS at_ms, happened.state AS state, (
    SELECT earlier.state FROM reader_event AS earlier /*+ INDEXED BY reader_event_of */
    WHERE earlier.subscriber = happened.subscriber AND earlier.number < happened.number
    ORDER BY earlier.number DESC LIMIT 1) AS source
  FROM reader_event AS happened
  /*+ CROSS */ JOIN subscriber AS reader ON reader.id = happened.subscriber
  WHERE happened.number > ?2 AND happened.number <= ?3 AND reader.newsletter = ?1
) AS change
WHERE source IS DISTINCT FROM state GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
