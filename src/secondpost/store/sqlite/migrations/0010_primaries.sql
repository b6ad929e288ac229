-- Primaries of backup domains: since when each has let us in at every look, and what it offers. One that is down
-- has a row in `site` too, which says since when and why.
CREATE TABLE primary_site (
  site      TEXT PRIMARY KEY,
  since_ms  INTEGER NOT NULL,
  looked_ms INTEGER NOT NULL,              -- when it let us in last
  size_max  INTEGER,                       -- NULL: it named no limit
  smtputf8  INTEGER NOT NULL CHECK (smtputf8 IN (0, 1))
) STRICT, WITHOUT ROWID;

-- When a site that is down was looked at last.
ALTER TABLE site ADD COLUMN looked_ms INTEGER NOT NULL DEFAULT 0;
UPDATE site SET looked_ms = since_ms;
