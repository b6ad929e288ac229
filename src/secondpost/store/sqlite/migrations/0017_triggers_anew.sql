-- Both databases: the triggers again, in words that SQLite and PostgreSQL share. What they do stays the same.

DROP TRIGGER delivery_comes_to_be_held;
CREATE TRIGGER delivery_comes_to_be_held AFTER INSERT ON delivery
WHEN new.state = 'waiting' AND new.subscriber IS NULL AND EXISTS (
  SELECT 1 FROM domain AS own JOIN domain AS relay ON relay.lane = 'relay' AND relay.name = own.name
  JOIN site ON site.site = relay.site WHERE own.id = new.domain)
BEGIN
  INSERT INTO day_tally (day, domain, what, deliveries) VALUES (new.arrived_ms / 86400000, new.domain, 'held', 1)
    ON CONFLICT (day, domain, what) DO UPDATE SET deliveries = day_tally.deliveries + 1;
END;

DROP TRIGGER delivery_comes_to_be_kept;
CREATE TRIGGER delivery_comes_to_be_kept AFTER INSERT ON delivery WHEN new.state = 'kept' BEGIN
  INSERT INTO day_tally (day, domain, what, deliveries) VALUES (new.arrived_ms / 86400000, new.domain, 'kept', 1)
    ON CONFLICT (day, domain, what) DO UPDATE SET deliveries = day_tally.deliveries + 1;
END;

DROP TRIGGER delivery_comes_to_wait;
CREATE TRIGGER delivery_comes_to_wait AFTER INSERT ON delivery WHEN new.state = 'waiting' BEGIN
  UPDATE domain SET next_due_ms = CASE WHEN new.due_ms > paused_until_ms THEN new.due_ms ELSE paused_until_ms END
    WHERE id = new.domain AND (next_due_ms IS NULL OR next_due_ms >
      CASE WHEN new.due_ms > paused_until_ms THEN new.due_ms ELSE paused_until_ms END);
END;

DROP TRIGGER delivery_goes_wrong;
CREATE TRIGGER delivery_goes_wrong AFTER UPDATE OF state ON delivery
WHEN old.fence IS NOT NULL AND new.state IN ('waiting', 'kept', 'failed', 'expired', 'unknown')
  AND (new.attempts > old.attempts OR new.state <> 'waiting')
BEGIN
  INSERT INTO event (message, number, at_ms, what, detail) VALUES (
    new.message, new.number, new.last_ms, CASE WHEN new.state = 'waiting' THEN 'deferred' ELSE new.state END,
    trim(new.cause || ' ' || new.host || ' ' || new.reply));
END;

DROP TRIGGER delivery_is_counted_anew;
CREATE TRIGGER delivery_is_counted_anew AFTER UPDATE OF state, kept_for, domain ON delivery
WHEN new.domain <> old.domain OR new.kept_for IS DISTINCT FROM old.kept_for
  OR CASE WHEN new.fence IS NULL THEN new.state ELSE 'waiting' END <>
     CASE WHEN old.fence IS NULL THEN old.state ELSE 'waiting' END
BEGIN
  UPDATE tally SET deliveries = deliveries - 1, octets = octets - old.octets
    WHERE domain = old.domain AND state =
      CASE WHEN old.fence IS NOT NULL THEN 'waiting' WHEN old.kept_for IS NULL THEN old.state ELSE 'kept ' || old.kept_for END;
  INSERT INTO tally (domain, state, deliveries, octets)
    SELECT new.domain,
      CASE WHEN new.fence IS NOT NULL THEN 'waiting' WHEN new.kept_for IS NULL THEN new.state ELSE 'kept ' || new.kept_for END,
      1, new.octets WHERE new.ended_ms IS NULL
    ON CONFLICT (domain, state) DO UPDATE SET
      deliveries = tally.deliveries + 1, octets = tally.octets + excluded.octets;
END;

