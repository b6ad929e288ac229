-- Advisories about what runs here (protocols/osv), as the service last answered, and how asking it went. The deliver
-- role writes them.
CREATE TABLE advisory (
  id       TEXT    PRIMARY KEY,
  record   TEXT    NOT NULL,               -- what it says of versions, as JSON
  since_ms INTEGER NOT NULL                -- when it was first answered
) STRICT, WITHOUT ROWID;

-- At most one row.
CREATE TABLE advisory_look (
  one        INTEGER PRIMARY KEY CHECK (one = 1),
  tried_ms   INTEGER NOT NULL,             -- when the service was last asked
  good_ms    INTEGER,                      -- when it last answered; NULL: never
  failing_ms INTEGER,                      -- since when it does not; NULL: it does
  why        TEXT    NOT NULL DEFAULT ''   -- it does not
) STRICT;
