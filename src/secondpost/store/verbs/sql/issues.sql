-- Queries of issues: slots, making, freezing, sending, looking.

-- name: calendar
-- The calendar of a newsletter.
SELECT every, timezone, since_ms FROM calendar WHERE newsletter = ?1;

-- name: set_calendar
-- Record the calendar of a newsletter.
INSERT INTO calendar (newsletter, every, timezone, since_ms) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (newsletter) DO UPDATE SET
  every = excluded.every, timezone = excluded.timezone, since_ms = excluded.since_ms;

-- name: slot
-- The outcome of a slot.
SELECT newsletter, key, outcome, at_ms, reason, issue FROM slot WHERE newsletter = ?1 AND key = ?2;

-- name: last_slot
-- The slot recorded last.
SELECT newsletter, key, outcome, at_ms, reason, issue FROM slot WHERE newsletter = ?1 ORDER BY id DESC LIMIT 1;

-- name: record_slot
-- Record the outcome of a slot, unless it has one.
INSERT INTO slot (newsletter, key, outcome, at_ms, reason, issue) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (newsletter, key) DO NOTHING;

-- name: note
-- The foreword of the next digest.
SELECT text FROM note WHERE newsletter = ?1;

-- name: set_note
-- Set the foreword of the next digest.
INSERT INTO note (newsletter, text) VALUES (?1, ?2) ON CONFLICT (newsletter) DO UPDATE SET text = excluded.text;

-- name: give_back_note
-- Set the foreword of a stopped issue again, unless there is a newer one.
INSERT INTO note (newsletter, text) VALUES (?1, ?2) ON CONFLICT (newsletter) DO NOTHING;

-- name: drop_note
-- Delete the foreword of the next digest.
DELETE FROM note WHERE newsletter = ?1;

-- name: next_number
-- The number of the next issue.
SELECT coalesce(max(number), 0) + 1 FROM issue WHERE newsletter = ?1;

-- name: add_issue
-- Add an issue; returns its id.
INSERT INTO issue (newsletter, number, kind, state, slot, message, subject, body, article_count, minimum, created_ms)
VALUES (?1, ?2, ?3, 'open', ?4, ?5, ?6, ?7, ?8, ?9, ?10) RETURNING id;

-- name: add_issue_message
-- Add the one message of all the issue's deliveries; it never ends, so that what was sent stays
-- readable.
INSERT INTO message (id, lane, sender, size, eight_bit, peer_address, helo, protocol, tls, arrived_ms)
VALUES (?1, 'issues', '', 0, 0, '', '', '', '', ?2);

-- name: take_articles
-- Put the chosen waiting articles into the issue, each at its place.
-- set: chosen (id integer, place integer)
UPDATE article SET state = 'taken', reason = '', issue = ?1, place = chosen.place
FROM chosen
WHERE article.id = chosen.id AND article.newsletter = ?2 AND article.state IN ({sources article taken publish});

-- name: give_back_articles
-- Return the articles of an issue that no reader got to waiting.
UPDATE article SET state = 'waiting', reason = ?2, issue = NULL, place = NULL
WHERE issue = ?1 AND state IN ({sources article waiting publish});

-- name: write_subject
-- Set the subject of an issue, and that it has content.
UPDATE issue SET subject = ?2, has_content = 1 WHERE id = ?1;

-- name: write_content
-- Write the content of an issue; until it is frozen it may be replaced.
INSERT INTO content (message, data) VALUES (?1, ?2) ON CONFLICT (message) DO UPDATE SET data = excluded.data;

-- name: write_size
-- Set the size of an issue's content.
UPDATE message SET size = ?2 WHERE id = ?1;

-- name: other_under_way
-- One row if the newsletter has an unfinished issue.
SELECT 1 FROM issue /*+ INDEXED BY issue_under_way */
WHERE newsletter = ?1 AND state IN ('freezing', 'frozen', 'sending', 'held');

-- name: active_readers
-- The number of active readers.
SELECT coalesce((SELECT readers FROM reader_tally WHERE newsletter = ?1 AND state = 'active'), 0);

-- name: readers_by_domain
-- The number of active readers by domain, with the domain's site.
SELECT domain.name, domain.site, reached.readers FROM (
  SELECT domain, count(*) AS readers FROM subscriber WHERE newsletter = ?1 AND state = 'active' GROUP BY domain
) AS reached /*+ CROSS */ JOIN domain ON domain.id = reached.domain;

