-- newsletter.db alone: readers, what they agreed to, the ledger of articles, issues. docs/store.md tells what for.
-- A newsletter is its name; "" among the suppressed means all of them.

-- The key of the hashes by which an address is known among the suppressed.
CREATE TABLE secret (
  name TEXT PRIMARY KEY,
  data BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO secret (name, data) VALUES ('suppression', randomblob(32));

-- ------------------------------------------------------------------ people

-- What somebody agreed to; those of one import share theirs.
CREATE TABLE consent (
  id     INTEGER PRIMARY KEY,
  place  TEXT    NOT NULL,
  how    TEXT    NOT NULL,
  text   TEXT    NOT NULL,
  at_ms  INTEGER NOT NULL,
  prefix TEXT    NOT NULL
) STRICT;

-- One row per newsletter and address. `since_event` is not above the number of the event that led to the state,
-- and above all events of transactions before that one.
CREATE TABLE subscriber (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  newsletter  TEXT    NOT NULL,
  key         TEXT    NOT NULL,
  mailbox     TEXT    NOT NULL,            -- as it was given
  domain      INTEGER NOT NULL,            -- in lane issues
  hash        BLOB    NOT NULL,
  state       TEXT    NOT NULL CHECK (state IN ('pending', 'active', 'left', 'suspended', 'complained')),
  since_ms    INTEGER NOT NULL,
  since_event INTEGER NOT NULL,
  created_ms  INTEGER NOT NULL,
  consent     INTEGER,
  attributes  TEXT,                        -- [[name, value], …]
  UNIQUE (newsletter, key),
  CHECK (state <> 'active' OR consent IS NOT NULL)
) STRICT;
CREATE INDEX subscriber_of ON subscriber (newsletter, id);
CREATE INDEX subscriber_pending ON subscriber (since_ms) WHERE state = 'pending';

CREATE TABLE reader_tally (
  newsletter TEXT    NOT NULL,
  state      TEXT    NOT NULL,
  readers    INTEGER NOT NULL,
  PRIMARY KEY (newsletter, state)
) STRICT, WITHOUT ROWID;

-- What happened to readers. Numbers are never given twice: an audience is "active after event N".
CREATE TABLE reader_event (
  number     INTEGER PRIMARY KEY AUTOINCREMENT,
  subscriber INTEGER NOT NULL,
  at_ms      INTEGER NOT NULL,
  what       TEXT    NOT NULL,
  state      TEXT    NOT NULL,             -- after it
  detail     TEXT    NOT NULL,
  consent    INTEGER,
  evidence   INTEGER                       -- the queue id of the mail that it comes from: it counts once
) STRICT;
CREATE INDEX reader_event_of ON reader_event (subscriber, number);
CREATE UNIQUE INDEX reader_event_evidence ON reader_event (evidence) WHERE evidence IS NOT NULL;

CREATE TABLE bounce (
  evidence   INTEGER PRIMARY KEY,
  subscriber INTEGER NOT NULL,
  issue      INTEGER,
  at_ms      INTEGER NOT NULL,
  kind       TEXT    NOT NULL,
  status     TEXT    NOT NULL,
  text       TEXT    NOT NULL
) STRICT;
CREATE INDEX bounce_of ON bounce (subscriber, at_ms);

-- Addresses that get nothing; the address itself is not kept.
CREATE TABLE suppression (
  hash       BLOB    NOT NULL,
  newsletter TEXT    NOT NULL,
  reason     TEXT    NOT NULL CHECK (reason IN ('owner', 'erased', 'complained', 'imported')),
  at_ms      INTEGER NOT NULL,
  evidence   TEXT    NOT NULL,
  PRIMARY KEY (hash, newsletter)
) STRICT, WITHOUT ROWID;
CREATE INDEX suppression_of ON suppression (newsletter);

-- Recent sign-ups by the network that they came from.
CREATE TABLE sign_up (
  prefix TEXT    NOT NULL,
  at_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_up_of ON sign_up (prefix, at_ms);
CREATE INDEX sign_up_at ON sign_up (at_ms);

-- ------------------------------------------------------------------ articles

CREATE TABLE feed (
  newsletter    TEXT    NOT NULL,
  url           TEXT    NOT NULL,
  etag          TEXT    NOT NULL,
  last_modified TEXT    NOT NULL,
  identity      TEXT    NOT NULL,
  title         TEXT    NOT NULL,
  last_fetch_ms INTEGER,
  last_good_ms  INTEGER,
  finding       TEXT    NOT NULL,
  baseline_done INTEGER NOT NULL CHECK (baseline_done IN (0, 1)),
  PRIMARY KEY (newsletter, url)
) STRICT, WITHOUT ROWID;

CREATE TABLE distrusted_guid (
  newsletter TEXT NOT NULL,
  url        TEXT NOT NULL,
  guid       TEXT NOT NULL,
  PRIMARY KEY (newsletter, url, guid)
) STRICT, WITHOUT ROWID;

-- Every article that was ever seen. None is deleted; each is in one issue at most.
CREATE TABLE article (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  newsletter     TEXT    NOT NULL,
  url            TEXT    NOT NULL,         -- of its feed
  guid           TEXT    NOT NULL,
  link           TEXT    NOT NULL,
  canonical_link TEXT    NOT NULL,
  fingerprint    TEXT    NOT NULL,
  title          TEXT    NOT NULL,
  summary        TEXT    NOT NULL,
  html           TEXT    NOT NULL,
  author         TEXT    NOT NULL,
  published_ms   INTEGER,
  first_seen_ms  INTEGER NOT NULL,
  last_seen_ms   INTEGER NOT NULL,
  good_fetches   INTEGER NOT NULL,
  state          TEXT    NOT NULL CHECK (state IN ('seen', 'waiting', 'held', 'skipped', 'taken')),
  reason         TEXT    NOT NULL,
  issue          INTEGER,
  place          INTEGER,                  -- in the issue, from 1
  CHECK ((state = 'taken') = (issue IS NOT NULL)),
  CHECK ((issue IS NULL) = (place IS NULL)),
  UNIQUE (issue, place)
) STRICT;
CREATE UNIQUE INDEX article_guid ON article (newsletter, url, guid) WHERE guid <> '';
CREATE INDEX article_link ON article (newsletter, canonical_link);
CREATE INDEX article_fingerprint ON article (newsletter, fingerprint);
CREATE INDEX article_state ON article (newsletter, state, id);

-- ------------------------------------------------------------------ issues

-- An empty issue cannot be written: neither a digest of fewer articles than the minimum, nor a letter without
-- words. `event` is the last event before the audience was fixed; `fence` the lease under which it freezes.
CREATE TABLE issue (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  newsletter    TEXT    NOT NULL,
  number        INTEGER NOT NULL CHECK (number >= 1),
  kind          TEXT    NOT NULL CHECK (kind IN ('digest', 'letter')),
  state         TEXT    NOT NULL CHECK (state IN ('open', 'freezing', 'frozen', 'sending', 'done', 'stopped')),
  slot          TEXT    NOT NULL,
  message       INTEGER NOT NULL UNIQUE,
  subject       TEXT    NOT NULL DEFAULT '',
  body          TEXT    NOT NULL,
  article_count INTEGER NOT NULL,
  minimum       INTEGER NOT NULL,
  has_content   INTEGER NOT NULL DEFAULT 0 CHECK (has_content IN (0, 1)),
  created_ms    INTEGER NOT NULL,
  event         INTEGER,
  planned       INTEGER NOT NULL DEFAULT 0,
  fence         INTEGER,
  frozen_upto   INTEGER NOT NULL DEFAULT 0,  -- the last subscriber that was looked at
  sent_upto     INTEGER NOT NULL DEFAULT 0,  -- the last whose row may be claimed
  start_ms      INTEGER,
  finished_ms   INTEGER,
  reason        TEXT    NOT NULL DEFAULT '',
  UNIQUE (newsletter, number),
  UNIQUE (newsletter, slot),
  CHECK (kind <> 'digest' OR (article_count >= minimum AND minimum >= 1)),
  CHECK (kind <> 'letter' OR trim(body, ' ' || char(9, 10, 13)) <> ''),
  CHECK (state = 'open' OR state = 'stopped' OR has_content = 1),
  CHECK (fence IS NULL OR state = 'freezing'),
  CHECK (state NOT IN ('frozen', 'sending', 'done') OR start_ms IS NOT NULL),
  CHECK ((state IN ('done', 'stopped')) = (finished_ms IS NOT NULL))
) STRICT;
-- One issue of a newsletter at a time: the next is not frozen while one is under way.
CREATE UNIQUE INDEX issue_under_way ON issue (newsletter) WHERE state IN ('freezing', 'frozen', 'sending');
CREATE INDEX issue_unfinished ON issue (id) WHERE state NOT IN ('done', 'stopped');

-- What came of each time at which an issue was to go out.
CREATE TABLE slot (
  id         INTEGER PRIMARY KEY,
  newsletter TEXT    NOT NULL,
  key        TEXT    NOT NULL,
  outcome    TEXT    NOT NULL CHECK (outcome IN ('issued', 'skipped', 'held', 'missed')),
  at_ms      INTEGER NOT NULL,
  reason     TEXT    NOT NULL,
  issue      INTEGER UNIQUE,
  UNIQUE (newsletter, key),
  CHECK ((outcome = 'issued') = (issue IS NOT NULL))
) STRICT;

-- The foreword of the next digest.
CREATE TABLE note (
  newsletter TEXT PRIMARY KEY,
  text       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How many of an issue's deliveries are in which state; `claimed` counts as `waiting`.
CREATE TABLE issue_tally (
  issue      INTEGER NOT NULL,
  state      TEXT    NOT NULL,
  deliveries INTEGER NOT NULL,
  PRIMARY KEY (issue, state)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX delivery_of_subscriber ON delivery (subscriber, issue) WHERE subscriber IS NOT NULL;

-- ------------------------------------------------------------------ what is true after every statement

CREATE TRIGGER reader_comes AFTER INSERT ON subscriber BEGIN
  INSERT INTO reader_tally (newsletter, state, readers) VALUES (new.newsletter, new.state, 1)
    ON CONFLICT (newsletter, state) DO UPDATE SET readers = readers + 1;
END;

CREATE TRIGGER reader_changes AFTER UPDATE OF state ON subscriber WHEN new.state <> old.state BEGIN
  UPDATE reader_tally SET readers = readers - 1 WHERE newsletter = old.newsletter AND state = old.state;
  INSERT INTO reader_tally (newsletter, state, readers) VALUES (new.newsletter, new.state, 1)
    ON CONFLICT (newsletter, state) DO UPDATE SET readers = readers + 1;
END;

CREATE TRIGGER reader_goes AFTER DELETE ON subscriber BEGIN
  UPDATE reader_tally SET readers = readers - 1 WHERE newsletter = old.newsletter AND state = old.state;
END;

CREATE TRIGGER issue_gets_delivery AFTER INSERT ON delivery WHEN new.issue IS NOT NULL BEGIN
  INSERT INTO issue_tally (issue, state, deliveries) VALUES (new.issue, new.state, 1)
    ON CONFLICT (issue, state) DO UPDATE SET deliveries = deliveries + 1;
END;

CREATE TRIGGER issue_is_counted_anew AFTER UPDATE OF state ON delivery
WHEN new.issue IS NOT NULL AND replace(new.state, 'claimed', 'waiting') <> replace(old.state, 'claimed', 'waiting')
BEGIN
  UPDATE issue_tally SET deliveries = deliveries - 1
    WHERE issue = new.issue AND state = replace(old.state, 'claimed', 'waiting');
  INSERT INTO issue_tally (issue, state, deliveries) VALUES (new.issue, replace(new.state, 'claimed', 'waiting'), 1)
    ON CONFLICT (issue, state) DO UPDATE SET deliveries = deliveries + 1;
END;

-- The sweep of a freeze that died takes its rows away.
CREATE TRIGGER issue_loses_delivery AFTER DELETE ON delivery WHEN old.state = 'frozen' BEGIN
  UPDATE issue_tally SET deliveries = deliveries - 1 WHERE issue = old.issue AND state = 'frozen';
  UPDATE tally SET deliveries = deliveries - 1 WHERE domain = old.domain AND state = 'frozen';
END;

-- No digest leaves without its articles.
CREATE TRIGGER issue_is_whole BEFORE UPDATE OF state ON issue
WHEN new.state = 'freezing' AND new.kind = 'digest'
  AND new.article_count <> (SELECT count(*) FROM article WHERE issue = new.id)
BEGIN
  SELECT raise(ABORT, 'the issue does not have its articles');
END;
