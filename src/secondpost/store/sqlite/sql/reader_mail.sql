-- Queries of the deliver role over mail to readers.

-- name: may_not_go
-- Which of the chosen deliveries, [[message, number], …], may not leave, and what they become: an issue that is
-- not being sent is stopped, and a reader who is not, or no longer, to get it is suppressed. Who was erased may be
-- asked to confirm a new sign-up. Reader 0 stands for a copy that the owner asked for.
SELECT json_group_array(json_array(d.message, d.number, iif(
    d.issue IS NOT NULL AND issue.state IS NOT 'sending', 'stopped', 'suppressed')))
FROM json_each(?1) AS chosen
CROSS JOIN delivery AS d ON d.message = chosen.value ->> 0 AND d.number = chosen.value ->> 1
LEFT JOIN issue ON issue.id = d.issue
LEFT JOIN subscriber AS reader ON reader.id = d.subscriber
WHERE d.subscriber <> 0 AND (
  (d.issue IS NOT NULL AND issue.state IS NOT 'sending')
  OR reader.state IS NOT iif(d.issue IS NULL, 'pending', 'active')
  OR EXISTS (SELECT 1 FROM suppression
             WHERE suppression.hash = reader.hash AND suppression.newsletter IN ('', reader.newsletter)
               AND (d.issue IS NOT NULL OR suppression.yields = 0)));

-- name: withhold
-- Those deliveries, [[message, number, state], …], have ended.
UPDATE delivery SET state = chosen.value ->> 2, fence = NULL, last_ms = ?2, ended_ms = ?2, level = ''
FROM json_each(?1) AS chosen
WHERE delivery.message = chosen.value ->> 0 AND delivery.number = chosen.value ->> 1
  AND delivery.state IN ('waiting', 'claimed');

-- name: commit_marks
-- Claimed deliveries of issues are committing, if their lease stands and they may still go.
WITH new (message, number, fence) AS (VALUES {rows})
UPDATE delivery SET state = 'committing' FROM new
WHERE delivery.message = new.message AND delivery.number = new.number
  AND delivery.state = 'claimed' AND delivery.fence = new.fence
  AND EXISTS (SELECT 1 FROM lease WHERE lease.fence = new.fence)
  AND EXISTS (SELECT 1 FROM issue WHERE issue.id = delivery.issue AND issue.state = 'sending')
  AND EXISTS (
    SELECT 1 FROM subscriber AS reader
    WHERE reader.id = delivery.subscriber AND reader.state = 'active' AND NOT EXISTS (
      SELECT 1 FROM suppression
      WHERE suppression.hash = reader.hash AND suppression.newsletter IN ('', reader.newsletter)));

-- name: are_committing
-- Which of the chosen deliveries, [[message, number], …], are committing under a fence.
SELECT json_group_array(json_array(message, number)) FROM delivery
WHERE (message, number) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))
  AND state = 'committing' AND fence = ?2;

-- name: still_claimed
-- Which of them are claimed under a fence that stands.
SELECT json_group_array(json_array(message, number)) FROM delivery
WHERE (message, number) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))
  AND state = 'claimed' AND fence = ?2 AND EXISTS (SELECT 1 FROM lease WHERE lease.fence = ?2);
