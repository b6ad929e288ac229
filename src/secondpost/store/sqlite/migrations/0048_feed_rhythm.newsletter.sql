-- newsletter.db: where a feed is and which URL gave its validators, when it is fetched next, and the hub that
-- says when it has changed (WebSub).
ALTER TABLE feed ADD COLUMN validators_url TEXT NOT NULL DEFAULT '';
ALTER TABLE feed ADD COLUMN location TEXT NOT NULL DEFAULT '';     -- as last believed; '' before the first reading
ALTER TABLE feed ADD COLUMN next_fetch_ms INTEGER;                 -- by its rhythm
ALTER TABLE feed ADD COLUMN not_before_ms INTEGER;                 -- as its server asks
ALTER TABLE feed ADD COLUMN refresh_ms INTEGER NOT NULL DEFAULT 0; -- as the feed asks; 0: not stated
ALTER TABLE feed ADD COLUMN hub TEXT NOT NULL DEFAULT '';
ALTER TABLE feed ADD COLUMN topic TEXT NOT NULL DEFAULT '';
ALTER TABLE feed ADD COLUMN push_token TEXT NOT NULL DEFAULT '';   -- in the URL that the hub calls
ALTER TABLE feed ADD COLUMN push_secret TEXT NOT NULL DEFAULT '';  -- with which it signs
ALTER TABLE feed ADD COLUMN push_asked_ms INTEGER;
CREATE UNIQUE INDEX feed_pushed ON feed (push_token) WHERE push_token <> '';
UPDATE feed SET validators_url = url WHERE etag <> '' OR last_modified <> '';
