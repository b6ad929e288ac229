-- What stood in a feed at its last reading can be asked for, and the owner hears once of what is held.

-- Of the last document that was believed; a 304 is none. Whatever is not waiting was last seen in one.
ALTER TABLE feed ADD COLUMN last_read_ms INTEGER;
CREATE INDEX article_standing ON article (newsletter, url, last_seen_ms);
UPDATE feed SET last_read_ms = coalesce(
  (SELECT max(last_seen_ms) FROM article
   WHERE article.newsletter = feed.newsletter AND article.url = feed.url AND state <> 'waiting'),
  last_good_ms);

-- Why articles are held, so far as an alarm has said so; the row goes when none is held for that cause.
CREATE TABLE held_alarm (
  newsletter TEXT NOT NULL,
  cause      TEXT NOT NULL,
  PRIMARY KEY (newsletter, cause)
) STRICT, WITHOUT ROWID;
