-- Queries about single readers. Imports are in importing.sql, suppressed addresses in
-- suppressing.sql.

-- name: reader
-- Readers selected by `{conditions}`.
SELECT reader.id, newsletter, mailbox, state, since_ms, created_ms, attributes,
       consent.place, consent.how, consent.text, consent.at_ms, consent.prefix
FROM subscriber AS reader LEFT JOIN consent ON consent.id = reader.consent {conditions};

-- name: by_key
-- A reader by newsletter and key.
SELECT id, newsletter, mailbox, state, since_ms, hash FROM subscriber WHERE newsletter = ?1 AND key = ?2;

-- name: by_id
-- A reader by id.
SELECT id, newsletter, mailbox, state, since_ms, hash FROM subscriber WHERE id = ?1;

-- name: counts
-- The number of readers per state.
SELECT state, readers FROM reader_tally WHERE newsletter = ?1;

-- name: add_consent
-- Add a consent; returns its id.
INSERT INTO consent (place, how, text, at_ms, prefix) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id;

-- name: add_readers
-- Add the lines as readers of newsletter ?1, in the order of the lines, except known ones. ?2 is above
-- all events so far.
-- pieces: line (mailbox text, key text, domain text, hash blob, state text, since_ms integer, created_ms integer, consent integer, attributes text)
INSERT INTO subscriber (newsletter, key, mailbox, domain, hash, state, since_ms, since_event, created_ms, consent,
                        attributes)
SELECT ?1, line.key, line.mailbox, (SELECT id FROM domain WHERE lane = 'issues' AND name = line.domain), line.hash,
       line.state, line.since_ms, ?2, line.created_ms, line.consent, line.attributes
FROM line WHERE true ON CONFLICT (newsletter, key) DO NOTHING;

-- name: confirm_content
-- Add the content of a confirmation that is already composed.
INSERT INTO content (message, data) VALUES (?1, ?2);

-- name: add_own_message
-- Add one of our own messages to one mailbox: a confirmation or a test copy.
INSERT INTO message (id, lane, sender, size, eight_bit, peer_address, helo, protocol, tls, arrived_ms)
VALUES (?1, 'own', '', ?2, 0, '', '', '', '', ?3);

-- name: add_own_delivery
-- Add the delivery of message ?1, at a domain of lane own (?2), to mailbox ?3 of reader ?6.
INSERT INTO delivery (message, number, domain, recipient, state, octets, arrived_ms, due_ms, subscriber)
SELECT ?1, 1, id, ?3, 'waiting', ?4, ?5, ?5, ?6 FROM domain WHERE lane = 'own' AND name = ?2;

-- name: lead
-- Lead the chosen readers to state ?1 at ?2, keeping their consent unless there is a new one. ?3 is
-- above all events so far.
-- set: chosen (id integer, consent integer)
UPDATE subscriber SET state = ?1, since_ms = ?2, since_event = ?3, consent = coalesce(chosen.consent, subscriber.consent)
FROM chosen WHERE subscriber.id = chosen.id;

-- name: asking_begins
-- Begin the part of a sign-up that may be rolled back.
SAVEPOINT asking;

-- name: asking_is_taken_back
-- Roll back the writes since the savepoint.
ROLLBACK TO SAVEPOINT asking;

-- name: asking_ends
-- Release the savepoint.
RELEASE SAVEPOINT asking;

-- name: pend
-- Make a reader who comes back pending; mail goes to the spelling given last.
UPDATE subscriber SET state = 'pending', since_ms = ?3, since_event = ?4, consent = ?5, mailbox = ?6
WHERE newsletter = ?1 AND key = ?2 AND state IN ({sources subscriber pending reader});

-- name: tell
-- Record that ?2 happened to the chosen readers at ?1, who are in state ?3 after it.
-- set: chosen (id integer, detail text, consent integer, evidence integer)
INSERT INTO reader_event (subscriber, at_ms, what, state, detail, consent, evidence)
SELECT chosen.id, ?1, ?2, ?3, chosen.detail, chosen.consent, chosen.evidence FROM chosen;

