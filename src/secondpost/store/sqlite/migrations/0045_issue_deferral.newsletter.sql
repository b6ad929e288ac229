-- newsletter.db: how many mails of an issue were put off at their first attempt; kept when its rows are deleted.
CREATE TABLE issue_deferral (
  issue INTEGER PRIMARY KEY,
  mails INTEGER NOT NULL
) STRICT;
-- Rows that still exist: one attempt more than was needed means that the first one was put off.
INSERT INTO issue_deferral (issue, mails)
SELECT issue, count(*) FROM delivery
WHERE issue IS NOT NULL AND (attempts > 1 OR (attempts = 1 AND state = 'waiting' AND maybe_duplicate = 0))
GROUP BY issue;
