-- Alarms that stand or lately ended, in any process, and what the owner was sent about each (mail/owner_notice.py). The
-- deliver role writes them.
CREATE TABLE alarm (
  kind            TEXT    NOT NULL,
  subject         TEXT    NOT NULL,
  role            TEXT    NOT NULL,
  noted_ms        INTEGER NOT NULL,        -- when it was written here; it may have begun earlier
  detail          TEXT    NOT NULL,
  since_ms        INTEGER NOT NULL,
  last_ms         INTEGER NOT NULL,        -- when it last occurred
  seen_ms         INTEGER NOT NULL,        -- when its process last stated it, give or take some minutes
  step            INTEGER NOT NULL,        -- of a condition that gets worse in steps
  ended_ms        INTEGER,                 -- NULL: it stands
  how             TEXT    NOT NULL DEFAULT '', -- what the owner may want to know of its end
  mailed_begun_ms INTEGER,                 -- NULL: the owner was sent no mail of its beginning
  mailed_again_ms INTEGER,                 -- the last reminder
  mailed_step     INTEGER,                 -- the worst step that the owner was sent
  mailed_ended_ms INTEGER CHECK (mailed_ended_ms IS NULL OR mailed_begun_ms IS NOT NULL),
  posted_begun_ms INTEGER,                 -- the same for the webhook
  posted_again_ms INTEGER,
  posted_step     INTEGER,
  posted_ended_ms INTEGER CHECK (posted_ended_ms IS NULL OR posted_begun_ms IS NOT NULL),
  PRIMARY KEY (kind, subject, role, noted_ms)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX alarm_standing ON alarm (kind, subject, role) WHERE ended_ms IS NULL;

-- What was sent to the owner lately: a mail, or posts to the webhook.
CREATE TABLE owner_notice (
  channel TEXT    NOT NULL CHECK (channel IN ('mail', 'webhook')),
  batch   TEXT    NOT NULL,
  at_ms   INTEGER NOT NULL,
  roles   TEXT    NOT NULL,                -- whose alarms caused it, separated by spaces
  message INTEGER,                         -- the mail
  PRIMARY KEY (channel, batch, at_ms)
) STRICT, WITHOUT ROWID;

-- Posts to the webhook that were not accepted yet.
CREATE TABLE owner_post (
  made_ms  INTEGER NOT NULL,
  number   INTEGER NOT NULL,
  body     TEXT    NOT NULL,
  due_ms   INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (made_ms, number)
) STRICT, WITHOUT ROWID;

-- Reports to the owner: the slot of the last one.
CREATE TABLE owner_report (
  name    TEXT PRIMARY KEY,
  slot_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
