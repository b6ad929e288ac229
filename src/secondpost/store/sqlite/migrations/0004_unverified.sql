-- Mail for addresses of which nothing is known has a lane of its own behind the relayed: a domain row of its own, and
-- so a turn, a tally and a lease of its own. SQLite changes a CHECK only by making the table anew.
PRAGMA legacy_alter_table = ON;  -- the triggers of other tables go on meaning `domain` while it is away

CREATE TABLE domain_anew (
  id              INTEGER PRIMARY KEY,
  lane            TEXT    NOT NULL CHECK (lane IN ('relay', 'unverified', 'issues', 'own')),
  name            TEXT    NOT NULL,
  site            TEXT    NOT NULL DEFAULT 'unsorted',
  next_due_ms     INTEGER,                 -- NULL: nothing waits
  paused_until_ms INTEGER NOT NULL DEFAULT 0,
  UNIQUE (lane, name)
) STRICT;
INSERT INTO domain_anew (id, lane, name, site, next_due_ms, paused_until_ms)
  SELECT id, lane, name, site, next_due_ms, paused_until_ms FROM domain;
DROP TABLE domain;
ALTER TABLE domain_anew RENAME TO domain;
CREATE INDEX domain_due ON domain (lane, site, next_due_ms) WHERE next_due_ms IS NOT NULL;

PRAGMA legacy_alter_table = OFF;

-- The triggers of `domain`, as in 0001.
CREATE TRIGGER domain_is_new AFTER INSERT ON domain BEGIN
  INSERT INTO queue (lane, site, down)
    SELECT new.lane, new.site, EXISTS (SELECT 1 FROM site WHERE site = new.site) WHERE true
    ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER domain_changes_site AFTER UPDATE OF site ON domain WHEN new.site <> old.site BEGIN
  INSERT INTO queue (lane, site, down)
    SELECT new.lane, new.site, EXISTS (SELECT 1 FROM site WHERE site = new.site) WHERE true
    ON CONFLICT DO NOTHING;
  UPDATE queue SET next_due_ms = (
      SELECT next_due_ms FROM domain
      WHERE lane = queue.lane AND site = queue.site AND next_due_ms IS NOT NULL ORDER BY next_due_ms LIMIT 1)
    WHERE lane = new.lane AND site IN (old.site, new.site);
END;

CREATE TRIGGER domain_changes_turn AFTER UPDATE OF next_due_ms ON domain
WHEN new.next_due_ms IS NOT old.next_due_ms BEGIN
  UPDATE queue SET next_due_ms = (
      SELECT next_due_ms FROM domain
      WHERE lane = new.lane AND site = new.site AND next_due_ms IS NOT NULL ORDER BY next_due_ms LIMIT 1)
    WHERE lane = new.lane AND site = new.site;
END;

-- Backup domains whose primary was asked about a mailbox that cannot exist, and what it said: where it takes every
-- address, an accepted RCPT says nothing about a mailbox.
CREATE TABLE catch_all (
  domain       TEXT PRIMARY KEY,
  takes_all    INTEGER NOT NULL CHECK (takes_all IN (0, 1)),
  at_ms        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
