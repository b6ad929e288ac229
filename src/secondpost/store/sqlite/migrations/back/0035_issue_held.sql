DROP TRIGGER delivery_changes_by_the_table;
CREATE TRIGGER delivery_changes_by_the_table AFTER UPDATE OF state ON delivery WHEN
CASE old.state
  WHEN 'waiting' THEN NOT (new.state = 'waiting' OR new.state = 'claimed' OR new.state = 'expired' OR new.state = 'held' OR new.state = 'kept' OR new.state = 'dropped' OR new.state = 'suppressed' OR new.state = 'stopped')
  WHEN 'claimed' THEN NOT (new.state = 'waiting' OR new.state = 'delivered' OR new.state = 'failed' OR new.state = 'expired' OR new.state = 'kept' OR new.state = 'committing' OR new.state = 'suppressed' OR new.state = 'stopped')
  WHEN 'held' THEN NOT (new.state = 'waiting' OR new.state = 'dropped' OR new.state = 'stopped')
  WHEN 'kept' THEN NOT (new.state = 'waiting' OR new.state = 'dropped')
  WHEN 'frozen' THEN NOT (new.state = 'waiting' OR new.state = 'stopped')
  WHEN 'committing' THEN NOT (new.state = 'waiting' OR new.state = 'delivered' OR new.state = 'failed' OR new.state = 'expired' OR new.state = 'unknown')
  WHEN 'unknown' THEN NOT (new.state = 'waiting')
  ELSE true
END
BEGIN
  SELECT raise(ABORT, 'no edge leads from this state of a delivery to that');
END;