DROP TRIGGER delivery_is_held_after_all;
CREATE TRIGGER delivery_is_held_after_all AFTER UPDATE OF state ON delivery
WHEN old.state = 'claimed' AND new.state = 'waiting' AND old.attempts = 0 AND new.subscriber IS NULL AND EXISTS (
  SELECT 1 FROM domain AS own JOIN domain AS relay ON relay.lane = 'relay' AND relay.name = own.name
  JOIN site ON site.site = relay.site WHERE own.id = new.domain AND site.since_ms > new.arrived_ms)
BEGIN
  INSERT INTO day_tally (day, domain, what, deliveries) VALUES (new.last_ms / 86400000, new.domain, 'held', 1)
    ON CONFLICT (day, domain, what) DO UPDATE SET deliveries = day_tally.deliveries + 1;
END;

DROP TRIGGER delivery_is_in_doubt;
CREATE TRIGGER delivery_is_in_doubt AFTER UPDATE OF maybe_duplicate ON delivery
WHEN new.maybe_duplicate > old.maybe_duplicate AND old.state <> 'unknown' BEGIN
  INSERT INTO event (message, number, at_ms, what, detail) VALUES (
    new.message, new.number, new.last_ms, 'maybe-duplicate',
    CASE WHEN new.attempts > old.attempts THEN trim(new.host || ' gave no answer')
         ELSE 'the process that had claimed it died' END);
END;

DROP TRIGGER delivery_is_new;
CREATE TRIGGER delivery_is_new AFTER INSERT ON delivery BEGIN
  INSERT INTO tally (domain, state, deliveries, octets)
    VALUES (new.domain, CASE WHEN new.kept_for IS NULL THEN new.state ELSE 'kept ' || new.kept_for END, 1, new.octets)
    ON CONFLICT (domain, state) DO UPDATE SET
      deliveries = tally.deliveries + 1, octets = tally.octets + excluded.octets;
END;

DROP TRIGGER delivery_is_passed_on_or_kept;
CREATE TRIGGER delivery_is_passed_on_or_kept AFTER UPDATE OF state ON delivery
WHEN new.state IN ('delivered', 'kept') AND new.state <> old.state AND new.subscriber IS NULL
BEGIN
  INSERT INTO day_tally (day, domain, what, deliveries) VALUES (
    new.last_ms / 86400000, new.domain, CASE WHEN new.state = 'kept' THEN 'kept' ELSE 'passed on' END, 1)
    ON CONFLICT (day, domain, what) DO UPDATE SET deliveries = day_tally.deliveries + 1;
END;

DROP TRIGGER delivery_leaves_octets;
CREATE TRIGGER delivery_leaves_octets AFTER UPDATE OF ended_ms, domain ON delivery
WHEN old.octets > 0 AND (new.ended_ms IS NOT NULL OR new.domain <> old.domain) AND EXISTS (
  SELECT 1 FROM delivery WHERE message = old.message AND domain = old.domain AND ended_ms IS NULL AND octets = 0)
BEGIN
  UPDATE tally SET octets = octets + old.octets WHERE domain = old.domain AND state = (
    SELECT CASE WHEN fence IS NOT NULL THEN 'waiting' WHEN kept_for IS NULL THEN state ELSE 'kept ' || kept_for END
    FROM delivery
    WHERE message = old.message AND domain = old.domain AND ended_ms IS NULL AND octets = 0
    ORDER BY CASE WHEN kept_for = 'refused' THEN 1 ELSE 0 END, number LIMIT 1);
  UPDATE delivery SET octets = old.octets WHERE message = old.message AND number = (
    SELECT number FROM delivery
    WHERE message = old.message AND domain = old.domain AND ended_ms IS NULL AND octets = 0
    ORDER BY CASE WHEN kept_for = 'refused' THEN 1 ELSE 0 END, number LIMIT 1);
END;

DROP TRIGGER delivery_refused_gives_octets;
CREATE TRIGGER delivery_refused_gives_octets AFTER UPDATE OF kept_for ON delivery
WHEN new.kept_for = 'refused' AND old.kept_for IS DISTINCT FROM 'refused' AND new.octets > 0 AND EXISTS (
  SELECT 1 FROM delivery WHERE message = new.message AND domain = new.domain AND ended_ms IS NULL AND octets = 0
  AND kept_for IS DISTINCT FROM 'refused')
