-- newsletter.db: a mail that was refused while it was sent counts against its reader too, and what came of each
-- bounce is kept (mail/bounce_kind). Bounces of before are not weighed again.
CREATE TABLE bounce_anew (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  evidence   INTEGER UNIQUE,               -- the queue id of the report: it counts once; NULL: refused while sent
  subscriber INTEGER NOT NULL,
  issue      INTEGER,
  at_ms      INTEGER NOT NULL,
  kind       TEXT    NOT NULL,
  status     TEXT    NOT NULL,
  text       TEXT    NOT NULL,
  weighed    TEXT    NOT NULL
    CHECK (weighed IN ('new', 'counted', 'suspended', 'held', 'accepted', 'forgiven'))
) STRICT;
INSERT INTO bounce_anew (evidence, subscriber, issue, at_ms, kind, status, text, weighed)
SELECT evidence, subscriber, issue, at_ms, kind, status, text, 'counted' FROM bounce ORDER BY at_ms, evidence;
DROP TABLE bounce;
ALTER TABLE bounce_anew RENAME TO bounce;
CREATE INDEX bounce_of ON bounce (subscriber, at_ms);
CREATE INDEX bounce_in ON bounce (issue, kind) WHERE issue IS NOT NULL;
CREATE INDEX bounce_new ON bounce (issue, id) WHERE weighed = 'new';
CREATE INDEX bounce_weighed ON bounce (issue, weighed) WHERE weighed IN ('suspended', 'held', 'accepted', 'forgiven');
-- A reader's mail of an issue is refused once.
CREATE UNIQUE INDEX bounce_refused ON bounce (subscriber, issue) WHERE evidence IS NULL;

-- Providers to which no issue is sent for now (mail/provider), and why.
CREATE TABLE provider_pause (
  provider TEXT    NOT NULL,
  cause    TEXT    NOT NULL CHECK (cause IN ('breaker', 'bounces', 'owner')),
  since_ms INTEGER NOT NULL,
  detail   TEXT    NOT NULL,
  trial_ms INTEGER,                        -- when the next trial mail may go; NULL: none goes
  PRIMARY KEY (provider, cause)
) STRICT, WITHOUT ROWID;
