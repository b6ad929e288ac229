-- Both databases: what tells whether this database is the one that was used last, or a copy of it (mail/witness.py).
-- At most one row.
CREATE TABLE witness (
  one       INTEGER PRIMARY KEY CHECK (one = 1),
  epoch     INTEGER NOT NULL,              -- rises while the service runs; the file beside the database has it too
  is_copy   INTEGER NOT NULL DEFAULT 0,    -- 1 in a snapshot
  held_ms   INTEGER,                       -- since when this is known to be a copy that may not send; NULL: it may
  why       TEXT    NOT NULL DEFAULT '',
  upto      INTEGER,                       -- messages up to this id may have been sent by the original
  set_aside INTEGER NOT NULL DEFAULT 0     -- 1: all of their deliveries that waited are held
) STRICT;

DROP TRIGGER delivery_changes_by_the_table;
CREATE TRIGGER delivery_changes_by_the_table AFTER UPDATE OF state ON delivery WHEN
CASE old.state
  WHEN 'waiting' THEN NOT (new.state = 'waiting' OR new.state = 'claimed' OR new.state = 'expired' OR new.state = 'held' OR new.state = 'kept' OR new.state = 'dropped' OR new.state = 'suppressed' OR new.state = 'stopped')
  WHEN 'claimed' THEN NOT (new.state = 'waiting' OR new.state = 'delivered' OR new.state = 'failed' OR new.state = 'expired' OR new.state = 'kept' OR new.state = 'committing' OR new.state = 'suppressed' OR new.state = 'stopped')
  WHEN 'held' THEN NOT (new.state = 'waiting' OR new.state = 'delivered' OR new.state = 'dropped' OR new.state = 'unknown' OR new.state = 'stopped')
  WHEN 'kept' THEN NOT (new.state = 'waiting' OR new.state = 'dropped')
  WHEN 'frozen' THEN NOT (new.state = 'waiting' OR new.state = 'delivered' OR new.state = 'unknown' OR new.state = 'stopped')
  WHEN 'committing' THEN NOT (new.state = 'waiting' OR new.state = 'delivered' OR new.state = 'failed' OR new.state = 'expired' OR new.state = 'unknown')
  WHEN 'unknown' THEN NOT (new.state = 'waiting')
  ELSE true
END
BEGIN
  SELECT raise(ABORT, 'no edge leads from this state of a delivery to that');
END;

-- What a copy held may be sent twice because its original may have sent it.
DROP TRIGGER delivery_is_in_doubt;
CREATE TRIGGER delivery_is_in_doubt AFTER UPDATE OF maybe_duplicate ON delivery
WHEN new.maybe_duplicate > old.maybe_duplicate AND old.state <> 'unknown' BEGIN
  INSERT INTO event (message, number, at_ms, what, detail) VALUES (
    new.message, new.number, new.last_ms, 'maybe-duplicate',
    CASE WHEN old.state = 'held' THEN 'the store is a copy, and its original may have sent it'
         WHEN new.attempts > old.attempts THEN trim(new.host || ' gave no answer')
         ELSE 'the process that had claimed it died' END);
END;
