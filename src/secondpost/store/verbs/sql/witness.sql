-- Queries about copies of a database (mail/witness.py), and of what a copy holds.

-- name: row
-- What the database says about itself; no row at first.
SELECT epoch, is_copy, held_ms, why FROM witness;

-- name: advance
-- Raise the epoch by one.
INSERT INTO witness (one, epoch) VALUES (1, 1)
ON CONFLICT (one) DO UPDATE SET epoch = witness.epoch + 1 RETURNING epoch;

-- name: set_epoch
-- Set the epoch.
INSERT INTO witness (one, epoch) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch;

-- name: hold
-- Hold what is here; every message up to now may have been sent by the original.
INSERT INTO witness (one, epoch, held_ms, why, upto)
VALUES (1, ?1, ?2, ?3, (SELECT coalesce(max(id), 0) FROM message))
ON CONFLICT (one) DO UPDATE SET
  epoch = excluded.epoch, is_copy = 0, held_ms = excluded.held_ms, why = excluded.why, upto = excluded.upto,
  set_aside = 0;

-- name: end_hold
-- The owner accepted the copy.
UPDATE witness SET held_ms = NULL, why = '', upto = NULL, set_aside = 0;

-- name: yet_to_set_aside
-- Up to which message deliveries are yet to be set aside; no row if none are.
SELECT upto FROM witness WHERE held_ms IS NOT NULL AND set_aside = 0;

-- name: all_set_aside
-- Record that they are set aside: what the owner sends on from now on is not.
UPDATE witness SET set_aside = 1;

-- name: waiting_upto
-- Up to ?2 waiting deliveries of messages up to ?1.
-- gives: message, number, domain
SELECT message, number, delivery.domain AS domain FROM domain /*+ INDEXED BY domain_due */
/*+ CROSS */ JOIN delivery /*+ INDEXED BY delivery_waiting */ ON delivery.domain = domain.id
WHERE domain.next_due_ms IS NOT NULL AND state = 'waiting' AND message <= ?1
LIMIT ?2;

-- name: set_aside
-- Hold the chosen deliveries; their times stay, so that they go in the old order afterwards.
-- set: chosen (message integer, number integer)
UPDATE delivery SET state = 'held', cause = 'copied', level = ''
FROM chosen
WHERE delivery.message = chosen.message AND delivery.number = chosen.number
  AND state IN ({sources delivery held copy});

-- name: in_doubt
-- How many deliveries a copy holds per lane, those of issues apart (1).
SELECT domain.lane, CASE WHEN issue IS NULL THEN 0 ELSE 1 END, count(*)
FROM delivery /*+ INDEXED BY delivery_aside */
JOIN domain ON domain.id = delivery.domain
WHERE state IN ('held', 'kept', 'failed', 'expired', 'unknown') AND state = 'held' AND cause = 'copied'
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: some_in_doubt
-- Up to ?1 deliveries that a copy holds, without those of issues.
-- gives: message, number, domain
SELECT message, number, domain FROM delivery /*+ INDEXED BY delivery_aside */
WHERE state IN ('held', 'kept', 'failed', 'expired', 'unknown') AND state = 'held' AND cause = 'copied'
  AND issue IS NULL
ORDER BY message, number LIMIT ?1;

-- name: go_on
-- Let the chosen deliveries wait for their turn again; ?1 says whether each may be a duplicate.
-- set: chosen (message integer, number integer)
UPDATE delivery SET state = 'waiting', cause = '', last_ms = ?2,
  maybe_duplicate = CASE WHEN ?1 = 1 THEN 1 ELSE maybe_duplicate END
FROM chosen
WHERE delivery.message = chosen.message AND delivery.number = chosen.number
  AND state IN ({sources delivery waiting accept}) AND cause = 'copied';

-- name: let_drop
-- Drop the chosen deliveries.
-- set: chosen (message integer, number integer)
UPDATE delivery SET state = 'dropped', cause = '', last_ms = ?1, ended_ms = ?1
FROM chosen
WHERE delivery.message = chosen.message AND delivery.number = chosen.number
  AND state IN ({sources delivery dropped accept}) AND cause = 'copied';

-- name: were_delivered
-- End the chosen deliveries, which the original delivered.
-- set: chosen (message integer, number integer)
UPDATE delivery SET state = 'delivered', cause = '', last_ms = ?1, ended_ms = ?1
FROM chosen
WHERE delivery.message = chosen.message AND delivery.number = chosen.number
  AND state IN ({sources delivery delivered accept}) AND (state = 'frozen' OR cause = 'copied');

-- name: may_have_been_sent
-- The chosen deliveries of issues become unknown.
-- set: chosen (message integer, number integer)
UPDATE delivery SET state = 'unknown', cause = 'copied', last_ms = ?1
FROM chosen
WHERE delivery.message = chosen.message AND delivery.number = chosen.number AND issue IS NOT NULL
  AND state IN ({sources delivery unknown accept}) AND (state = 'frozen' OR cause = 'copied');

-- name: of_issue_unknown
-- The readers' rows of an issue in a range become unknown.
UPDATE delivery SET state = 'unknown', cause = 'copied', last_ms = ?4
WHERE message = ?1 AND number > ?2 AND number <= ?3
  AND state IN ({sources delivery unknown accept}) AND (state = 'frozen' OR cause = 'copied');

-- name: of_issue_go_on
-- The readers' rows of an issue in a range wait for their turn again.
UPDATE delivery SET state = 'waiting', cause = '', last_ms = ?4
WHERE message = ?1 AND number > ?2 AND number <= ?3
  AND state IN ({sources delivery waiting accept}) AND cause = 'copied';

-- name: issues_in_doubt
-- Issues that were not over.
SELECT id, newsletter, number, state, message,
       (SELECT count(*) FROM delivery WHERE delivery.message = issue.message AND (
          state = 'frozen' OR (state = 'held' AND cause = 'copied')))
FROM issue WHERE state IN ('open', 'freezing', 'frozen', 'sending', 'held') ORDER BY id;

-- name: articles_in_doubt
-- How many articles of each newsletter wait for an issue or are held.
SELECT newsletter, count(*) FROM article WHERE state IN ({sources article skipped owner}) GROUP BY newsletter
ORDER BY newsletter;

-- name: some_articles
-- Up to ?2 articles of a newsletter that wait for an issue or are held.
SELECT id FROM article WHERE newsletter = ?1 AND state IN ({sources article skipped owner}) ORDER BY id LIMIT ?2;

-- name: skip_articles
-- Leave the chosen articles out of every issue.
-- set: chosen (id integer)
UPDATE article SET state = 'skipped', reason = ?1
FROM chosen WHERE article.id = chosen.id AND article.state IN ({sources article skipped owner});

-- name: unread_feeds
-- Feeds that were not read since ?1.
SELECT newsletter, url FROM feed WHERE coalesce(last_good_ms, 0) < ?1 ORDER BY newsletter, url;

-- name: last_numbers
-- The number of the last issue of each newsletter.
SELECT newsletter, max(number) FROM issue GROUP BY newsletter;
