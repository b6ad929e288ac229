-- Refusals while sending and what came of bounces are unknown there; of a report nothing is lost but the latter.
DROP TABLE provider_pause;
CREATE TABLE bounce_before (
  evidence   INTEGER PRIMARY KEY,
  subscriber INTEGER NOT NULL,
  issue      INTEGER,
  at_ms      INTEGER NOT NULL,
  kind       TEXT    NOT NULL,
  status     TEXT    NOT NULL,
  text       TEXT    NOT NULL
) STRICT;
INSERT INTO bounce_before (evidence, subscriber, issue, at_ms, kind, status, text)
SELECT evidence, subscriber, issue, at_ms, kind, status, text FROM bounce WHERE evidence IS NOT NULL;
DROP TABLE bounce;
ALTER TABLE bounce_before RENAME TO bounce;
CREATE INDEX bounce_of ON bounce (subscriber, at_ms);
CREATE INDEX bounce_in ON bounce (issue, kind) WHERE issue IS NOT NULL;
