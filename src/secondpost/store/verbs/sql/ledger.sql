-- Queries of the ledger: feeds and articles.

-- name: feed_columns
-- Part of other queries: the columns of a feed.
SELECT newsletter, url, etag, last_modified, identity, title, last_fetch_ms, last_good_ms, last_read_ms, finding,
       baseline_done, left_out, validators_url, location, next_fetch_ms, not_before_ms, refresh_ms, hub, topic,
       push_token, push_secret, push_asked_ms
FROM feed;

-- name: feed
-- What is known of a feed.
{feed_columns} WHERE newsletter = ?1 AND url = ?2;

-- name: feed_of_push
-- The feed whose hub calls us with a token.
{feed_columns} WHERE push_token = ?1 AND push_token <> '';

-- name: note_push
-- Have the feed of a token fetched at ?2, if it would be later.
UPDATE feed SET next_fetch_ms = ?2 WHERE push_token = ?1 AND push_token <> '' AND next_fetch_ms > ?2;

-- name: distrusted
-- Guids of a feed that are not trusted.
SELECT guid FROM distrusted_guid WHERE newsletter = ?1 AND url = ?2;

-- name: write_feed
-- Record what is known of a feed.
INSERT INTO feed (newsletter, url, etag, last_modified, identity, title, last_fetch_ms, last_good_ms,
                  last_read_ms, finding, baseline_done, left_out, validators_url, location, next_fetch_ms,
                  not_before_ms, refresh_ms, hub, topic, push_token, push_secret, push_asked_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
ON CONFLICT (newsletter, url) DO UPDATE SET
  etag = excluded.etag, last_modified = excluded.last_modified, identity = excluded.identity,
  title = excluded.title, last_fetch_ms = excluded.last_fetch_ms, last_good_ms = excluded.last_good_ms,
  last_read_ms = excluded.last_read_ms, finding = excluded.finding, baseline_done = excluded.baseline_done,
  left_out = excluded.left_out, validators_url = excluded.validators_url, location = excluded.location,
  next_fetch_ms = excluded.next_fetch_ms, not_before_ms = excluded.not_before_ms,
  refresh_ms = excluded.refresh_ms, hub = excluded.hub,
  topic = excluded.topic, push_token = excluded.push_token, push_secret = excluded.push_secret,
  push_asked_ms = excluded.push_asked_ms;

-- name: distrust
-- Distrust a guid that was given to two articles.
INSERT INTO distrusted_guid (newsletter, url, guid) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING;

-- name: add_article
-- Add an article, unless the feed already has its guid, or, without a guid, its link and words:
-- another process may have added it meanwhile.
INSERT INTO article (newsletter, url, guid, link, canonical_link, fingerprint, title, summary, html, author,
                     published_ms, first_seen_ms, last_seen_ms, good_fetches, state, reason, feed_place, language,
                     picture)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, 1, ?13, ?14, ?15, ?16, ?17
WHERE ?3 <> '' OR NOT EXISTS (
  SELECT 1 FROM article
  WHERE newsletter = ?1 AND url = ?2 AND guid = '' AND canonical_link = ?5 AND fingerprint = ?6)
ON CONFLICT DO NOTHING;

-- name: see_again
-- Update a known article that was in the feed again: its content until an issue takes it, its guid
-- and link always. A guid of another article of the feed is not taken over. An article of a feed that the
-- newsletter no longer has becomes one of this feed.
UPDATE article SET
  last_seen_ms = ?3, good_fetches = good_fetches + 1, url = ?16,
  guid = CASE WHEN (state = 'taken' AND ?4 = '') OR EXISTS (
      SELECT 1 FROM article AS other
      WHERE other.newsletter = article.newsletter AND other.url = ?16 AND other.guid = ?4
        AND other.guid <> '' AND other.id <> article.id) THEN
    CASE WHEN url <> ?16 AND EXISTS (
      SELECT 1 FROM article AS namesake
      WHERE namesake.newsletter = article.newsletter AND namesake.url = ?16 AND namesake.guid = article.guid)
    THEN '' ELSE guid END
  ELSE ?4 END,
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
-- Move an article to another state after reading its feed, unless the table of its states has no
-- such edge or the owner took it.
UPDATE article SET state = ?3, reason = ?4
WHERE id = ?1 AND newsletter = ?2 AND NOT (state = 'waiting' AND reason = ?5) AND (
  (?3 = 'waiting' AND state IN ({sources article waiting feed}))
  OR (?3 = 'held' AND state IN ({sources article held feed})));

-- name: goes_by_hand
-- Part of other queries: the owner may move the article to the chosen state.
(chosen.state = 'waiting' AND article.state IN ({sources article waiting owner}))
  OR (chosen.state = 'skipped' AND article.state IN ({sources article skipped owner}));

-- name: movable
-- How many of the chosen articles belong to the newsletter and may be moved by the owner.
-- set: chosen (id integer, state text, reason text)
SELECT count(*) FROM chosen /*+ CROSS */ JOIN article ON article.id = chosen.id
WHERE article.newsletter = ?1 AND ({goes_by_hand});

-- name: move_by_hand
-- Move the chosen articles by the owner's decision.
-- set: chosen (id integer, state text, reason text)
UPDATE article SET state = chosen.state, reason = chosen.reason
FROM chosen
WHERE article.id = chosen.id AND article.newsletter = ?1 AND ({goes_by_hand});

-- name: count
-- The number of articles in a state.
SELECT count(*) FROM article WHERE newsletter = ?1 AND state = ?2;

-- name: causes_held
-- The reasons of held articles.
SELECT DISTINCT reason FROM article WHERE newsletter = ?1 AND state = 'held';

-- name: selected
-- Part of other queries: the columns of an article.
SELECT id, newsletter, url, guid, link, title, summary, html, author, published_ms, fingerprint, canonical_link,
       first_seen_ms, last_seen_ms, good_fetches, state, issue, reason, feed_place, language, picture
FROM article;

-- name: entry
-- An article by id.
{selected} WHERE id = ?1;

-- name: entries_by_guid
-- Articles of a feed with one of the chosen guids.
-- set: chosen (guid text)
{selected} WHERE newsletter = ?1 AND url = ?2 AND guid <> '' AND guid IN (SELECT guid FROM chosen) ORDER BY id;

-- name: entries_by_link
-- Articles of a newsletter with one of the chosen links.
-- set: chosen (link text)
{selected} WHERE newsletter = ?1 AND canonical_link IN (SELECT link FROM chosen) ORDER BY id;

-- name: entries_by_fingerprint
-- Articles of a newsletter with one of the chosen fingerprints.
-- set: chosen (fingerprint text)
{selected} WHERE newsletter = ?1 AND fingerprint IN (SELECT fingerprint FROM chosen) ORDER BY id;

-- name: first_entries
-- The first ?3 articles in a state.
{selected} WHERE newsletter = ?1 AND state = ?2 ORDER BY id LIMIT ?3;

-- name: latest_entries
-- The last ?3 articles in a state, newest first.
{selected} WHERE newsletter = ?1 AND state = ?2 ORDER BY id DESC LIMIT ?3;

-- name: entries_of_issue
-- The articles of an issue, in its order.
{selected} WHERE issue = ?1 ORDER BY place;

-- name: standing
-- The last ?4 articles of a feed seen in it at or after ?3, newest first.
{selected} WHERE newsletter = ?1 AND url = ?2 AND last_seen_ms >= ?3 ORDER BY id DESC LIMIT ?4;
