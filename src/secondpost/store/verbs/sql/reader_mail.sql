-- Queries of the deliver role about mail to readers.

-- name: may_not_go
-- Which of the chosen deliveries may not be sent, and what they become: held with their issue, stopped if
-- it is not being sent, suppressed if their reader must not get them. An erased reader may be asked to
-- confirm a new sign-up. Reader 0 receives test copies.
-- set: chosen (message integer, number integer)
-- gives: message, number, becomes
SELECT d.message AS message, d.number AS number,
       CASE WHEN d.issue IS NOT NULL AND issue.state = 'held' THEN 'held'
            WHEN d.issue IS NOT NULL AND issue.state IS DISTINCT FROM 'sending' THEN 'stopped' ELSE 'suppressed' END
         AS becomes
FROM chosen
/*+ CROSS */ JOIN delivery AS d ON d.message = chosen.message AND d.number = chosen.number
LEFT JOIN issue ON issue.id = d.issue
LEFT JOIN subscriber AS reader ON reader.id = d.subscriber
WHERE d.subscriber <> 0 AND (
  (d.issue IS NOT NULL AND issue.state IS DISTINCT FROM 'sending')
  OR reader.state IS DISTINCT FROM CASE WHEN d.issue IS NULL THEN 'pending' ELSE 'active' END
  OR EXISTS (SELECT 1 FROM suppression
             WHERE suppression.hash = reader.hash AND suppression.newsletter IN ('', reader.newsletter)
               AND (d.issue IS NOT NULL OR suppression.yields = 0)));

-- name: withhold
-- End the chosen deliveries that may not be sent, or hold them with their issue.
-- set: chosen (message integer, number integer, becomes text)
UPDATE delivery SET state = chosen.becomes, fence = NULL, last_ms = ?1, level = '',
  ended_ms = CASE WHEN chosen.becomes <> 'held' THEN ?1 END,
  cause = CASE WHEN chosen.becomes = 'held' THEN 'issue-held' ELSE cause END
FROM chosen
WHERE delivery.message = chosen.message AND delivery.number = chosen.number
  AND delivery.state IN ({sources delivery suppressed deliver});

-- name: commit_marks
-- Mark claimed deliveries of issues as committing, if their lease is valid and they may still be
-- sent.
-- pieces: new (message integer, number integer, fence integer)
UPDATE delivery SET state = 'committing' FROM new
WHERE delivery.message = new.message AND delivery.number = new.number
  AND delivery.state IN ({sources delivery committing deliver}) AND delivery.fence = new.fence
  AND EXISTS (SELECT 1 FROM lease WHERE lease.fence = new.fence)
  AND EXISTS (SELECT 1 FROM issue WHERE issue.id = delivery.issue AND issue.state = 'sending')
  AND EXISTS (
    SELECT 1 FROM subscriber AS reader
    WHERE reader.id = delivery.subscriber AND reader.state = 'active' AND NOT EXISTS (
      SELECT 1 FROM suppression
      WHERE suppression.hash = reader.hash AND suppression.newsletter IN ('', reader.newsletter)));

-- name: are_committing
-- Which of the chosen deliveries are committing under a fence.
-- set: chosen (message integer, number integer)
-- gives: message, number
SELECT message, number FROM delivery
WHERE (message, number) IN (SELECT message, number FROM chosen) AND state = 'committing' AND fence = ?1;

-- name: still_claimed
-- Which of the chosen deliveries are claimed under a fence that is still valid.
-- set: chosen (message integer, number integer)
-- gives: message, number
SELECT message, number FROM delivery
WHERE (message, number) IN (SELECT message, number FROM chosen)
  AND state = 'claimed' AND fence = ?1 AND EXISTS (SELECT 1 FROM lease WHERE lease.fence = ?1);
