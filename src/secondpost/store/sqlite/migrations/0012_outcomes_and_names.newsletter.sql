-- newsletter.db: what came of sign-ups, which suppressions a sign-up lifts, and the names that newsletters had.

-- What came of each sign-up, for the owner, without the address. Bounded, and forgotten after some days.
CREATE TABLE sign_up_outcome (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  newsletter TEXT    NOT NULL,
  hash       BLOB    NOT NULL,
  at_ms      INTEGER NOT NULL,
  how        TEXT    NOT NULL,
  outcome    TEXT    NOT NULL,
  confirmed  INTEGER NOT NULL DEFAULT 0 CHECK (confirmed IN (0, 1))
) STRICT;
CREATE INDEX sign_up_outcome_of ON sign_up_outcome (hash, newsletter, at_ms);
CREATE INDEX sign_up_outcome_at ON sign_up_outcome (newsletter, at_ms);
CREATE INDEX sign_up_outcome_old ON sign_up_outcome (at_ms);

-- 1: people who left may come back: their own confirmation lifts it, and nothing else does. So it is after an erasure. Of
-- those whom a list of an earlier version called gone, it is not known who had left and whose mail came back.
ALTER TABLE suppression ADD COLUMN yields INTEGER NOT NULL DEFAULT 0 CHECK (yields IN (0, 1));
UPDATE suppression SET yields = 1 WHERE reason IN ('erased', 'imported');

-- Names that newsletters had: what stands in old mails leads to the new one. `clears` is the ledger that goes first.
CREATE TABLE former_name (
  name    TEXT PRIMARY KEY,
  now     TEXT    NOT NULL,
  at_ms   INTEGER NOT NULL,
  clears  TEXT    NOT NULL,
  is_done INTEGER NOT NULL CHECK (is_done IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Newsletters that the owner has given up: their readers get nothing, and that is meant.
CREATE TABLE retired_newsletter (
  name  TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER reader_moves AFTER UPDATE OF newsletter ON subscriber WHEN new.newsletter <> old.newsletter BEGIN
  UPDATE reader_tally SET readers = readers - 1 WHERE newsletter = old.newsletter AND state = old.state;
  INSERT INTO reader_tally (newsletter, state, readers) VALUES (new.newsletter, new.state, 1)
    ON CONFLICT (newsletter, state) DO UPDATE SET readers = readers + 1;
END;
