-- Networks from which mail to people who are here was taken, and when last, to the hour: receive gives them more
-- places, after a restart too.
CREATE TABLE proven_prefix (
  prefix TEXT PRIMARY KEY,                 -- such as 192.0.2.0/24
  at_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX proven_prefix_at ON proven_prefix (at_ms);
