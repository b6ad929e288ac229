-- Both databases: dead letters are counted by what they are kept for. What a primary refused never takes the room
-- of mail that waits, and goes by itself, the oldest first. `tally` counts it as 'kept refused'.

DROP INDEX delivery_aside;
CREATE INDEX delivery_aside ON delivery (state, message, number, domain, arrived_ms, kept_for)
  WHERE state IN ('held', 'kept', 'failed', 'expired', 'unknown');
CREATE INDEX delivery_refused ON delivery (domain, last_ms) WHERE kept_for = 'refused';

DROP TRIGGER delivery_is_new;
CREATE TRIGGER delivery_is_new AFTER INSERT ON delivery BEGIN
  INSERT INTO tally (domain, state, deliveries, octets)
    VALUES (new.domain, iif(new.kept_for IS NULL, new.state, 'kept ' || new.kept_for), 1, new.octets)
    ON CONFLICT (domain, state) DO UPDATE SET deliveries = deliveries + 1, octets = octets + excluded.octets;
END;

DROP TRIGGER delivery_is_counted_anew;
CREATE TRIGGER delivery_is_counted_anew AFTER UPDATE OF state, kept_for, domain ON delivery
WHEN new.domain <> old.domain OR new.kept_for IS NOT old.kept_for
  OR iif(new.fence IS NULL, new.state, 'waiting') <> iif(old.fence IS NULL, old.state, 'waiting')
BEGIN
  UPDATE tally SET deliveries = deliveries - 1, octets = octets - old.octets
    WHERE domain = old.domain AND state =
      iif(old.fence IS NOT NULL, 'waiting', iif(old.kept_for IS NULL, old.state, 'kept ' || old.kept_for));
  INSERT INTO tally (domain, state, deliveries, octets)
    SELECT new.domain,
      iif(new.fence IS NOT NULL, 'waiting', iif(new.kept_for IS NULL, new.state, 'kept ' || new.kept_for)),
      1, new.octets WHERE new.ended_ms IS NULL
    ON CONFLICT (domain, state) DO UPDATE SET deliveries = deliveries + 1, octets = octets + excluded.octets;
END;

-- The octets of a message lie on one of its deliveries at a domain that needs them, and on one that was refused only
-- when there is no other.
DROP TRIGGER delivery_leaves_octets;
CREATE TRIGGER delivery_leaves_octets AFTER UPDATE OF ended_ms, domain ON delivery
WHEN old.octets > 0 AND (new.ended_ms IS NOT NULL OR new.domain <> old.domain) AND EXISTS (
  SELECT 1 FROM delivery WHERE message = old.message AND domain = old.domain AND ended_ms IS NULL AND octets = 0)
BEGIN
  UPDATE tally SET octets = octets + old.octets WHERE domain = old.domain AND state = (
    SELECT iif(fence IS NOT NULL, 'waiting', iif(kept_for IS NULL, state, 'kept ' || kept_for)) FROM delivery
    WHERE message = old.message AND domain = old.domain AND ended_ms IS NULL AND octets = 0
    ORDER BY kept_for IS 'refused', number LIMIT 1);
  UPDATE delivery SET octets = old.octets WHERE message = old.message AND number = (
    SELECT number FROM delivery
    WHERE message = old.message AND domain = old.domain AND ended_ms IS NULL AND octets = 0
    ORDER BY kept_for IS 'refused', number LIMIT 1);
END;

CREATE TRIGGER delivery_refused_gives_octets AFTER UPDATE OF kept_for ON delivery
WHEN new.kept_for = 'refused' AND old.kept_for IS NOT 'refused' AND new.octets > 0 AND EXISTS (
  SELECT 1 FROM delivery WHERE message = new.message AND domain = new.domain AND ended_ms IS NULL AND octets = 0
  AND kept_for IS NOT 'refused')
BEGIN
  -- The row of the tally may be yet to come: triggers of one event have no order.
  INSERT INTO tally (domain, state, deliveries, octets) VALUES (new.domain, 'kept refused', 0, -new.octets)
    ON CONFLICT (domain, state) DO UPDATE SET octets = octets + excluded.octets;
  UPDATE tally SET octets = octets + new.octets WHERE domain = new.domain AND state = (
    SELECT iif(fence IS NOT NULL, 'waiting', iif(kept_for IS NULL, state, 'kept ' || kept_for)) FROM delivery
    WHERE message = new.message AND domain = new.domain AND ended_ms IS NULL AND octets = 0
      AND kept_for IS NOT 'refused' ORDER BY number LIMIT 1);
  UPDATE delivery SET octets = new.octets WHERE message = new.message AND number = (
    SELECT number FROM delivery
    WHERE message = new.message AND domain = new.domain AND ended_ms IS NULL AND octets = 0
      AND kept_for IS NOT 'refused' ORDER BY number LIMIT 1);
  UPDATE delivery SET octets = 0 WHERE message = new.message AND number = new.number;
END;

CREATE TRIGGER delivery_takes_octets_back AFTER UPDATE OF kept_for ON delivery
WHEN old.kept_for = 'refused' AND new.kept_for IS NOT 'refused' AND new.ended_ms IS NULL AND new.octets = 0
  AND new.domain = old.domain AND EXISTS (
  SELECT 1 FROM delivery WHERE message = new.message AND domain = new.domain AND kept_for = 'refused' AND octets > 0)
BEGIN
  UPDATE delivery SET octets = (SELECT octets FROM delivery
      WHERE message = new.message AND domain = new.domain AND kept_for = 'refused' AND octets > 0
      ORDER BY number LIMIT 1)
    WHERE message = new.message AND number = new.number;
  UPDATE delivery SET octets = 0 WHERE message = new.message AND number = (SELECT number FROM delivery
    WHERE message = new.message AND domain = new.domain AND kept_for = 'refused' AND octets > 0
    ORDER BY number LIMIT 1);
  UPDATE tally SET octets = octets - (SELECT octets FROM delivery WHERE message = new.message AND number = new.number)
    WHERE domain = new.domain AND state = 'kept refused';
  INSERT INTO tally (domain, state, deliveries, octets)
    SELECT domain, iif(fence IS NOT NULL, 'waiting', iif(kept_for IS NULL, state, 'kept ' || kept_for)), 0, octets
    FROM delivery WHERE message = new.message AND number = new.number
    ON CONFLICT (domain, state) DO UPDATE SET octets = octets + excluded.octets;
END;

DELETE FROM tally WHERE state = 'kept';
INSERT INTO tally (domain, state, deliveries, octets)
  SELECT domain, 'kept ' || kept_for, count(*), sum(octets) FROM delivery INDEXED BY delivery_aside
  WHERE state = 'kept' AND state IN ('held', 'kept', 'failed', 'expired', 'unknown') GROUP BY domain, kept_for;
