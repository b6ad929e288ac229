-- Queries about names of newsletters.

-- name: known
-- Newsletters with readers or issues, other than those named: their number of pending readers, of
-- all readers, and of issues.
-- set: named (name text)
SELECT name, sum(pending), sum(readers), sum(issues) FROM (
  SELECT newsletter AS name, CASE WHEN state = 'pending' THEN readers ELSE 0 END AS pending, readers, 0 AS issues
  FROM reader_tally WHERE readers > 0
  UNION ALL SELECT newsletter, 0, 0, count(*) FROM issue GROUP BY newsletter) AS counted
WHERE name NOT IN (SELECT name FROM named) AND name NOT IN (SELECT name FROM retired_newsletter)
GROUP BY name ORDER BY name;

-- name: names
-- All newsletters with readers, issues or suppressed addresses.
SELECT DISTINCT newsletter FROM reader_tally WHERE readers > 0
UNION SELECT newsletter FROM issue UNION SELECT newsletter FROM suppression WHERE newsletter <> '' ORDER BY 1;

-- name: retire
-- Record that the owner gave a newsletter up.
INSERT INTO retired_newsletter (name, at_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: not_retired
-- Record that a newsletter is not given up after all.
DELETE FROM retired_newsletter WHERE name = ?1;

-- name: former_names
-- Former names of newsletters.
SELECT name, now, is_done FROM former_name ORDER BY at_ms, name;

-- name: now_named
-- The present name of a newsletter.
SELECT now FROM former_name WHERE name = ?1;

-- name: former
-- The progress of a newsletter's rename.
SELECT now, clears, is_done FROM former_name WHERE name = ?1;

-- name: being_renamed
-- One row while the newsletter is being renamed, from or to this name.
SELECT 1 FROM former_name WHERE is_done = 0 AND (name = ?1 OR now = ?1);

-- name: half_done
-- Another unfinished rename that involves one of two newsletters.
SELECT name, now FROM former_name
WHERE is_done = 0 AND (name <> ?1 OR now <> ?2) AND (name IN (?1, ?2) OR now IN (?1, ?2));

-- name: under_way
-- Issues of two newsletters that are frozen or being sent.
SELECT newsletter, number, state FROM issue /*+ INDEXED BY issue_unfinished */
WHERE state NOT IN ('done', 'stopped') AND state <> 'open' AND newsletter IN (?1, ?2) ORDER BY id;

-- name: of_its_own
-- The number of a newsletter's readers who are not pending, and of its issues.
SELECT (SELECT coalesce(sum(readers), 0) FROM reader_tally WHERE newsletter = ?1 AND state <> 'pending'),
       (SELECT count(*) FROM issue WHERE newsletter = ?1);

-- name: is_former
-- Begin renaming ?1 to ?2; the ledger of ?4 is cleared first.
INSERT INTO former_name (name, now, at_ms, clears, is_done) VALUES (?1, ?2, ?3, ?4, 0)
ON CONFLICT (name) DO UPDATE SET now = excluded.now, at_ms = excluded.at_ms, clears = excluded.clears, is_done = 0;

-- name: in_use_again
-- A name in use is no longer a former name.
DELETE FROM former_name WHERE name = ?1;

-- name: lead_on
-- Point older names to the new one.
UPDATE former_name SET now = ?2 WHERE now = ?1;

-- name: cleared
-- Record that the ledger is cleared.
UPDATE former_name SET clears = '' WHERE name = ?1;

-- name: done
-- Record that the rename is finished.
UPDATE former_name SET is_done = 1 WHERE name = ?1;

-- name: clear_articles
-- Delete a newsletter's articles that are in no issue, ?2 at a time.
DELETE FROM article WHERE id IN (
  SELECT id FROM article /*+ INDEXED BY article_state */
  WHERE newsletter = ?1 AND state IN ('seen', 'waiting', 'held', 'skipped') LIMIT ?2);

-- name: clear_guids
-- Delete a newsletter's distrusted guids, ?2 at a time.
DELETE FROM distrusted_guid WHERE (newsletter, url, guid) IN (
  SELECT newsletter, url, guid FROM distrusted_guid WHERE newsletter = ?1 LIMIT ?2);

-- name: clear_feeds
-- Delete a newsletter's feeds, ?2 at a time.
DELETE FROM feed WHERE (newsletter, url) IN (SELECT newsletter, url FROM feed WHERE newsletter = ?1 LIMIT ?2);

-- name: clear_slots
-- Delete a newsletter's slots that made no issue, ?2 at a time.
DELETE FROM slot WHERE id IN (SELECT id FROM slot WHERE newsletter = ?1 AND issue IS NULL LIMIT ?2);

-- name: next_readers
-- The next ?3 readers of ?1, each with the reader of ?2 with the same address (NULL: none).
-- gives: id, other
SELECT reader.id AS id, other.id AS other FROM subscriber AS reader /*+ INDEXED BY subscriber_of */
LEFT JOIN subscriber AS other ON other.newsletter = ?2 AND other.key = reader.key
WHERE reader.newsletter = ?1 ORDER BY reader.id LIMIT ?3;

-- name: move_readers
-- Move the chosen readers to newsletter ?1.
-- set: chosen (id integer)
UPDATE subscriber SET newsletter = ?1 WHERE id IN (SELECT id FROM chosen);

-- name: two_rows
-- Both rows of a reader: state, time and consent, and whether the reader agreed personally.
SELECT subscriber.id, state, since_ms, consent, CASE WHEN how NOT IN ('owner', 'import') THEN 1 ELSE 0 END
FROM subscriber LEFT JOIN consent ON consent.id = subscriber.consent
WHERE subscriber.id IN (?1, ?2) ORDER BY subscriber.id;

-- name: copy_suppressions
-- Copy the next ?3 suppressions of ?1 to ?2.
INSERT INTO suppression (hash, newsletter, reason, at_ms, evidence, yields, key)
SELECT hash, ?2, reason, at_ms, evidence, yields, key FROM (
  SELECT hash, reason, at_ms, evidence, yields, key FROM suppression /*+ INDEXED BY suppression_of */
  WHERE newsletter = ?1 ORDER BY hash LIMIT ?3) AS next WHERE true
ON CONFLICT (hash, newsletter) DO UPDATE SET
  reason = excluded.reason, at_ms = excluded.at_ms, evidence = excluded.evidence, yields = excluded.yields
WHERE suppression.yields > excluded.yields;

-- name: drop_suppressions
-- Delete the next ?2 suppressions of ?1, once copied.
DELETE FROM suppression WHERE newsletter = ?1 AND hash IN (
  SELECT hash FROM suppression /*+ INDEXED BY suppression_of */ WHERE newsletter = ?1 ORDER BY hash LIMIT ?2);

-- name: move_outcomes
-- Move outcomes of sign-ups, ?3 at a time.
UPDATE sign_up_outcome SET newsletter = ?2 WHERE id IN (
  SELECT id FROM sign_up_outcome WHERE newsletter = ?1 LIMIT ?3);

-- name: move_issues
-- Move issues, ?3 at a time.
UPDATE issue SET newsletter = ?2 WHERE id IN (SELECT id FROM issue WHERE newsletter = ?1 LIMIT ?3);

-- name: move_articles
-- Move articles, ?3 at a time.
UPDATE article SET newsletter = ?2 WHERE id IN (SELECT id FROM article WHERE newsletter = ?1 LIMIT ?3);

-- name: make_way_for_guids
-- Delete the rows of ?2 that the next ?3 distrusted guids replace.
DELETE FROM distrusted_guid WHERE newsletter = ?2 AND (url, guid) IN (
  SELECT url, guid FROM distrusted_guid WHERE newsletter = ?1 ORDER BY url, guid LIMIT ?3);

-- name: move_guids
-- Move distrusted guids, ?3 at a time.
UPDATE distrusted_guid SET newsletter = ?2 WHERE newsletter = ?1 AND (url, guid) IN (
  SELECT url, guid FROM distrusted_guid WHERE newsletter = ?1 ORDER BY url, guid LIMIT ?3);

-- name: make_way_for_feeds
-- Delete the rows of ?2 that the next ?3 feeds replace.
DELETE FROM feed WHERE newsletter = ?2 AND url IN (
  SELECT url FROM feed WHERE newsletter = ?1 ORDER BY url LIMIT ?3);

-- name: move_feeds
-- Move feeds, ?3 at a time.
UPDATE feed SET newsletter = ?2 WHERE newsletter = ?1 AND url IN (
  SELECT url FROM feed WHERE newsletter = ?1 ORDER BY url LIMIT ?3);

-- name: move_slots
-- Move slots, ?3 at a time.
UPDATE slot SET newsletter = ?2 WHERE id IN (SELECT id FROM slot WHERE newsletter = ?1 LIMIT ?3);

-- name: make_way_for_calendar
-- Delete the calendar of ?2 if ?1 has one.
DELETE FROM calendar WHERE newsletter = ?2 AND EXISTS (SELECT 1 FROM calendar AS old WHERE old.newsletter = ?1);

-- name: move_calendar
-- Move the calendar.
UPDATE calendar SET newsletter = ?2 WHERE newsletter = ?1;

-- name: make_way_for_note
-- Delete the foreword of ?2 if ?1 has one.
DELETE FROM note WHERE newsletter = ?2 AND EXISTS (SELECT 1 FROM note AS old WHERE old.newsletter = ?1);

-- name: move_note
-- Move the foreword of the next digest.
UPDATE note SET newsletter = ?2 WHERE newsletter = ?1;

-- name: make_way_for_order
-- Delete the order by hand of ?2's next issue if ?1 has one.
DELETE FROM next_order
WHERE newsletter = ?2 AND EXISTS (SELECT 1 FROM next_order AS old WHERE old.newsletter = ?1);

-- name: move_order
-- Move the order by hand of the next issue.
UPDATE next_order SET newsletter = ?2 WHERE newsletter = ?1;

-- name: make_way_for_approvals
-- Delete approvals of ?2 for slots that ?1 has too.
DELETE FROM approval
WHERE newsletter = ?2 AND slot IN (SELECT old.slot FROM approval AS old WHERE old.newsletter = ?1);

-- name: move_approvals
-- Move the approvals.
UPDATE approval SET newsletter = ?2 WHERE newsletter = ?1;
