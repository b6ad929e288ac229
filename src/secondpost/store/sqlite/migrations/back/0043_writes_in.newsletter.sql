DROP TRIGGER subscriber_changes_by_the_table;
CREATE TRIGGER subscriber_changes_by_the_table BEFORE UPDATE OF state ON subscriber WHEN
CASE old.state
  WHEN 'pending' THEN NOT (new.state = 'active' OR new.state = 'left' OR new.state = 'suspended' OR new.state = 'complained')
  WHEN 'active' THEN NOT (new.state = 'left' OR new.state = 'suspended' OR new.state = 'complained')
  WHEN 'left' THEN NOT (new.state = 'pending' OR new.state = 'complained')
  WHEN 'suspended' THEN NOT (new.state = 'pending' OR new.state = 'active' OR new.state = 'left' OR new.state = 'complained')
  ELSE true
END
BEGIN
  SELECT raise(ABORT, 'no edge leads from this state of a reader to that');
END;