-- name: has_event
-- One row if that mail has already caused an event.
SELECT 1 FROM reader_event WHERE evidence = ?1;

-- name: confirmations
-- The number of confirmations sent to a reader since ?2, and the time of the last.
SELECT count(*), max(arrived_ms) FROM delivery /*+ INDEXED BY delivery_of_subscriber */
WHERE subscriber = ?1 AND issue IS NULL AND subscriber IS NOT NULL AND arrived_ms >= ?2;

-- name: sign_ups
-- The number of sign-ups from a network since ?2, counted up to ?3.
SELECT count(*) FROM (SELECT 1 FROM sign_up WHERE prefix = ?1 AND at_ms >= ?2 LIMIT ?3) AS counted;

-- name: asked_at
-- The number of confirmations to a domain since ?2 that were answered (?3 = 1) or not (0), counted
-- up to ?4.
SELECT count(*) FROM (
  SELECT 1 FROM sign_up WHERE domain = ?1 AND domain <> '' AND answered = ?3 AND at_ms >= ?2 LIMIT ?4) AS counted;

-- name: asked_in_all
-- The number of confirmations to all domains since ?1 that were answered (?2 = 1) or not (0),
-- counted up to ?3.
SELECT count(*) FROM (
  SELECT 1 FROM sign_up WHERE domain <> '' AND answered = ?2 AND at_ms >= ?1 LIMIT ?3) AS counted;

-- name: active_in_all
-- The number of active readers of all newsletters.
SELECT coalesce(CAST(sum(readers) AS bigint), 0) FROM reader_tally WHERE state = 'active';

-- name: count_sign_up
-- Count a sign-up; with a domain (?3) if a mail asks the reader (?4) to confirm.
INSERT INTO sign_up (prefix, at_ms, domain, subscriber) VALUES (?1, ?2, ?3, ?4);

-- name: sign_up_answered
-- Record that the reader confirmed.
UPDATE sign_up SET answered = 1 WHERE subscriber = ?1;

-- name: note_outcome
-- Record the outcome of a sign-up; returns its id.
INSERT INTO sign_up_outcome (newsletter, hash, at_ms, how, outcome) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id;

-- name: bound_outcomes
-- Delete outcomes up to id ?1.
DELETE FROM sign_up_outcome WHERE id <= ?1;

-- name: outcome_confirmed
-- Record that a reader (hash ?1 of newsletter ?2) who was asked (outcome ?3) has confirmed.
UPDATE sign_up_outcome SET confirmed = 1 WHERE hash = ?1 AND newsletter = ?2 AND outcome = ?3;

-- name: outcomes_of
-- The latest ?3 sign-up outcomes of an address, oldest first.
SELECT at_ms, how, outcome, confirmed FROM (
  SELECT * FROM sign_up_outcome WHERE hash = ?1 AND newsletter = ?2 ORDER BY at_ms DESC, id DESC LIMIT ?3) AS latest
ORDER BY at_ms, id;

-- name: outcome_counts
-- Sign-ups since ?2 by outcome, and how many of them are confirmed.
SELECT outcome, count(*), CAST(sum(confirmed) AS bigint) FROM sign_up_outcome WHERE newsletter = ?1 AND at_ms >= ?2 GROUP BY outcome;

-- name: missing_in_freeze
-- Decrease the planned readers of issues being frozen when an active reader without a row is
-- erased.
UPDATE issue SET planned = planned - 1
WHERE state = 'freezing' AND newsletter = ?2 AND frozen_upto < ?1 AND 'active' = (
  SELECT CASE WHEN since_event <= issue.event THEN reader.state ELSE (
    SELECT reader_event.state FROM reader_event
    WHERE subscriber = ?1 AND reader_event.number <= issue.event ORDER BY reader_event.number DESC LIMIT 1) END
  FROM subscriber AS reader WHERE reader.id = ?1);

