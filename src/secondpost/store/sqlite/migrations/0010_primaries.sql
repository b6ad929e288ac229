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

-- How many deliveries of a domain, by day of UTC, came to what (mail/daily.py). Refusals are added by who refuses;
-- the rest follows from the deliveries.
CREATE TABLE day_tally (
  day        INTEGER NOT NULL,             -- since the beginning of 1970
  domain     INTEGER NOT NULL,
  what       TEXT    NOT NULL CHECK (what IN ('held', 'kept', 'refused for now', 'refused', 'passed on')),
  deliveries INTEGER NOT NULL,
  PRIMARY KEY (day, domain, what)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER delivery_comes_to_be_held AFTER INSERT ON delivery
WHEN new.state = 'waiting' AND new.subscriber IS NULL AND EXISTS (
  SELECT 1 FROM domain AS own CROSS JOIN domain AS relay ON relay.lane = 'relay' AND relay.name = own.name
  CROSS JOIN site ON site.site = relay.site WHERE own.id = new.domain)
BEGIN
  INSERT INTO day_tally (day, domain, what, deliveries) VALUES (new.arrived_ms / 86400000, new.domain, 'held', 1)
    ON CONFLICT DO UPDATE SET deliveries = deliveries + 1;
END;

-- Its first attempt found the site down, or it was handed back because another's did. One that came while the site was
-- down was counted then.
CREATE TRIGGER delivery_is_held_after_all AFTER UPDATE OF state ON delivery
WHEN old.state = 'claimed' AND new.state = 'waiting' AND old.attempts = 0 AND new.subscriber IS NULL AND EXISTS (
  SELECT 1 FROM domain AS own CROSS JOIN domain AS relay ON relay.lane = 'relay' AND relay.name = own.name
  CROSS JOIN site ON site.site = relay.site WHERE own.id = new.domain AND site.since_ms > new.arrived_ms)
BEGIN
  INSERT INTO day_tally (day, domain, what, deliveries) VALUES (new.last_ms / 86400000, new.domain, 'held', 1)
    ON CONFLICT DO UPDATE SET deliveries = deliveries + 1;
END;

CREATE TRIGGER delivery_comes_to_be_kept AFTER INSERT ON delivery WHEN new.state = 'kept' BEGIN
  INSERT INTO day_tally (day, domain, what, deliveries) VALUES (new.arrived_ms / 86400000, new.domain, 'kept', 1)
    ON CONFLICT DO UPDATE SET deliveries = deliveries + 1;
END;

CREATE TRIGGER delivery_is_passed_on_or_kept AFTER UPDATE OF state ON delivery
WHEN new.state IN ('delivered', 'kept') AND new.state <> old.state AND new.subscriber IS NULL
BEGIN
  INSERT INTO day_tally (day, domain, what, deliveries) VALUES (
    new.last_ms / 86400000, new.domain, iif(new.state = 'kept', 'kept', 'passed on'), 1)
    ON CONFLICT DO UPDATE SET deliveries = deliveries + 1;
END;
