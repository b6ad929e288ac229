-- newsletter.db: what became of mails of issues, by provider (mail/provider) and UTC day.
CREATE TABLE provider_day (
  provider     TEXT    NOT NULL,
  day          INTEGER NOT NULL,           -- since 1970-01-01
  delivered    INTEGER NOT NULL DEFAULT 0,
  deferred     INTEGER NOT NULL DEFAULT 0,
  failed       INTEGER NOT NULL DEFAULT 0, -- refused for good, or expired
  unknown      INTEGER NOT NULL DEFAULT 0,
  sender_fault INTEGER NOT NULL DEFAULT 0, -- of all these: refused for what we are
  PRIMARY KEY (provider, day)
) STRICT, WITHOUT ROWID;