BEGIN
  -- The row of the tally may be yet to come: triggers of one event have no order.
  INSERT INTO tally (domain, state, deliveries, octets) VALUES (new.domain, 'kept refused', 0, -new.octets)
    ON CONFLICT (domain, state) DO UPDATE SET octets = tally.octets + excluded.octets;
  UPDATE tally SET octets = octets + new.octets WHERE domain = new.domain AND state = (
    SELECT CASE WHEN fence IS NOT NULL THEN 'waiting' WHEN kept_for IS NULL THEN state ELSE 'kept ' || kept_for END
    FROM delivery
    WHERE message = new.message AND domain = new.domain AND ended_ms IS NULL AND octets = 0
      AND kept_for IS DISTINCT FROM 'refused' ORDER BY number LIMIT 1);
  UPDATE delivery SET octets = new.octets WHERE message = new.message AND number = (
    SELECT number FROM delivery
    WHERE message = new.message AND domain = new.domain AND ended_ms IS NULL AND octets = 0
      AND kept_for IS DISTINCT FROM 'refused' ORDER BY number LIMIT 1);
  UPDATE delivery SET octets = 0 WHERE message = new.message AND number = new.number;
END;

DROP TRIGGER delivery_takes_octets_back;
CREATE TRIGGER delivery_takes_octets_back AFTER UPDATE OF kept_for ON delivery
WHEN old.kept_for = 'refused' AND new.kept_for IS DISTINCT FROM 'refused' AND new.ended_ms IS NULL AND new.octets = 0
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
    SELECT domain, CASE WHEN fence IS NOT NULL THEN 'waiting' WHEN kept_for IS NULL THEN state ELSE 'kept ' || kept_for END,
           0, octets
    FROM delivery WHERE message = new.message AND number = new.number
    ON CONFLICT (domain, state) DO UPDATE SET octets = tally.octets + excluded.octets;
END;

DROP TRIGGER delivery_waits_again;
CREATE TRIGGER delivery_waits_again AFTER UPDATE OF state, due_ms, domain ON delivery WHEN new.state = 'waiting' BEGIN
  UPDATE domain SET next_due_ms = CASE WHEN new.due_ms > paused_until_ms THEN new.due_ms ELSE paused_until_ms END
    WHERE id = new.domain AND (next_due_ms IS NULL OR next_due_ms >
      CASE WHEN new.due_ms > paused_until_ms THEN new.due_ms ELSE paused_until_ms END);
END;

DROP TRIGGER domain_changes_site;
CREATE TRIGGER domain_changes_site AFTER UPDATE OF site ON domain WHEN new.site <> old.site BEGIN
  INSERT INTO queue (lane, site, down)
    SELECT new.lane, new.site,
           CASE WHEN EXISTS (SELECT 1 FROM site WHERE site.site = new.site) THEN 1 ELSE 0 END
    WHERE true
    ON CONFLICT DO NOTHING;
  UPDATE queue SET next_due_ms = (
      SELECT next_due_ms FROM domain
      WHERE lane = queue.lane AND site = queue.site AND next_due_ms IS NOT NULL ORDER BY next_due_ms LIMIT 1)
    WHERE lane = new.lane AND site IN (old.site, new.site);
END;

DROP TRIGGER domain_changes_turn;
CREATE TRIGGER domain_changes_turn AFTER UPDATE OF next_due_ms ON domain
WHEN new.next_due_ms IS DISTINCT FROM old.next_due_ms BEGIN
  UPDATE queue SET next_due_ms = (
      SELECT next_due_ms FROM domain
      WHERE lane = new.lane AND site = new.site AND next_due_ms IS NOT NULL ORDER BY next_due_ms LIMIT 1)
    WHERE lane = new.lane AND site = new.site;
END;

DROP TRIGGER domain_is_new;
CREATE TRIGGER domain_is_new AFTER INSERT ON domain BEGIN
  INSERT INTO queue (lane, site, down)
    SELECT new.lane, new.site,
           CASE WHEN EXISTS (SELECT 1 FROM site WHERE site.site = new.site) THEN 1 ELSE 0 END
    WHERE true
    ON CONFLICT DO NOTHING;
END;