-- name: begin_freeze
-- Begin to freeze an issue; its audience is fixed.
-- set: permitted (source text)
UPDATE issue SET state = 'freezing', event = ?2, planned = ?3, fence = ?4, frozen_upto = 0, sent_upto = 0
WHERE id = ?1 AND state IN (SELECT source FROM permitted);

-- name: is_led
-- One row if the lease is still valid.
SELECT 1 FROM lease WHERE fence = ?1;

-- name: leader
-- The leading worker, and its lock file.
SELECT worker.number, worker.lock FROM lease JOIN worker ON worker.number = lease.worker
WHERE lease.lane = ?1 AND lease.site = ?2;

-- name: drop_leader
-- Drop the lease of a leader.
DELETE FROM lease WHERE lane = ?1 AND site = ?2 AND worker = ?3;

-- name: freezing
-- The progress of an issue's freezing.
SELECT newsletter, message, event, frozen_upto FROM issue WHERE id = ?1 AND state = 'freezing' AND fence = ?2;

-- name: last_of_next_readers
-- The last of the next ?3 readers after ?2; no row if there are fewer.
SELECT id FROM subscriber /*+ INDEXED BY subscriber_of */
WHERE newsletter = ?1 AND id > ?2 ORDER BY id LIMIT 1 OFFSET ?3 - 1;

-- name: freeze
-- Add a row for each reader after ?2 up to ?3 who was active after event ?4. For a reader changed
-- since then, the state is looked up among the events.
INSERT INTO delivery (message, number, domain, recipient, state, octets, arrived_ms, due_ms, issue, subscriber)
SELECT ?5, reader.id, reader.domain, reader.mailbox, 'frozen', 0, ?6, ?6, ?7, reader.id
FROM subscriber AS reader /*+ INDEXED BY subscriber_of */
WHERE newsletter = ?1 AND id > ?2 AND id <= ?3 AND 'active' = CASE WHEN since_event <= ?4 THEN state ELSE (
  SELECT reader_event.state FROM reader_event WHERE reader_event.subscriber = reader.id AND reader_event.number <= ?4
  ORDER BY reader_event.number DESC LIMIT 1) END;

-- name: frozen_upto
-- Record the progress of a freeze.
UPDATE issue SET frozen_upto = ?2 WHERE id = ?1;

-- name: frozen
-- Mark an issue as frozen; it starts at ?2.
-- set: permitted (source text)
UPDATE issue SET state = 'frozen', fence = NULL, start_ms = ?2
WHERE id = ?1 AND state IN (SELECT source FROM permitted);

-- name: leave_freezing
-- Give up a freeze that cannot be finished, so that it is swept.
UPDATE issue SET fence = NULL WHERE id = ?1;

-- name: abandoned
-- Issues whose freezing has no leader any more.
SELECT id FROM issue /*+ INDEXED BY issue_unfinished */
WHERE state NOT IN ('done', 'stopped') AND state = 'freezing'
  AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.fence = issue.fence);

-- name: thaw
-- Delete up to ?2 rows of an abandoned freeze.
DELETE FROM delivery WHERE (message, number) IN (
  SELECT delivery.message, delivery.number FROM issue /*+ CROSS */ JOIN delivery ON delivery.message = issue.message
  WHERE issue.id = ?1 AND issue.state = 'freezing'
    AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.fence = issue.fence)
  LIMIT ?2);

-- name: open_again
-- Reopen an abandoned issue once its rows are gone.
-- set: permitted (source text)
UPDATE issue SET state = 'open', event = NULL, planned = 0, fence = NULL, frozen_upto = 0
WHERE id = ?1 AND state IN (SELECT source FROM permitted)
  AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.fence = issue.fence)
  AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.message = issue.message);

-- name: half_stopped
-- Stopped issues with rows that are not stopped.
SELECT DISTINCT message, finished_ms FROM issue_tally /*+ CROSS */ JOIN issue ON issue.id = issue_tally.issue
WHERE issue_tally.state IN ('frozen', 'waiting', 'held') AND deliveries > 0 AND issue.state = 'stopped';

