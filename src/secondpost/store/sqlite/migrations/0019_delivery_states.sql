-- A change of state that the table of mail/delivery_states does not have is refused; the conditions are made
-- from it (store/verbs/transitions).
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

CREATE TRIGGER delivery_begins_by_the_table AFTER INSERT ON delivery WHEN
NOT (new.state = 'waiting' OR new.state = 'kept' OR new.state = 'frozen')
BEGIN
  SELECT raise(ABORT, 'no delivery comes into being in this state');
END;

-- What is given back untried has no time of an attempt: it counts for the day on which it arrived.
DROP TRIGGER delivery_is_held_after_all;
CREATE TRIGGER delivery_is_held_after_all AFTER UPDATE OF state ON delivery
WHEN old.state = 'claimed' AND new.state = 'waiting' AND old.attempts = 0 AND new.subscriber IS NULL AND EXISTS (
  SELECT 1 FROM domain AS own JOIN domain AS relay ON relay.lane = 'relay' AND relay.name = own.name
  JOIN site ON site.site = relay.site WHERE own.id = new.domain AND site.since_ms > new.arrived_ms)
BEGIN
  INSERT INTO day_tally (day, domain, what, deliveries)
    VALUES (coalesce(new.last_ms, new.arrived_ms) / 86400000, new.domain, 'held', 1)
    ON CONFLICT (day, domain, what) DO UPDATE SET deliveries = day_tally.deliveries + 1;
END;
