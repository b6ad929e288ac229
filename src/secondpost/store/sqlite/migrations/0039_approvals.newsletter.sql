-- newsletter.db: issues that wait for the owner's approval, and the order that the owner gave the next issue.
CREATE TABLE approval (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  newsletter  TEXT    NOT NULL,
  slot        TEXT    NOT NULL,
  articles    TEXT    NOT NULL, -- ids in the order of the issue, with spaces between; fixed by the approval
  last_ms     INTEGER,          -- until when it may be approved; NULL: no fixed time
  asked_ms    INTEGER NOT NULL,
  secret      BLOB,             -- SHA-256 of the secret in the link; NULL until a mail with it was made
  mailed_ms   INTEGER,
  approved_ms INTEGER,
  UNIQUE (newsletter, slot)
) STRICT;
CREATE INDEX approval_secret ON approval (secret);
CREATE TABLE next_order (
  newsletter  TEXT PRIMARY KEY,
  articles    TEXT NOT NULL     -- ids of the articles that come first, with spaces between
) STRICT, WITHOUT ROWID;
