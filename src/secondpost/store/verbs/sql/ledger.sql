-- Queries of the ledger: feeds and articles.

-- name: feed
-- What is known of a feed.
SELECT etag, last_modified, identity, title, last_fetch_ms, last_good_ms, last_read_ms, finding,
       baseline_done, left_out
FROM feed WHERE newsletter = ?1 AND url = ?2;

-- name: distrusted
-- Guids of a feed that are not to be believed.
SELECT guid FROM distrusted_guid WHERE newsletter = ?1 AND url = ?2;

-- name: write_feed
-- What is known of a feed now.
INSERT INTO feed (newsletter, url, etag, last_modified, identity, title, last_fetch_ms, last_good_ms,
                  last_read_ms, finding, baseline_done, left_out)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
ON CONFLICT (newsletter, url) DO UPDATE SET
  etag = excluded.etag, last_modified = excluded.last_modified, identity = excluded.identity,
  title = excluded.title, last_fetch_ms = excluded.last_fetch_ms, last_good_ms = excluded.last_good_ms,
  last_read_ms = excluded.last_read_ms, finding = excluded.finding, baseline_done = excluded.baseline_done,
  left_out = excluded.left_out;

-- name: distrust
-- A guid was given to two articles: it stays distrusted.
INSERT INTO distrusted_guid (newsletter, url, guid) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING;

-- name: add_article
-- An article is seen for the first time; one with a guid that the feed has given before is known already, and so
-- is one without that has its link and its words: another process may have looked at the same moment.
INSERT INTO article (newsletter, url, guid, link, canonical_link, fingerprint, title, summary, html, author,
                     published_ms, first_seen_ms, last_seen_ms, good_fetches, state, reason, feed_place, language,
                     picture)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, 1, ?13, ?14, ?15, ?16, ?17
WHERE ?3 <> '' OR NOT EXISTS (
  SELECT 1 FROM article
  WHERE newsletter = ?1 AND url = ?2 AND guid = '' AND canonical_link = ?5 AND fingerprint = ?6)
ON CONFLICT DO NOTHING;

-- name: see_again
-- A known article stood in the feed again; what it says is followed until an issue has taken it, and what it is
-- known by also after that. A guid that another article of the feed has is not taken over.
UPDATE article SET
  last_seen_ms = ?3, good_fetches = good_fetches + 1,
  guid = CASE WHEN (state = 'taken' AND ?4 = '') OR EXISTS (
      SELECT 1 FROM article AS other
      WHERE other.newsletter = article.newsletter AND other.url = article.url AND other.guid = ?4
        AND other.guid <> '' AND other.id <> article.id) THEN guid ELSE ?4 END,
  canonical_link = CASE WHEN ?15 = '' THEN canonical_link ELSE ?15 END,
  link = CASE WHEN state = 'taken' THEN link ELSE ?5 END,
  fingerprint = CASE WHEN state = 'taken' THEN fingerprint ELSE ?6 END,
  title = CASE WHEN state = 'taken' THEN title ELSE ?7 END,
  summary = CASE WHEN state = 'taken' THEN summary ELSE ?8 END,
  html = CASE WHEN state = 'taken' THEN html ELSE ?9 END,
  author = CASE WHEN state = 'taken' THEN author ELSE ?10 END,
  published_ms = CASE WHEN state = 'taken' THEN published_ms ELSE ?11 END,
  feed_place = ?12,
  language = CASE WHEN state = 'taken' THEN language ELSE ?13 END,
  picture = CASE WHEN state = 'taken' THEN picture ELSE ?14 END
WHERE id = ?1 AND newsletter = ?2;

-- name: move_article
-- By a look at its feed: an article that is in no issue goes to another state, unless the owner took it.
UPDATE article SET state = ?3, reason = ?4
WHERE id = ?1 AND newsletter = ?2 AND state <> 'taken' AND NOT (state = 'waiting' AND reason = ?5);

-- name: movable
-- How many of the chosen articles are the newsletter's, and in no issue.
-- set: chosen (id integer)
SELECT count(*) FROM article WHERE newsletter = ?1 AND state <> 'taken' AND id IN (SELECT id FROM chosen);

-- name: move_by_hand
-- By the owner.
-- set: chosen (id integer, state text, reason text)
UPDATE article SET state = chosen.state, reason = chosen.reason
FROM chosen
WHERE article.id = chosen.id AND article.newsletter = ?1 AND article.state <> 'taken';

-- name: count
-- Articles in a state.
SELECT count(*) FROM article WHERE newsletter = ?1 AND state = ?2;

-- name: causes_held
-- Why articles are held.
SELECT DISTINCT reason FROM article WHERE newsletter = ?1 AND state = 'held';

-- name: causes_alarmed
-- The reasons that an alarm has named.
SELECT cause FROM held_alarm WHERE newsletter = ?1;

-- name: forget_causes_alarmed
-- All of them.
DELETE FROM held_alarm WHERE newsletter = ?1;

-- name: add_cause_alarmed
-- One more.
INSERT INTO held_alarm (newsletter, cause) VALUES (?1, ?2);

-- name: selected
-- Articles: a part of the queries below.
SELECT id, newsletter, url, guid, link, title, summary, html, author, published_ms, fingerprint, canonical_link,
       first_seen_ms, last_seen_ms, good_fetches, state, issue, reason, feed_place, language, picture
FROM article;

-- name: entry
-- One article.
{selected} WHERE id = ?1;

-- name: entries_by_guid
-- Those of a feed that have one of the chosen guids.
-- set: chosen (guid text)
{selected} WHERE newsletter = ?1 AND url = ?2 AND guid <> '' AND guid IN (SELECT guid FROM chosen) ORDER BY id;

-- name: entries_by_link
-- Those of a newsletter that have one of the chosen links.
-- set: chosen (link text)
{selected} WHERE newsletter = ?1 AND canonical_link IN (SELECT link FROM chosen) ORDER BY id;

-- name: entries_by_fingerprint
-- Those of a newsletter that have the words of one of the chosen.
-- set: chosen (fingerprint text)
{selected} WHERE newsletter = ?1 AND fingerprint IN (SELECT fingerprint FROM chosen) ORDER BY id;

-- name: first_entries
-- The first ?3 in a state.
{selected} WHERE newsletter = ?1 AND state = ?2 ORDER BY id LIMIT ?3;

-- name: latest_entries
-- The last ?3 in a state, newest first.
{selected} WHERE newsletter = ?1 AND state = ?2 ORDER BY id DESC LIMIT ?3;

-- name: entries_of_issue
-- Those of an issue, in their order.
{selected} WHERE issue = ?1 ORDER BY place;

-- name: standing
-- The last ?4 of a feed that were seen in it at ?3 or later, newest first.
{selected} WHERE newsletter = ?1 AND url = ?2 AND last_seen_ms >= ?3 ORDER BY id DESC LIMIT ?4;
