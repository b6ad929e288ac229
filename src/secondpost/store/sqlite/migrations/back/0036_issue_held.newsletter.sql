-- An issue cannot be held there: each of its mails is, so that none leaves before the owner releases it.
UPDATE delivery SET state = 'waiting'
WHERE state = 'frozen' AND issue IN (SELECT id FROM issue WHERE state = 'held');
UPDATE delivery SET state = 'held', cause = ''
WHERE state = 'waiting' AND issue IN (SELECT id FROM issue WHERE state = 'held');
DROP TRIGGER issue_is_whole;
DROP TRIGGER issue_goes_elsewhere;
UPDATE issue SET state = 'sending', reason = '' WHERE state = 'held';
CREATE TABLE issue_before (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  newsletter    TEXT    NOT NULL,
  number        INTEGER NOT NULL CHECK (number >= 1),
  kind          TEXT    NOT NULL CHECK (kind IN ('digest', 'letter')),
  state         TEXT    NOT NULL CHECK (state IN ('open', 'freezing', 'frozen', 'sending', 'done', 'stopped')),
  slot          TEXT    NOT NULL,
  message       INTEGER NOT NULL UNIQUE,
  subject       TEXT    NOT NULL DEFAULT '',
  body          TEXT    NOT NULL,
  article_count INTEGER NOT NULL,
  minimum       INTEGER NOT NULL,
  has_content   INTEGER NOT NULL DEFAULT 0 CHECK (has_content IN (0, 1)),
  created_ms    INTEGER NOT NULL,
  event         INTEGER,
  planned       INTEGER NOT NULL DEFAULT 0,
  fence         INTEGER,
  frozen_upto   INTEGER NOT NULL DEFAULT 0,  -- the last subscriber that was looked at
  sent_upto     INTEGER NOT NULL DEFAULT 0,  -- the last whose row may be claimed
  start_ms      INTEGER,
  finished_ms   INTEGER,
  reason        TEXT    NOT NULL DEFAULT '',
  UNIQUE (newsletter, number),
  UNIQUE (newsletter, slot),
  CHECK (kind <> 'digest' OR (article_count >= minimum AND minimum >= 1)),
  CHECK (kind <> 'letter' OR trim(body, ' ' || char(9, 10, 13)) <> ''),
  CHECK (state = 'open' OR state = 'stopped' OR has_content = 1),
  CHECK (fence IS NULL OR state = 'freezing'),
  CHECK (state NOT IN ('frozen', 'sending', 'done') OR start_ms IS NOT NULL),
  CHECK ((state IN ('done', 'stopped')) = (finished_ms IS NOT NULL))
) STRICT;
INSERT INTO issue_before (id, newsletter, number, kind, state, slot, message, subject, body, article_count, minimum, has_content,
  created_ms, event, planned, fence, frozen_upto, sent_upto, start_ms, finished_ms, reason)
SELECT id, newsletter, number, kind, state, slot, message, subject, body, article_count, minimum, has_content,
  created_ms, event, planned, fence, frozen_upto, sent_upto, start_ms, finished_ms, reason FROM issue ORDER BY id;
DROP TABLE issue;
ALTER TABLE issue_before RENAME TO issue;
CREATE UNIQUE INDEX issue_under_way ON issue (newsletter) WHERE state IN ('freezing', 'frozen', 'sending');
CREATE INDEX issue_unfinished ON issue (id) WHERE state NOT IN ('done', 'stopped');
CREATE TRIGGER issue_is_whole BEFORE UPDATE OF state ON issue
WHEN new.state = 'freezing' AND new.kind = 'digest'
  AND new.article_count <> (SELECT count(*) FROM article WHERE issue = new.id)
BEGIN
  SELECT raise(ABORT, 'the issue does not have its articles');
END;
CREATE TRIGGER issue_goes_elsewhere BEFORE UPDATE OF state ON issue
WHEN new.state <> old.state AND (old.state, new.state) NOT IN (VALUES
  ('open', 'freezing'), ('freezing', 'frozen'), ('freezing', 'open'), ('frozen', 'sending'), ('sending', 'done'),
  ('done', 'sending'), ('open', 'stopped'), ('frozen', 'stopped'), ('sending', 'stopped'))
BEGIN
  SELECT raise(ABORT, 'an issue does not go from this state to that one');
END;