-- name: erase_consents
-- Delete consents of the chosen readers that contain a network; consents shared by many stay.
-- set: chosen (id integer)
DELETE FROM consent WHERE prefix <> '' AND id IN (
  SELECT consent FROM reader_event WHERE subscriber IN (SELECT id FROM chosen)
  UNION SELECT consent FROM subscriber WHERE id IN (SELECT id FROM chosen));

-- name: erase_sign_ups
-- Delete the sign-ups of the chosen readers.
-- set: chosen (id integer)
DELETE FROM sign_up WHERE subscriber IN (SELECT id FROM chosen);

-- name: erase_outcomes
-- Delete the sign-up outcomes of the chosen readers.
-- set: chosen (id integer)
DELETE FROM sign_up_outcome WHERE (hash, newsletter) IN (
  SELECT hash, newsletter FROM subscriber WHERE id IN (SELECT id FROM chosen));

-- name: erase_events
-- Delete the events of the chosen readers.
-- set: chosen (id integer)
DELETE FROM reader_event WHERE subscriber IN (SELECT id FROM chosen);

-- name: erase_bounces
-- Delete the bounces of the chosen readers.
-- set: chosen (id integer)
DELETE FROM bounce WHERE subscriber IN (SELECT id FROM chosen);

-- name: erase_delivery_events
-- Delete the events of deliveries to the chosen readers.
-- set: chosen (id integer)
DELETE FROM event WHERE (message, number) IN (
  SELECT message, number FROM delivery /*+ INDEXED BY delivery_of_subscriber */ WHERE subscriber IN (SELECT id FROM chosen));

-- name: erase_deliveries
-- Anonymise deliveries to the chosen readers, which stay counted.
-- set: chosen (id integer)
UPDATE delivery SET recipient = 'erased@invalid', host = '', reply = '' WHERE subscriber IN (SELECT id FROM chosen);

-- name: erase_reader
-- Delete the chosen readers.
-- set: chosen (id integer)
DELETE FROM subscriber WHERE id IN (SELECT id FROM chosen);

-- name: add_bounce
-- Add a bounce, unless its report was counted before.
INSERT INTO bounce (evidence, subscriber, issue, at_ms, kind, status, text, weighed)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT DO NOTHING;

-- name: note_refusals
-- Note deliveries to readers that have just ended refused.
-- set: new (message integer, number integer, state text, at_ms integer, kind text, status text, text text, weighed text)
INSERT INTO bounce (subscriber, issue, at_ms, kind, status, text, weighed)
SELECT d.subscriber, d.issue, new.at_ms, new.kind, new.status, new.text, new.weighed
FROM new /*+ CROSS */ JOIN delivery AS d ON d.message = new.message AND d.number = new.number
/*+ CROSS */ JOIN subscriber ON subscriber.id = d.subscriber
WHERE d.state = new.state AND d.last_ms = new.at_ms
ORDER BY d.message, d.number
ON CONFLICT DO NOTHING;

-- name: bounced_of_issue
-- The number of an issue's bounces of each kind.
SELECT kind, count(*) FROM bounce WHERE issue = ?1 GROUP BY kind;

-- name: bounces_of
-- The bounces of a reader, newest first.
SELECT evidence, issue, at_ms, kind, status, text, weighed FROM bounce
WHERE subscriber = ?1 ORDER BY at_ms DESC, id DESC LIMIT ?2;

-- name: events_of
-- The events of a reader, in order.
SELECT number, reader_event.at_ms, what, state, detail, consent.place, consent.how, consent.text, consent.at_ms,
       consent.prefix
FROM reader_event LEFT JOIN consent ON consent.id = reader_event.consent WHERE subscriber = ?1 ORDER BY number;
