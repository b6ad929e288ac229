-- Queries about the names of newsletters.

-- name: known
-- Newsletters that have readers or issues, other than those named: how many readers are active, how many there are, and how many issues.
-- set: named (name text)
SELECT name, sum(active), sum(readers), sum(issues) FROM (
  SELECT newsletter AS name, CASE WHEN state = 'active' THEN readers ELSE 0 END AS active, readers, 0 AS issues
  FROM reader_tally WHERE readers > 0
  UNION ALL SELECT newsletter, 0, 0, count(*) FROM issue GROUP BY newsletter) AS counted
WHERE name NOT IN (SELECT name FROM named) AND name NOT IN (SELECT name FROM retired_newsletter)
GROUP BY name ORDER BY name;

-- name: names
-- All newsletters of which there is anything about people.
SELECT DISTINCT newsletter FROM reader_tally WHERE readers > 0
UNION SELECT newsletter FROM issue UNION SELECT newsletter FROM suppression WHERE newsletter <> '' ORDER BY 1;

-- name: retire
-- The owner has given a newsletter up.
INSERT INTO retired_newsletter (name, at_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: not_retired
-- It goes on, under another name.
DELETE FROM retired_newsletter WHERE name = ?1;

-- name: former_names
-- Names that newsletters had.
SELECT name, now, is_done FROM former_name ORDER BY at_ms, name;

-- name: now_named
-- What a newsletter is called now.
SELECT now FROM former_name WHERE name = ?1;

-- name: former
-- How far the rename of a newsletter has come.
SELECT now, clears, is_done FROM former_name WHERE name = ?1;

-- name: being_renamed
-- One row while the newsletter is being moved, from or to this name.
SELECT 1 FROM former_name WHERE is_done = 0 AND (name = ?1 OR now = ?1);

-- name: half_done
-- Another rename that one of two newsletters has a part in, and that is not done.
SELECT name, now FROM former_name
WHERE is_done = 0 AND (name <> ?1 OR now <> ?2) AND (name IN (?1, ?2) OR now IN (?1, ?2));

-- name: under_way
-- Issues of two newsletters that readers are just now to get.
SELECT newsletter, number, state FROM issue /*+ INDEXED BY issue_unfinished */
WHERE state NOT IN ('done', 'stopped') AND state <> 'open' AND newsletter IN (?1, ?2) ORDER BY id;

-- name: of_its_own
-- How many readers of a newsletter have ever confirmed, and how many issues it has.
SELECT (SELECT coalesce(sum(readers), 0) FROM reader_tally WHERE newsletter = ?1 AND state <> 'pending'),
       (SELECT count(*) FROM issue WHERE newsletter = ?1);

-- name: is_former
-- The name ?1 leads to ?2, whose own name it is again; the ledger of ?4 goes first.
INSERT INTO former_name (name, now, at_ms, clears, is_done) VALUES (?1, ?2, ?3, ?4, 0)
ON CONFLICT (name) DO UPDATE SET now = excluded.now, at_ms = excluded.at_ms, clears = excluded.clears, is_done = 0;

-- name: in_use_again
-- A name that is in use leads nowhere else.
DELETE FROM former_name WHERE name = ?1;

-- name: lead_on
-- Older names lead there too.
UPDATE former_name SET now = ?2 WHERE now = ?1;

-- name: cleared
-- The ledger that was to go first is gone.
UPDATE former_name SET clears = '' WHERE name = ?1;

-- name: done
-- All has been moved.
UPDATE former_name SET is_done = 1 WHERE name = ?1;

-- name: clear_articles
-- Articles of a newsletter that are in no issue go, ?2 at a time.
DELETE FROM article WHERE id IN (
  SELECT id FROM article /*+ INDEXED BY article_state */
  WHERE newsletter = ?1 AND state IN ('seen', 'waiting', 'held', 'skipped') LIMIT ?2);

-- name: clear_guids
-- And what is known of its guids.
DELETE FROM distrusted_guid WHERE (newsletter, url, guid) IN (
  SELECT newsletter, url, guid FROM distrusted_guid WHERE newsletter = ?1 LIMIT ?2);

-- name: clear_feeds
-- And of its feeds.
DELETE FROM feed WHERE (newsletter, url) IN (SELECT newsletter, url FROM feed WHERE newsletter = ?1 LIMIT ?2);

-- name: clear_slots
-- And of its times.
DELETE FROM slot WHERE id IN (SELECT id FROM slot WHERE newsletter = ?1 AND issue IS NULL LIMIT ?2);

-- name: next_readers
-- The next ?3 readers of ?1, and who has the same address under the name ?2 (NULL: no reader).
-- gives: id, other
SELECT reader.id AS id, other.id AS other FROM subscriber AS reader /*+ INDEXED BY subscriber_of */
LEFT JOIN subscriber AS other ON other.newsletter = ?2 AND other.key = reader.key
WHERE reader.newsletter = ?1 ORDER BY reader.id LIMIT ?3;

-- name: move_readers
-- The chosen readers are readers of ?1.
-- set: chosen (id integer)
UPDATE subscriber SET newsletter = ?1 WHERE id IN (SELECT id FROM chosen);

-- name: two_rows
-- Of a reader who is there twice: state, time and consent of both, and whether they agreed themselves.
SELECT subscriber.id, state, since_ms, consent, CASE WHEN how NOT IN ('owner', 'import') THEN 1 ELSE 0 END
FROM subscriber LEFT JOIN consent ON consent.id = subscriber.consent
WHERE subscriber.id IN (?1, ?2) ORDER BY subscriber.id;

-- name: copy_suppressions
-- The next ?3 suppressed addresses of ?1 are suppressed for ?2.
INSERT INTO suppression (hash, newsletter, reason, at_ms, evidence, yields, key)
SELECT hash, ?2, reason, at_ms, evidence, yields, key FROM (
  SELECT hash, reason, at_ms, evidence, yields, key FROM suppression /*+ INDEXED BY suppression_of */
  WHERE newsletter = ?1 ORDER BY hash LIMIT ?3) AS next WHERE true
ON CONFLICT (hash, newsletter) DO UPDATE SET
  reason = excluded.reason, at_ms = excluded.at_ms, evidence = excluded.evidence, yields = excluded.yields
WHERE suppression.yields > excluded.yields;

-- name: drop_suppressions
-- And no longer for ?1.
DELETE FROM suppression WHERE newsletter = ?1 AND hash IN (
  SELECT hash FROM suppression /*+ INDEXED BY suppression_of */ WHERE newsletter = ?1 ORDER BY hash LIMIT ?2);

-- name: move_outcomes
-- What came of sign-ups, ?3 at a time.
UPDATE sign_up_outcome SET newsletter = ?2 WHERE id IN (
  SELECT id FROM sign_up_outcome WHERE newsletter = ?1 LIMIT ?3);

-- name: move_issues
-- Issues, ?3 at a time.
UPDATE issue SET newsletter = ?2 WHERE id IN (SELECT id FROM issue WHERE newsletter = ?1 LIMIT ?3);

-- name: move_articles
-- Articles, ?3 at a time.
UPDATE article SET newsletter = ?2 WHERE id IN (SELECT id FROM article WHERE newsletter = ?1 LIMIT ?3);

-- name: make_way_for_guids
-- What ?2 knows of the next ?3 guids that are not believed gives way.
DELETE FROM distrusted_guid WHERE newsletter = ?2 AND (url, guid) IN (
  SELECT url, guid FROM distrusted_guid WHERE newsletter = ?1 ORDER BY url, guid LIMIT ?3);

-- name: move_guids
-- Guids that are not believed, ?3 at a time.
UPDATE distrusted_guid SET newsletter = ?2 WHERE newsletter = ?1 AND (url, guid) IN (
  SELECT url, guid FROM distrusted_guid WHERE newsletter = ?1 ORDER BY url, guid LIMIT ?3);

-- name: make_way_for_feeds
-- What ?2 knows of the next ?3 feeds gives way.
DELETE FROM feed WHERE newsletter = ?2 AND url IN (
  SELECT url FROM feed WHERE newsletter = ?1 ORDER BY url LIMIT ?3);

-- name: move_feeds
-- Feeds, ?3 at a time.
UPDATE feed SET newsletter = ?2 WHERE newsletter = ?1 AND url IN (
  SELECT url FROM feed WHERE newsletter = ?1 ORDER BY url LIMIT ?3);

-- name: move_slots
-- What came of each time, ?3 at a time.
UPDATE slot SET newsletter = ?2 WHERE id IN (SELECT id FROM slot WHERE newsletter = ?1 LIMIT ?3);

-- name: make_way_for_calendar
-- The calendar of ?2 gives way to that of ?1, if it has one.
DELETE FROM calendar WHERE newsletter = ?2 AND EXISTS (SELECT 1 FROM calendar AS old WHERE old.newsletter = ?1);

-- name: move_calendar
-- Since when it goes by its calendar.
UPDATE calendar SET newsletter = ?2 WHERE newsletter = ?1;

-- name: make_way_for_held_alarms
-- Causes that ?1 has too.
DELETE FROM held_alarm WHERE newsletter = ?2 AND cause IN (
  SELECT old.cause FROM held_alarm AS old WHERE old.newsletter = ?1);

-- name: move_held_alarms
-- The causes of held articles that the owner was alarmed of.
UPDATE held_alarm SET newsletter = ?2 WHERE newsletter = ?1;

-- name: make_way_for_note
-- The foreword of ?2 gives way to that of ?1, if it has one.
DELETE FROM note WHERE newsletter = ?2 AND EXISTS (SELECT 1 FROM note AS old WHERE old.newsletter = ?1);

-- name: move_note
-- The foreword of the next digest.
UPDATE note SET newsletter = ?2 WHERE newsletter = ?1;
