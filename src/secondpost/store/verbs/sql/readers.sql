-- Queries of the keeper of people: one reader at a time. Lists are in importing.sql, suppressed addresses in
-- suppressing.sql.

-- name: reader
-- Readers as `{conditions}` says.
SELECT reader.id, newsletter, mailbox, state, since_ms, created_ms, attributes,
       consent.place, consent.how, consent.text, consent.at_ms, consent.prefix
FROM subscriber AS reader LEFT JOIN consent ON consent.id = reader.consent {conditions};

-- name: by_key
-- A reader by newsletter and key.
SELECT id, newsletter, mailbox, state, since_ms, hash FROM subscriber WHERE newsletter = ?1 AND key = ?2;

-- name: by_id
-- A reader by number.
SELECT id, newsletter, mailbox, state, since_ms, hash FROM subscriber WHERE id = ?1;

-- name: counts
-- How many readers are in which state.
SELECT state, readers FROM reader_tally WHERE newsletter = ?1;

-- name: add_consent
-- What a reader agreed to; the number of its row.
INSERT INTO consent (place, how, text, at_ms, prefix) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id;

-- name: add_readers
-- The lines become readers of newsletter ?1, numbered in the lines' order, but for those who are known. ?2 is above all
-- events so far.
-- set: line (mailbox text, key text, domain text, hash blob, state text, since_ms integer, created_ms integer, consent integer, attributes text)
INSERT INTO subscriber (newsletter, key, mailbox, domain, hash, state, since_ms, since_event, created_ms, consent,
                        attributes)
SELECT ?1, line.key, line.mailbox, (SELECT id FROM domain WHERE lane = 'issues' AND name = line.domain), line.hash,
       line.state, line.since_ms, ?2, line.created_ms, line.consent, line.attributes
FROM line WHERE true ON CONFLICT (newsletter, key) DO NOTHING;

-- name: confirm_content
-- What the confirmation says, when it is known already.
INSERT INTO content (message, data) VALUES (?1, ?2);

-- name: add_own_message
-- A message of our own to one mailbox: a confirmation, or a copy for the owner's eyes.
INSERT INTO message (id, lane, sender, size, eight_bit, peer_address, helo, protocol, tls, arrived_ms)
VALUES (?1, 'own', '', ?2, 0, '', '', '', '', ?3);

-- name: add_own_delivery
-- The delivery of message ?1, at a domain of lane own (?2), to mailbox ?3 of reader ?6.
INSERT INTO delivery (message, number, domain, recipient, state, octets, arrived_ms, due_ms, subscriber)
SELECT ?1, 1, id, ?3, 'waiting', ?4, ?5, ?5, ?6 FROM domain WHERE lane = 'own' AND name = ?2;

-- name: lead
-- The chosen readers go to state ?1 at ?2, and keep their consent unless there is another. ?3 is above all events so far.
-- set: chosen (id integer, consent integer)
UPDATE subscriber SET state = ?1, since_ms = ?2, since_event = ?3, consent = coalesce(chosen.consent, subscriber.consent)
FROM chosen WHERE subscriber.id = chosen.id;

-- name: asking_begins
-- What is written from here on may be taken back.
SAVEPOINT asking;

-- name: asking_is_taken_back
-- What was written since is taken back.
ROLLBACK TO SAVEPOINT asking;

-- name: asking_ends
-- What is left of it stays.
RELEASE SAVEPOINT asking;

-- name: pend
-- A reader in one of the chosen states is pending, and the spelling last given is the one that mail goes to.
-- set: chosen (state text)
UPDATE subscriber SET state = 'pending', since_ms = ?3, since_event = ?4, consent = ?5, mailbox = ?6
WHERE newsletter = ?1 AND key = ?2 AND state IN (SELECT chosen.state FROM chosen);

-- name: tell
-- At ?1 ?2 happened to the chosen readers, who are in state ?3 after it.
-- set: chosen (id integer, detail text, consent integer, evidence integer)
INSERT INTO reader_event (subscriber, at_ms, what, state, detail, consent, evidence)
SELECT chosen.id, ?1, ?2, ?3, chosen.detail, chosen.consent, chosen.evidence FROM chosen;

-- name: is_told
-- One row when something came of that mail already.
SELECT 1 FROM reader_event WHERE evidence = ?1;

-- name: confirmations
-- How many confirmations went to a reader since ?2, and when the last one did.
SELECT count(*), max(arrived_ms) FROM delivery /*+ INDEXED BY delivery_of_subscriber */
WHERE subscriber = ?1 AND issue IS NULL AND subscriber IS NOT NULL AND arrived_ms >= ?2;

-- name: sign_ups
-- How many sign-ups came from a network since ?2, at most ?3 are counted.
SELECT count(*) FROM (SELECT 1 FROM sign_up WHERE prefix = ?1 AND at_ms >= ?2 LIMIT ?3) AS counted;

-- name: asked_at
-- How many mails to a domain asked to confirm since ?2 and have (?3) or have not been answered, at most ?4.
SELECT count(*) FROM (
  SELECT 1 FROM sign_up WHERE domain = ?1 AND domain <> '' AND answered = ?3 AND at_ms >= ?2 LIMIT ?4) AS counted;

-- name: asked_in_all
-- How many did, to whatever domain.
SELECT count(*) FROM (
  SELECT 1 FROM sign_up WHERE domain <> '' AND answered = ?2 AND at_ms >= ?1 LIMIT ?3) AS counted;