-- name: start
-- Begin to send an issue whose start has come.
-- set: permitted (source text)
UPDATE issue SET state = 'sending' WHERE id = ?1 AND state IN (SELECT source FROM permitted) AND start_ms <= ?2;

-- name: hold
-- Halt an issue; nothing more of it is claimed or committed.
-- set: permitted (source text)
UPDATE issue SET state = 'held', reason = ?2 WHERE id = ?1 AND state IN (SELECT source FROM permitted);

-- name: resume
-- Go on with a held issue: it is sending, or frozen if its first mail is to leave after ?2.
-- set: permitted (source text)
UPDATE issue SET state = CASE WHEN start_ms > ?2 THEN 'frozen' ELSE 'sending' END, reason = ''
WHERE id = ?1 AND state IN (SELECT source FROM permitted);

-- name: held_rows
-- Up to ?2 rows that were held with their issue, which goes on.
-- gives: message, number, domain
SELECT d.message, d.number, d.domain FROM issue
/*+ CROSS */ JOIN delivery AS d /*+ INDEXED BY delivery_aside */ ON d.message = issue.message
WHERE issue.id = ?1 AND issue.state = 'sending' AND d.state IN ('held', 'kept', 'failed', 'expired', 'unknown')
  AND d.state = 'held' AND d.cause = 'issue-held' LIMIT ?2;

-- name: release_rows
-- Return the chosen held rows to waiting, due now.
-- set: chosen (message integer, number integer, domain integer)
UPDATE delivery SET state = 'waiting', cause = '', level = '', last_ms = ?1,
  due_ms = CASE WHEN arrived_ms > ?1 THEN arrived_ms ELSE ?1 END
FROM chosen
WHERE delivery.message = chosen.message AND delivery.number = chosen.number
  AND delivery.state = 'held' AND delivery.cause = 'issue-held'
  AND delivery.state IN ({sources delivery waiting publish});

-- name: sending
-- How far the rows of an issue are released.
SELECT message, sent_upto, start_ms FROM issue WHERE id = ?1 AND state = 'sending';

-- name: next_rows
-- The last of the next ?3 rows after ?2, or of fewer at the end.
SELECT max(number) FROM (
  SELECT number FROM delivery WHERE message = ?1 AND number > ?2 ORDER BY number LIMIT ?3) AS next;

-- name: let_go
-- Release the rows after ?2 up to ?3, in the order in which readers confirmed, the last one first: a
-- row's due time is up to ?5 before ?4, by how many times ?6 ago its reader confirmed. Its arrival is its
-- due time, since a delivery never tried is due at its arrival.
UPDATE delivery SET state = 'waiting', (arrived_ms, due_ms) = (
  SELECT due_ms, due_ms FROM (
    SELECT ?4 - ?5 + CASE WHEN steps < 0 THEN 0 WHEN steps > ?5 THEN ?5 ELSE steps END AS due_ms FROM (
      SELECT (?4 - coalesce((SELECT since_ms FROM subscriber WHERE id = delivery.subscriber), 0)) / ?6 AS steps
    ) AS ago) AS moved)
WHERE message = ?1 AND number > ?2 AND number <= ?3 AND state IN ({sources delivery waiting publish});

-- name: sent_upto
-- Record how far rows are released.
UPDATE issue SET sent_upto = ?2 WHERE id = ?1;

-- name: end_issue
-- End an issue as done or stopped.
-- set: permitted (source text)
UPDATE issue SET state = ?2, finished_ms = ?3, reason = ?4 WHERE id = ?1 AND state IN (SELECT source FROM permitted);

-- name: stop_rows
-- Stop the rows after ?2 up to ?3 that are not under way.
UPDATE delivery SET state = 'stopped', last_ms = ?4, ended_ms = ?4, level = ''
WHERE message = ?1 AND number > ?2 AND number <= ?3 AND state IN ({sources delivery stopped publish});

-- name: waiting_between
-- The domains of waiting rows after ?2 up to ?3.
-- gives: domain
SELECT DISTINCT domain FROM delivery WHERE message = ?1 AND number > ?2 AND number <= ?3 AND state = 'waiting';

