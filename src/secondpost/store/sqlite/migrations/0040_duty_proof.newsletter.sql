-- newsletter.db: what DNS says about the domains in From, without which no issue goes out.
CREATE TABLE duty_proof (
  domain    TEXT    NOT NULL PRIMARY KEY,
  looked_ms INTEGER NOT NULL,  -- the last look that DNS answered
  proven_ms INTEGER,           -- the last look that found all records correct; NULL: there was none
  fault     TEXT    NOT NULL   -- what the last look found wrong; '' if nothing
) STRICT, WITHOUT ROWID;
