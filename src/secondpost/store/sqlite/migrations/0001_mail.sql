-- Both databases: messages, their deliveries, sites and workers. In mail.db relayed and submitted mail, reports,
-- alarms and learned recipients; in newsletter.db mail to readers. docs/store.md tells what for.
-- Times are UTC milliseconds, sizes octets, states readable words (mail/delivery.py).

-- Running processes that write here. `run` is never given twice; `number` is run modulo WORKERS_MAX.
CREATE TABLE worker (
  run        INTEGER PRIMARY KEY AUTOINCREMENT,
  number     INTEGER NOT NULL UNIQUE,
  role       TEXT    NOT NULL,
  started_ms INTEGER NOT NULL,
  lock       TEXT    NOT NULL              -- the file that the worker holds locked while it lives
) STRICT;

-- One accepted message. `id` is the queue id; `ended_ms` is set when no delivery needs the content any more.
CREATE TABLE message (
  id           INTEGER PRIMARY KEY,
  lane         TEXT    NOT NULL CHECK (lane IN ('relay', 'issues', 'own')),
  sender       TEXT    NOT NULL,           -- "" is the null path
  size         INTEGER NOT NULL CHECK (size >= 0),
  file         TEXT,                       -- where the content is, when it is not in the table `content`
  eight_bit    INTEGER NOT NULL CHECK (eight_bit IN (0, 1)),
  peer_address TEXT    NOT NULL,
  helo         TEXT    NOT NULL,
  protocol     TEXT    NOT NULL,
  tls          TEXT    NOT NULL,
  arrived_ms   INTEGER NOT NULL,
  ended_ms     INTEGER
) STRICT;
CREATE INDEX message_ended ON message (ended_ms) WHERE ended_ms IS NOT NULL;
CREATE INDEX message_file ON message (file) WHERE file IS NOT NULL;

-- Small content, apart from the message rows so that it can go when the last delivery has ended.
CREATE TABLE content (
  message INTEGER PRIMARY KEY,
  data    BLOB    NOT NULL
) STRICT;

