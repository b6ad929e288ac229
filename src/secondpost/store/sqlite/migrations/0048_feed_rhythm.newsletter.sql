-- newsletter.db: where a feed is and which URL gave its validators, when it is fetched next, and the hub that
-- says when it has changed (WebSub). The table is made anew: each column added by itself has SQLite read the whole
-- schema again.
CREATE TABLE feed_before AS SELECT * FROM feed;
DROP TABLE feed;
CREATE TABLE feed (
  newsletter     TEXT    NOT NULL,
  url            TEXT    NOT NULL,
  etag           TEXT    NOT NULL,
  last_modified  TEXT    NOT NULL,
  validators_url TEXT    NOT NULL DEFAULT '',
  identity       TEXT    NOT NULL,
  title          TEXT    NOT NULL,
  last_fetch_ms  INTEGER,
  last_good_ms   INTEGER,
  last_read_ms   INTEGER,
  finding        TEXT    NOT NULL,
  baseline_done  INTEGER NOT NULL CHECK (baseline_done IN (0, 1)),
  left_out       TEXT    NOT NULL DEFAULT '',
  location       TEXT    NOT NULL DEFAULT '', -- as last believed; '' before the first reading
  next_fetch_ms  INTEGER,                     -- by its rhythm
  not_before_ms  INTEGER,                     -- as its server asks
  refresh_ms     INTEGER NOT NULL DEFAULT 0,  -- as the feed asks; 0: not stated
  hub            TEXT    NOT NULL DEFAULT '',
  topic          TEXT    NOT NULL DEFAULT '',
  push_token     TEXT    NOT NULL DEFAULT '', -- in the URL that the hub calls
  push_secret    TEXT    NOT NULL DEFAULT '', -- with which it signs
  push_asked_ms  INTEGER,
  PRIMARY KEY (newsletter, url)
) STRICT, WITHOUT ROWID;
INSERT INTO feed (newsletter, url, etag, last_modified, validators_url, identity, title, last_fetch_ms, last_good_ms,
  last_read_ms, finding, baseline_done, left_out)
SELECT newsletter, url, etag, last_modified, CASE WHEN etag <> '' OR last_modified <> '' THEN url ELSE '' END, identity, title,
  last_fetch_ms, last_good_ms, last_read_ms, finding, baseline_done, left_out FROM feed_before;
DROP TABLE feed_before;
CREATE UNIQUE INDEX feed_pushed ON feed (push_token) WHERE push_token <> '';
