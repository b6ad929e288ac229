-- newsletter.db: an address may be suppressed because its mail came back elsewhere, and be known only by a hash that
-- another store made. The key of that store is a secret beside our own, `suppression` and its hexadecimal digits.
CREATE TABLE suppression_anew (
  hash       BLOB    NOT NULL,
  newsletter TEXT    NOT NULL,
  reason     TEXT    NOT NULL CHECK (reason IN ('owner', 'erased', 'complained', 'bounced', 'imported')),
  at_ms      INTEGER NOT NULL,
  evidence   TEXT    NOT NULL,
  yields     INTEGER NOT NULL DEFAULT 0 CHECK (yields IN (0, 1)),
  key        TEXT    NOT NULL DEFAULT 'suppression',  -- the secret that the hash was made with
  PRIMARY KEY (hash, newsletter)
) STRICT, WITHOUT ROWID;
INSERT INTO suppression_anew (hash, newsletter, reason, at_ms, evidence, yields)
SELECT hash, newsletter, reason, at_ms, evidence, yields FROM suppression ORDER BY hash, newsletter;
DROP TABLE suppression;
ALTER TABLE suppression_anew RENAME TO suppression;
CREATE INDEX suppression_of ON suppression (newsletter);
