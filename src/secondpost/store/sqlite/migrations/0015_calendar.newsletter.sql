-- newsletter.db: the calendar by which a newsletter goes, and since when: no earlier time is one of its slots. Of an
-- article, where it stands in its feed and in which language it is written.

CREATE TABLE calendar (
  newsletter TEXT    PRIMARY KEY,
  every      TEXT    NOT NULL,  -- as configured; "" where only the time since is known
  timezone   TEXT    NOT NULL,
  since_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A newsletter that was looked at before goes on: a slot that comes during the upgrade is not lost.
INSERT INTO calendar (newsletter, every, timezone, since_ms)
SELECT newsletter, '', '', 0 FROM feed WHERE last_fetch_ms IS NOT NULL
UNION SELECT newsletter, '', '', 0 FROM slot;

ALTER TABLE article ADD COLUMN feed_place INTEGER NOT NULL DEFAULT 0;  -- the first is 0
ALTER TABLE article ADD COLUMN language TEXT NOT NULL DEFAULT '';      -- BCP 47; '' when the feed says none