-- name: retry_unknown
-- Return up to ?4 unknown rows of issue ?1 that were not retried yet to waiting, at ?3; with ?2, only that
-- reader's.
UPDATE delivery SET
  state = 'waiting', maybe_duplicate = 1, due_ms = CASE WHEN arrived_ms > ?3 THEN arrived_ms ELSE ?3 END,
  last_ms = ?3, level = '', first_attempt_ms = NULL
WHERE (message, number) IN ({untried} LIMIT ?4);

-- name: unknown_to_retry
-- The number of an issue's unknown rows that were not retried yet; with ?2, only that reader's.
SELECT count(*) FROM ({untried}) AS untried;

-- name: untried
-- The unknown rows of issue ?1 that were not retried yet; with ?2, only that reader's.
SELECT message, number FROM delivery /*+ INDEXED BY delivery_aside */
WHERE state IN ('held', 'kept', 'failed', 'expired', 'unknown') AND state IN ({sources delivery waiting retry})
  AND message = (SELECT message FROM issue WHERE id = ?1) AND maybe_duplicate = 0
  AND number = coalesce(?2, number);

-- name: old_issue
-- The first issue finished before ?1 with nothing under way whose deliveries still exist.
SELECT message FROM issue
WHERE state IN ('done', 'stopped') AND finished_ms < ?1
  AND EXISTS (SELECT 1 FROM delivery WHERE delivery.message = issue.message)
  AND NOT EXISTS (SELECT 1 FROM issue_tally WHERE issue_tally.issue = issue.id AND deliveries > 0
                  AND issue_tally.state IN ('frozen', 'waiting', 'held', 'committing'))
LIMIT 1;

-- name: is_over
-- One row if the issue of a message is finished.
SELECT 1 FROM issue WHERE message = ?1 AND state IN ('done', 'stopped');

-- name: count_off_unknown
-- Subtract unknown deliveries up to ?2 from their domains' tally; other ended ones were not counted
-- there.
UPDATE tally SET deliveries = tally.deliveries - gone.many
FROM (SELECT domain, count(*) AS many FROM delivery WHERE message = ?1 AND number <= ?2 AND state = 'unknown'
      GROUP BY domain) AS gone
WHERE tally.domain = gone.domain AND tally.state = 'unknown';

-- name: forget_events
-- Delete the events of deliveries up to ?2.
DELETE FROM event WHERE message = ?1 AND number BETWEEN 1 AND ?2;

-- name: forget_rows
-- Delete the deliveries up to ?2; their counts stay in issue_tally.
DELETE FROM delivery WHERE message = ?1 AND number <= ?2;

-- name: send_again
-- Send a done issue again, for a retry.
-- set: permitted (source text)
UPDATE issue SET state = 'sending', finished_ms = NULL WHERE id = ?1 AND state IN (SELECT source FROM permitted);

-- name: selected
-- Part of other queries: the columns of an issue.
SELECT id, newsletter, number, kind, state, slot, message, subject, body, article_count, minimum, planned,
       created_ms, start_ms, finished_ms, reason
FROM issue;

-- name: issue
-- An issue by id.
{selected} WHERE id = ?1;

-- name: issue_by_number
-- An issue by its number within its newsletter.
{selected} WHERE newsletter = ?1 AND number = ?2;

-- name: issue_of_message
-- The issue whose deliveries belong to a message.
{selected} WHERE message = ?1;

-- name: newest_issues
-- The ?3 newest issues of a newsletter before number ?2.
{selected} WHERE newsletter = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3;

-- name: last_digest
-- The number of the newsletter's newest digest, 0 before the first.
SELECT coalesce(max(number), 0) FROM issue WHERE newsletter = ?1 AND kind = 'digest';

-- name: issues_under_way
-- Issues neither done nor stopped, oldest first.
{selected} /*+ INDEXED BY issue_unfinished */ WHERE state NOT IN ('done', 'stopped') ORDER BY id;

-- name: reckoning
-- The number of an issue's deliveries per state.
SELECT state, deliveries FROM issue_tally WHERE issue = ?1;

-- name: has_content
-- One row if the issue has content.
SELECT 1 FROM issue /*+ CROSS */ JOIN content ON content.message = issue.message WHERE issue.id = ?1;

-- name: issue_content
-- The content of an issue.
SELECT data FROM issue /*+ CROSS */ JOIN content ON content.message = issue.message WHERE issue.id = ?1;