-- name: active_in_all
-- How many readers there are, of all newsletters.
SELECT coalesce(CAST(sum(readers) AS bigint), 0) FROM reader_tally WHERE state = 'active';

-- name: count_sign_up
-- One more; with a domain (?3) when a mail asks the reader (?4) to confirm.
INSERT INTO sign_up (prefix, at_ms, domain, subscriber) VALUES (?1, ?2, ?3, ?4);

-- name: sign_up_answered
-- The reader has confirmed.
UPDATE sign_up SET answered = 1 WHERE subscriber = ?1;

-- name: note_outcome
-- What came of a sign-up; the number of its row.
INSERT INTO sign_up_outcome (newsletter, hash, at_ms, how, outcome) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id;

-- name: bound_outcomes
-- Outcomes up to number ?1 are forgotten.
DELETE FROM sign_up_outcome WHERE id <= ?1;

-- name: outcome_confirmed
-- A reader (hash ?1 of newsletter ?2) whom a mail asked (outcome ?3) has confirmed.
UPDATE sign_up_outcome SET confirmed = 1 WHERE hash = ?1 AND newsletter = ?2 AND outcome = ?3;

-- name: outcomes_of
-- What came of the sign-ups of one address, in order; the latest ?3.
SELECT at_ms, how, outcome, confirmed FROM (
  SELECT * FROM sign_up_outcome WHERE hash = ?1 AND newsletter = ?2 ORDER BY at_ms DESC, id DESC LIMIT ?3) AS latest
ORDER BY at_ms, id;

-- name: outcome_counts
-- How many sign-ups since ?2 came to what, and how many of them are confirmed.
SELECT outcome, count(*), CAST(sum(confirmed) AS bigint) FROM sign_up_outcome WHERE newsletter = ?1 AND at_ms >= ?2 GROUP BY outcome;

-- name: missing_in_freeze
-- Issues being frozen count one reader less when an audience loses one who has no row yet.
UPDATE issue SET planned = planned - 1
WHERE state = 'freezing' AND newsletter = ?2 AND frozen_upto < ?1 AND 'active' = (
  SELECT CASE WHEN since_event <= issue.event THEN reader.state ELSE (
    SELECT reader_event.state FROM reader_event
    WHERE subscriber = ?1 AND reader_event.number <= issue.event ORDER BY reader_event.number DESC LIMIT 1) END
  FROM subscriber AS reader WHERE reader.id = ?1);

-- name: erase_consents
-- What the chosen readers agreed to from a network of their own goes; a consent that many share stays.
-- set: chosen (id integer)
DELETE FROM consent WHERE prefix <> '' AND id IN (
  SELECT consent FROM reader_event WHERE subscriber IN (SELECT id FROM chosen)
  UNION SELECT consent FROM subscriber WHERE id IN (SELECT id FROM chosen));

-- name: erase_sign_ups
-- Where the chosen readers signed up from goes, and whether they confirmed.
-- set: chosen (id integer)
DELETE FROM sign_up WHERE subscriber IN (SELECT id FROM chosen);

-- name: erase_outcomes
-- What came of each sign-up of the chosen readers goes.
-- set: chosen (id integer)
DELETE FROM sign_up_outcome WHERE (hash, newsletter) IN (
  SELECT hash, newsletter FROM subscriber WHERE id IN (SELECT id FROM chosen));

-- name: erase_events
-- What happened to the chosen readers goes.
-- set: chosen (id integer)
DELETE FROM reader_event WHERE subscriber IN (SELECT id FROM chosen);

-- name: erase_bounces
-- The reports about mail to the chosen readers go.
-- set: chosen (id integer)
DELETE FROM bounce WHERE subscriber IN (SELECT id FROM chosen);

-- name: erase_told
-- What happened to deliveries to the chosen readers goes.
-- set: chosen (id integer)
DELETE FROM event WHERE (message, number) IN (
  SELECT message, number FROM delivery /*+ INDEXED BY delivery_of_subscriber */ WHERE subscriber IN (SELECT id FROM chosen));

-- name: erase_deliveries
-- Deliveries to the chosen readers are still counted, and name no one.
-- set: chosen (id integer)
UPDATE delivery SET recipient = 'erased@invalid', host = '', reply = '' WHERE subscriber IN (SELECT id FROM chosen);

-- name: erase_reader
-- The chosen readers go.
-- set: chosen (id integer)
DELETE FROM subscriber WHERE id IN (SELECT id FROM chosen);

-- name: add_bounce
-- A mail came back; a report that was counted before is not counted again.
INSERT INTO bounce (evidence, subscriber, issue, at_ms, kind, status, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (evidence) DO NOTHING;

-- name: bounced_of_issue
-- How many reports of each kind there are about an issue.
SELECT kind, count(*) FROM bounce WHERE issue = ?1 GROUP BY kind;

-- name: bounces_of
-- The reports about a reader, newest first.
SELECT evidence, issue, at_ms, kind, status, text FROM bounce WHERE subscriber = ?1 ORDER BY at_ms DESC LIMIT ?2;

-- name: events_of
-- What happened to a reader, in order.
SELECT number, reader_event.at_ms, what, state, detail, consent.place, consent.how, consent.text, consent.at_ms,
       consent.prefix
FROM reader_event LEFT JOIN consent ON consent.id = reader_event.consent WHERE subscriber = ?1 ORDER BY number;