-- Files whose message has ended; each is removed after the commit, and its row after that.
CREATE TABLE leaving_file (
  name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- What is known about a recipient domain in a lane. `next_due_ms` is its next turn at being claimed from.
CREATE TABLE domain (
  id              INTEGER PRIMARY KEY,
  lane            TEXT    NOT NULL CHECK (lane IN ('relay', 'issues', 'own')),
  name            TEXT    NOT NULL,
  site            TEXT    NOT NULL DEFAULT 'unsorted',
  next_due_ms     INTEGER,                 -- NULL: nothing waits
  paused_until_ms INTEGER NOT NULL DEFAULT 0,
  UNIQUE (lane, name)
) STRICT;
CREATE INDEX domain_due ON domain (lane, site, next_due_ms) WHERE next_due_ms IS NOT NULL;

-- How much of a domain is in which state; what is under way (claimed, committing) counts as `waiting`, what has
-- ended is not counted.
CREATE TABLE tally (
  domain     INTEGER NOT NULL,
  state      TEXT    NOT NULL,
  deliveries INTEGER NOT NULL,
  octets     INTEGER NOT NULL,
  PRIMARY KEY (domain, state)
) STRICT, WITHOUT ROWID;

-- One row per (lane, site) that ever had mail: when the first of its domains has its turn.
CREATE TABLE queue (
  lane        TEXT    NOT NULL,
  site        TEXT    NOT NULL,
  next_due_ms INTEGER,
  down        INTEGER NOT NULL CHECK (down IN (0, 1)),
  PRIMARY KEY (lane, site)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_due ON queue (lane, next_due_ms) WHERE down = 0 AND next_due_ms IS NOT NULL;

-- Sites that take nothing now, whatever the lane.
CREATE TABLE site (
  site          TEXT PRIMARY KEY,
  since_ms      INTEGER NOT NULL,
  cause         TEXT    NOT NULL,
  detail        TEXT    NOT NULL,
  next_probe_ms INTEGER NOT NULL,
  leader_fence  INTEGER                    -- the one deliver process that probes it; unused with one
) STRICT, WITHOUT ROWID;

-- Who may claim. Fences grow for ever, so that a late write of a dead lease is known as such.
CREATE TABLE lease (
  fence  INTEGER PRIMARY KEY AUTOINCREMENT,
  lane   TEXT    NOT NULL,
  site   TEXT    NOT NULL,
  shard  INTEGER NOT NULL,
  worker INTEGER NOT NULL,
  UNIQUE (lane, site, shard)
) STRICT;

-- One message to one recipient. The lane is that of its domain row: a redirect changes it. Mail to a reader has
-- a subscriber, and an issue unless it is a confirmation; its number is then the subscriber's, so that nobody can
-- be planned twice. It ends when it fails or expires: nobody is told.
CREATE TABLE delivery (
  message          INTEGER NOT NULL,
  number           INTEGER NOT NULL CHECK (number >= 1),
  domain           INTEGER NOT NULL,
  recipient        TEXT    NOT NULL,
  state            TEXT    NOT NULL CHECK (state IN
                     ('waiting', 'claimed', 'delivered', 'failed', 'expired', 'reported', 'held', 'kept', 'dropped',
                      'frozen', 'committing', 'unknown', 'suppressed', 'stopped')),
  kept_for         TEXT    CHECK (kept_for IN ('expired', 'refused', 'loop', 'quarantine')),
  octets           INTEGER NOT NULL,       -- the content's, on one delivery per message and domain; else 0
  arrived_ms       INTEGER NOT NULL,
  due_ms           INTEGER NOT NULL,       -- never before arrived_ms
  attempts         INTEGER NOT NULL DEFAULT 0,
  first_attempt_ms INTEGER,
  last_ms          INTEGER,
  ended_ms         INTEGER,
  fence            INTEGER,
  maybe_duplicate  INTEGER NOT NULL DEFAULT 0 CHECK (maybe_duplicate IN (0, 1)),
  cause            TEXT    NOT NULL DEFAULT '',
  level            TEXT    NOT NULL DEFAULT '' CHECK (level IN ('', 'site', 'domain', 'recipient', 'message')),
  host             TEXT    NOT NULL DEFAULT '',
  reply            TEXT    NOT NULL DEFAULT '',
  issue            INTEGER,
  subscriber       INTEGER,
  PRIMARY KEY (message, number),
  CHECK ((state = 'kept') = (kept_for IS NOT NULL)),
  CHECK ((state IN ('claimed', 'committing')) = (fence IS NOT NULL)),
  CHECK ((state IN ('delivered', 'reported', 'dropped', 'suppressed', 'stopped')
          OR (subscriber IS NOT NULL AND state IN ('failed', 'expired'))) = (ended_ms IS NOT NULL)),
  CHECK (subscriber IS NOT NULL OR (issue IS NULL AND state NOT IN ('suppressed', 'stopped'))),
  CHECK (issue IS NOT NULL OR state NOT IN ('frozen', 'committing', 'unknown')),
  CHECK (subscriber IS NULL OR state NOT IN ('kept', 'reported')),
  CHECK (issue IS NULL OR number = subscriber)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_waiting ON delivery (domain, due_ms, message, number) WHERE state = 'waiting';
CREATE INDEX delivery_claimed ON delivery (fence) WHERE fence IS NOT NULL;
-- Waiting, but not since its arrival: it was tried, or the owner sent it on. The others are due as they arrived.
CREATE INDEX delivery_again ON delivery (domain, arrived_ms) WHERE state = 'waiting' AND due_ms > arrived_ms;
CREATE INDEX delivery_for_site ON delivery (domain) WHERE state = 'waiting' AND level = 'site';
CREATE INDEX delivery_aside ON delivery (state, message, number, domain, arrived_ms)
  WHERE state IN ('held', 'kept', 'failed', 'expired', 'unknown');
-- Of an issue, and tried: its time runs from the first attempt.
CREATE INDEX delivery_tried ON delivery (domain, first_attempt_ms)
  WHERE state = 'waiting' AND issue IS NOT NULL AND first_attempt_ms IS NOT NULL;

-- What happened to a delivery besides the plain way; number 0 means the whole message.
CREATE TABLE event (
  id      INTEGER PRIMARY KEY,
  message INTEGER NOT NULL,
  number  INTEGER NOT NULL,
  at_ms   INTEGER NOT NULL,
  what    TEXT    NOT NULL,
  detail  TEXT    NOT NULL
) STRICT;
CREATE INDEX event_of ON event (message, number);

-- What was once found out about recipients at the primary.
CREATE TABLE learned (
  mailbox TEXT PRIMARY KEY,
  known   INTEGER NOT NULL CHECK (known IN (0, 1)),
  at_ms   INTEGER NOT NULL,
  how     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX learned_at ON learned (known, at_ms);

-- ------------------------------------------------------------------ what is true after every statement

-- A new domain, or a corrected hint: there is a queue for its site.
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

-- A queue is due when the first of its domains is.
CREATE TRIGGER domain_changes_turn AFTER UPDATE OF next_due_ms ON domain
WHEN new.next_due_ms IS NOT old.next_due_ms BEGIN
  UPDATE queue SET next_due_ms = (
      SELECT next_due_ms FROM domain
      WHERE lane = new.lane AND site = new.site AND next_due_ms IS NOT NULL ORDER BY next_due_ms LIMIT 1)
    WHERE lane = new.lane AND site = new.site;
END;

CREATE TRIGGER delivery_is_new AFTER INSERT ON delivery BEGIN
  INSERT INTO tally (domain, state, deliveries, octets) VALUES (new.domain, new.state, 1, new.octets)
    ON CONFLICT (domain, state) DO UPDATE SET deliveries = deliveries + 1, octets = octets + excluded.octets;
END;

-- A domain's turn is never later than its earliest waiting delivery, pauses apart. Claims put it right
-- the other way, once per batch instead of once per row.
CREATE TRIGGER delivery_comes_to_wait AFTER INSERT ON delivery WHEN new.state = 'waiting' BEGIN
  UPDATE domain SET next_due_ms = max(new.due_ms, paused_until_ms)
    WHERE id = new.domain AND (next_due_ms IS NULL OR next_due_ms > max(new.due_ms, paused_until_ms));
END;

CREATE TRIGGER delivery_waits_again AFTER UPDATE OF state, due_ms, domain ON delivery WHEN new.state = 'waiting' BEGIN
  UPDATE domain SET next_due_ms = max(new.due_ms, paused_until_ms)
    WHERE id = new.domain AND (next_due_ms IS NULL OR next_due_ms > max(new.due_ms, paused_until_ms));
END;

CREATE TRIGGER delivery_is_counted_anew AFTER UPDATE OF state, domain ON delivery
WHEN new.domain <> old.domain OR iif(new.fence IS NULL, new.state, 'waiting') <> iif(old.fence IS NULL, old.state, 'waiting')
BEGIN
  UPDATE tally SET deliveries = deliveries - 1, octets = octets - old.octets
    WHERE domain = old.domain AND state = iif(old.fence IS NULL, old.state, 'waiting');
  INSERT INTO tally (domain, state, deliveries, octets)
    SELECT new.domain, iif(new.fence IS NULL, new.state, 'waiting'), 1, new.octets WHERE new.ended_ms IS NULL
    ON CONFLICT (domain, state) DO UPDATE SET deliveries = deliveries + 1, octets = octets + excluded.octets;
END;

-- The octets of a message lie on one of its deliveries at a domain, as long as one needs them.
CREATE TRIGGER delivery_leaves_octets AFTER UPDATE OF ended_ms, domain ON delivery
WHEN old.octets > 0 AND (new.ended_ms IS NOT NULL OR new.domain <> old.domain) AND EXISTS (
  SELECT 1 FROM delivery WHERE message = old.message AND domain = old.domain AND ended_ms IS NULL AND octets = 0)
BEGIN
  UPDATE tally SET octets = octets + old.octets WHERE domain = old.domain AND state = (
    SELECT iif(fence IS NULL, state, 'waiting') FROM delivery
    WHERE message = old.message AND domain = old.domain AND ended_ms IS NULL AND octets = 0 ORDER BY number LIMIT 1);
  UPDATE delivery SET octets = old.octets WHERE message = old.message AND number = (
    SELECT number FROM delivery
    WHERE message = old.message AND domain = old.domain AND ended_ms IS NULL AND octets = 0 ORDER BY number LIMIT 1);
END;

-- Content goes with the last delivery that needs it; a file after the commit. An issue keeps its content, and is
-- not looked through for every reader who has it.
CREATE TRIGGER delivery_was_the_last AFTER UPDATE OF ended_ms ON delivery
WHEN new.ended_ms IS NOT NULL AND new.issue IS NULL
  AND NOT EXISTS (SELECT 1 FROM delivery WHERE message = new.message AND ended_ms IS NULL)
BEGIN
  UPDATE message SET ended_ms = new.ended_ms WHERE id = new.message;
  DELETE FROM content WHERE message = new.message;
  INSERT INTO leaving_file (name)
    SELECT file FROM message WHERE id = new.message AND file IS NOT NULL ON CONFLICT DO NOTHING;
END;

-- What `trace` tells: what an attempt came to, when it was not a delivery.
CREATE TRIGGER delivery_goes_wrong AFTER UPDATE OF state ON delivery
WHEN old.fence IS NOT NULL AND new.state IN ('waiting', 'kept', 'failed', 'expired', 'unknown')
  AND (new.attempts > old.attempts OR new.state <> 'waiting')
BEGIN
  INSERT INTO event (message, number, at_ms, what, detail) VALUES (
    new.message, new.number, new.last_ms, iif(new.state = 'waiting', 'deferred', new.state),
    trim(new.cause || ' ' || new.host || ' ' || new.reply));
END;

CREATE TRIGGER delivery_is_in_doubt AFTER UPDATE OF maybe_duplicate ON delivery
WHEN new.maybe_duplicate > old.maybe_duplicate AND old.state <> 'unknown' BEGIN
  INSERT INTO event (message, number, at_ms, what, detail) VALUES (
    new.message, new.number, new.last_ms, 'maybe-duplicate',
    iif(new.attempts > old.attempts, trim(new.host || ' gave no answer'), 'the process that had claimed it died'));
END;

CREATE TRIGGER event_has_bound AFTER INSERT ON event BEGIN
  DELETE FROM event WHERE id = (
    SELECT id FROM event WHERE message = new.message AND number = new.number ORDER BY id DESC LIMIT 1 OFFSET 100);
END;
