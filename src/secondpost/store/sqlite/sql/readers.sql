-- Queries of the keeper of people.

-- name: suppression_key
-- The key of the hashes of suppressed addresses.
SELECT data FROM secret WHERE name = 'suppression';

-- name: other_suppression_keys
-- The keys of other stores whose hashes came in with their exports.
SELECT data FROM secret WHERE name LIKE 'suppression %' ORDER BY name;

-- name: add_suppression_key
-- One more of them, unless it is known or our own.
INSERT INTO secret (name, data) SELECT 'suppression ' || lower(hex(?1)), ?1
WHERE NOT EXISTS (SELECT 1 FROM secret WHERE data = ?1);

-- name: recognise
-- Of the pairs [[hash by another's key, hash by ours], …] those that are suppressed are so by our own hash too.
INSERT INTO suppression (hash, newsletter, reason, at_ms, evidence, yields)
SELECT unhex(pair.value ->> 1), newsletter, reason, at_ms, evidence, yields
FROM json_each(?1) AS pair CROSS JOIN suppression ON hash = unhex(pair.value ->> 0)
WHERE true
ON CONFLICT DO UPDATE SET
  reason = excluded.reason, at_ms = excluded.at_ms, evidence = excluded.evidence, yields = excluded.yields
WHERE suppression.yields > excluded.yields;

-- name: forget_recognised
-- And the other hash has had its use.
DELETE FROM suppression WHERE hash IN (SELECT unhex(value ->> 0) FROM json_each(?1));

-- name: reader
-- Readers as `{conditions}` says.
SELECT reader.id, newsletter, mailbox, state, since_ms, created_ms, attributes,
       consent.place, consent.how, consent.text, consent.at_ms, consent.prefix
FROM subscriber AS reader LEFT JOIN consent ON consent.id = reader.consent {conditions};

-- name: by_key
-- A reader by newsletter and key.
SELECT id, newsletter, state, since_ms, hash FROM subscriber WHERE newsletter = ?1 AND key = ?2;

-- name: by_id
-- A reader by number.
SELECT id, newsletter, state, since_ms, hash FROM subscriber WHERE id = ?1;

-- name: counts
-- How many readers are in which state.
SELECT state, readers FROM reader_tally WHERE newsletter = ?1;

-- name: add_consent
-- What somebody agreed to.
INSERT INTO consent (place, how, text, at_ms, prefix) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: same_consent
-- The consent of the batch before, when it is word for word the same.
SELECT id FROM (SELECT * FROM consent ORDER BY id DESC LIMIT 20)
WHERE place = ?1 AND how = ?2 AND text = ?3 AND at_ms = ?4 AND prefix = ?5;

-- name: add_domains
-- The domains of readers exist, in a lane.
INSERT INTO domain (lane, name) SELECT DISTINCT ?2, value ->> 2 FROM json_each(?1) WHERE true
ON CONFLICT DO NOTHING;

-- name: last_subscriber
-- The number given last.
SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'subscriber'), 0);

-- name: add_readers
-- Lines [[mailbox, key, domain, hash, attributes, message, state, created, since, consent, carries], …] become readers,
-- but for those who are suppressed and those who are known. What a line does not say holds of all: state ?3, now ?4,
-- consent ?5 of those who are active; `consent` is a place in the numbers ?6. A line that carries its own suppression is a reader all the same,
-- unless that reader was erased here.
INSERT INTO subscriber (newsletter, key, mailbox, domain, hash, state, since_ms, since_event, created_ms, consent,
                        attributes)
SELECT ?2, value ->> 1, value ->> 0,
       (SELECT id FROM domain WHERE lane = 'issues' AND name = line.value ->> 2), unhex(value ->> 3),
       coalesce(value ->> 6, ?3), coalesce(value ->> 8, ?4),
       1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'reader_event'), 0),
       coalesce(value ->> 7, ?4),        coalesce(?6 ->> (value ->> 9), iif(coalesce(value ->> 6, ?3) = 'active', ?5, NULL)), value ->> 4
FROM json_each(?1) AS line
WHERE NOT EXISTS (SELECT 1 FROM suppression
                  WHERE suppression.hash = unhex(line.value ->> 3) AND suppression.newsletter IN ('', ?2)
                    AND (reason = 'erased' OR coalesce(line.value ->> 10, 0) = 0))
ON CONFLICT DO NOTHING;

-- name: tell_added
-- The readers behind ?1 have come.
INSERT INTO reader_event (subscriber, at_ms, what, state, detail, consent)
SELECT id, since_ms, ?2, state, ?3, consent FROM subscriber WHERE id > ?1;

-- name: tell_imported
-- They have come by a list, now (?2): active because of what they agreed to, or left for the reason ?3.
INSERT INTO reader_event (subscriber, at_ms, what, state, detail, consent)
SELECT reader.id, ?2, 'imported', state, coalesce(iif(state = 'left', ?3, iif(state = 'active', place, '')), ''), consent
FROM subscriber AS reader LEFT JOIN consent ON consent.id = reader.consent WHERE reader.id > ?1 ORDER BY reader.id;

-- name: added
-- How many have come behind ?1, and how many of them have left elsewhere.
SELECT count(*), coalesce(sum(state = 'left'), 0) FROM subscriber WHERE id > ?1;

-- name: to_confirm
-- [[id, consent], …] of those of the lines who are pending and become readers where their line says so: not the
-- suppressed, nor those who were readers before. With an address typed into the form anybody could bring about that a
-- list makes them one again.
SELECT known.id, coalesce(?5 ->> (line.value ->> 9), ?3) FROM json_each(?1) AS line
CROSS JOIN subscriber AS known ON known.newsletter = ?2 AND known.key = line.value ->> 1
WHERE known.state = 'pending' AND coalesce(line.value ->> 6, ?4) = 'active'
  AND NOT EXISTS (SELECT 1 FROM suppression
                  WHERE suppression.hash = known.hash AND suppression.newsletter IN ('', ?2))
  AND NOT EXISTS (SELECT 1 FROM reader_event
                  WHERE reader_event.subscriber = known.id AND reader_event.state <> 'pending');

-- name: confirm_pending
-- Those [[id, consent], …] are readers.
UPDATE subscriber SET state = 'active', since_ms = ?2, consent = due.value ->> 1,
  since_event = 1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'reader_event'), 0)
FROM json_each(?1) AS due WHERE subscriber.id = due.value ->> 0;

-- name: tell_confirmed
-- The readers [[id, consent], …] have been confirmed.
INSERT INTO reader_event (subscriber, at_ms, what, state, detail, consent)
SELECT subscriber.id, since_ms, 'confirmed', state, coalesce(place, ''), consent
FROM json_each(?1) AS each CROSS JOIN subscriber ON subscriber.id = each.value ->> 0
LEFT JOIN consent ON consent.id = subscriber.consent;

-- name: take_away
-- Readers of the lines who are in one of the states ?4 have left where the line says so. But a reader's own word that was given
-- here after that stands; so does one that was given after the same list, without a date, was brought in before. Beside each is whether it is
-- suppressed too.
UPDATE subscriber SET state = 'left', since_ms = ?3,
  since_event = 1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'reader_event'), 0)
WHERE id IN (
  SELECT known.id FROM json_each(?1) AS line
  CROSS JOIN subscriber AS known ON known.newsletter = ?2 AND known.key = line.value ->> 1
  LEFT JOIN consent ON consent.id = known.consent
  WHERE coalesce(line.value ->> 6, ?5) = 'left' AND known.state IN (SELECT value FROM json_each(?4))
    AND NOT (coalesce(consent.how, 'owner') NOT IN ('owner', 'import')
             AND coalesce(line.value ->> 8 < consent.at_ms, EXISTS (
               SELECT 1 FROM reader_event
               WHERE reader_event.subscriber = known.id AND what = 'imported' AND reader_event.state = 'left'))))
RETURNING id, EXISTS (SELECT 1 FROM suppression WHERE suppression.hash = subscriber.hash AND newsletter IN ('', ?2));

-- name: tell_taken_away
-- The readers [id, …] have left elsewhere.
INSERT INTO reader_event (subscriber, at_ms, what, state, detail)
SELECT subscriber.id, since_ms, 'imported', state, ?2
FROM json_each(?1) AS each CROSS JOIN subscriber ON subscriber.id = each.value;

-- name: count_suppressed
-- How many of the lines are suppressed, and do not say so themselves.
SELECT count(*) FROM json_each(?1) AS line
WHERE EXISTS (SELECT 1 FROM suppression
              WHERE suppression.hash = unhex(line.value ->> 3) AND suppression.newsletter IN ('', ?2)
                AND (reason = 'erased' OR coalesce(line.value ->> 10, 0) = 0));

-- name: last_consent
-- The number of the consent that was written last.
SELECT coalesce(max(id), 0) FROM consent;

-- name: forget_consents
-- Consents behind ?1 of which no event behind ?2 tells: their lines changed nothing.
DELETE FROM consent WHERE id > ?1
  AND id NOT IN (SELECT consent FROM reader_event WHERE number > ?2 AND consent IS NOT NULL);

-- name: ask_messages
-- A message for each of the lines who is pending, there and here, and was never asked. Else ?5 is their state there.
INSERT INTO message (id, lane, sender, size, eight_bit, peer_address, helo, protocol, tls, arrived_ms)
SELECT line.value ->> 5, 'own', '', ?3, 0, '', '', '', '', ?4
FROM json_each(?1) AS line
CROSS JOIN subscriber ON subscriber.newsletter = ?2 AND subscriber.key = line.value ->> 1
WHERE subscriber.state = 'pending' AND coalesce(line.value ->> 6, ?5) = 'pending'
  AND NOT EXISTS (SELECT 1 FROM suppression
                  WHERE suppression.hash = subscriber.hash AND suppression.newsletter IN ('', ?2))
  AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.subscriber = subscriber.id AND delivery.issue IS NULL);

-- name: confirm_deliveries
-- Its delivery for each of the lines that has a message.
INSERT INTO delivery (message, number, domain, recipient, state, octets, arrived_ms, due_ms, subscriber)
SELECT message.id, 1, (SELECT id FROM domain WHERE lane = 'own' AND name = line.value ->> 2),
       subscriber.mailbox, 'waiting', ?3, ?4, ?4, subscriber.id
FROM json_each(?1) AS line
CROSS JOIN message ON message.id = line.value ->> 5
CROSS JOIN subscriber ON subscriber.newsletter = ?2 AND subscriber.key = line.value ->> 1;

-- name: confirm_content
-- What the confirmation says, when it is known already.
INSERT INTO content (message, data) VALUES (?1, ?2);

-- name: add_own_domain
-- A domain in lane own exists.
INSERT INTO domain (lane, name) VALUES ('own', ?1) ON CONFLICT DO NOTHING;

-- name: add_own_message
-- A message of our own to one mailbox: a confirmation, or a copy for the owner's eyes.
INSERT INTO message (id, lane, sender, size, eight_bit, peer_address, helo, protocol, tls, arrived_ms)
VALUES (?1, 'own', '', ?2, 0, '', '', '', '', ?3);

-- name: add_copy
-- And its delivery, to somebody (?3) who is nobody's number (?6).
INSERT INTO delivery (message, number, domain, recipient, state, octets, arrived_ms, due_ms, subscriber)
SELECT ?1, 1, id, ?3, 'waiting', ?4, ?5, ?5, ?6 FROM domain WHERE lane = 'own' AND name = ?2;

-- name: lead
-- A reader goes to another state, and keeps the consent unless there is another.
UPDATE subscriber SET state = ?2, since_ms = ?3, consent = coalesce(?4, consent),
  since_event = 1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'reader_event'), 0)
WHERE id = ?1;

-- name: add_pending
-- A reader [mailbox, key, domain, hash] signs up; whether the address is suppressed, the caller has asked.
INSERT INTO subscriber (newsletter, key, mailbox, domain, hash, state, since_ms, since_event, created_ms, consent)
SELECT ?2, ?1 ->> 1, ?1 ->> 0, (SELECT id FROM domain WHERE lane = 'issues' AND name = ?1 ->> 2), unhex(?1 ->> 3),
       'pending', ?3, 1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'reader_event'), 0), ?3, ?4
WHERE true ON CONFLICT DO NOTHING;

-- name: pend
-- A reader in one of the states ?5 is pending, and the spelling last given is the one that mail goes to.
UPDATE subscriber SET state = 'pending', since_ms = ?3, consent = ?4, mailbox = ?6,
  since_event = 1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'reader_event'), 0)
WHERE newsletter = ?1 AND key = ?2 AND state IN (SELECT value FROM json_each(?5));

-- name: tell_signed_up
-- A reader has signed up.
INSERT INTO reader_event (subscriber, at_ms, what, state, detail, consent)
SELECT id, ?3, 'signed-up', state, ?4, ?5 FROM subscriber WHERE newsletter = ?1 AND key = ?2;

-- name: tell
-- Something happened to a reader.
INSERT INTO reader_event (subscriber, at_ms, what, state, detail, consent, evidence)
SELECT id, ?2, ?3, state, ?4, ?5, ?6 FROM subscriber WHERE id = ?1;

-- name: is_told
-- One row when something came of that mail already.
SELECT 1 FROM reader_event WHERE evidence = ?1;

-- name: confirmations
-- How many confirmations went to a reader since ?2, and when the last one did.
SELECT count(*), max(arrived_ms) FROM delivery INDEXED BY delivery_of_subscriber
WHERE subscriber = ?1 AND issue IS NULL AND subscriber IS NOT NULL AND arrived_ms >= ?2;

-- name: sign_ups
-- How many sign-ups came from a network since ?2, at most ?3 are counted.
SELECT count(*) FROM (SELECT 1 FROM sign_up WHERE prefix = ?1 AND at_ms >= ?2 LIMIT ?3);

-- name: asked_at
-- How many mails to a domain asked to confirm since ?2 and have (?3) or have not been answered, at most ?4.
SELECT count(*) FROM (
  SELECT 1 FROM sign_up WHERE domain = ?1 AND domain <> '' AND answered = ?3 AND at_ms >= ?2 LIMIT ?4);

-- name: asked_in_all
-- How many did, to whatever domain.
SELECT count(*) FROM (
  SELECT 1 FROM sign_up WHERE domain <> '' AND answered = ?2 AND at_ms >= ?1 LIMIT ?3);

-- name: active_in_all
-- How many readers there are, of all newsletters.
SELECT coalesce(sum(readers), 0) FROM reader_tally WHERE state = 'active';

-- name: count_sign_up
-- One more; with a domain (?3) when a mail asks the reader (?4) to confirm.
INSERT INTO sign_up (prefix, at_ms, domain, subscriber) VALUES (?1, ?2, ?3, ?4);

-- name: sign_up_answered
-- The reader has confirmed.
UPDATE sign_up SET answered = 1 WHERE subscriber = ?1;

-- name: forget_sign_ups
-- Those before ?1 do not count any more.
DELETE FROM sign_up WHERE rowid IN (SELECT rowid FROM sign_up WHERE at_ms < ?1 LIMIT ?2);

-- name: note_outcome
-- What came of a sign-up.
INSERT INTO sign_up_outcome (newsletter, hash, at_ms, how, outcome) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: bound_outcomes
-- Only the latest ?1 are kept.
DELETE FROM sign_up_outcome WHERE id <= last_insert_rowid() - ?1;

-- name: outcome_confirmed
-- A reader (hash ?1 of newsletter ?2) whom a mail asked (outcome ?3) has confirmed.
UPDATE sign_up_outcome SET confirmed = 1 WHERE hash = ?1 AND newsletter = ?2 AND outcome = ?3;

-- name: outcomes_of
-- What came of the sign-ups of one address, in order; the latest ?3.
SELECT at_ms, how, outcome, confirmed FROM (
  SELECT * FROM sign_up_outcome WHERE hash = ?1 AND newsletter = ?2 ORDER BY at_ms DESC, id DESC LIMIT ?3)
ORDER BY at_ms, id;

-- name: outcome_counts
-- How many sign-ups since ?2 came to what, and how many of them are confirmed.
SELECT outcome, count(*), sum(confirmed) FROM sign_up_outcome WHERE newsletter = ?1 AND at_ms >= ?2 GROUP BY outcome;

-- name: forget_outcomes
-- What came of those before ?1.
DELETE FROM sign_up_outcome WHERE id IN (SELECT id FROM sign_up_outcome WHERE at_ms < ?1 LIMIT ?2);

-- name: suppress
-- Addresses, as hashes [hash, …], get nothing any more; what their own sign-up would lift (?6) gives way to what it
-- would not.
INSERT INTO suppression (hash, newsletter, reason, at_ms, evidence, yields)
SELECT DISTINCT unhex(value), ?2, ?3, ?4, ?5, ?6 FROM json_each(?1) WHERE true
ON CONFLICT DO UPDATE SET
  reason = excluded.reason, at_ms = excluded.at_ms, evidence = excluded.evidence, yields = excluded.yields
WHERE suppression.yields > excluded.yields;

-- name: lift_by_reader
-- The reader has confirmed anew: what yields to that is lifted.
DELETE FROM suppression WHERE hash = ?1 AND newsletter IN ('', ?2) AND yields = 1;

-- name: suppress_each
-- Addresses, as rows [[hash, newsletter, reason, at, evidence, key, yields], …], get nothing any more.
INSERT INTO suppression (hash, newsletter, reason, at_ms, evidence, yields, key)
SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 6,
       (SELECT name FROM secret WHERE data = unhex(each.value ->> 5))
FROM json_each(?1) AS each WHERE true
ON CONFLICT DO UPDATE SET
  reason = excluded.reason, at_ms = excluded.at_ms, evidence = excluded.evidence, yields = excluded.yields
WHERE suppression.yields > excluded.yields;

-- name: suppressions
-- All suppressions of an address that concern a newsletter.
SELECT newsletter, reason, at_ms, evidence, yields FROM suppression
WHERE hash IN (SELECT unhex(value) FROM json_each(?1)) AND newsletter IN ('', ?2) ORDER BY newsletter;

-- name: suppressed_strangers
-- Suppressed addresses that are no reader's of the newsletter, with the key of the hash, behind (key, hash, for which).
SELECT secret.data, hash, suppression.newsletter, reason, at_ms, evidence, yields
FROM suppression CROSS JOIN secret ON secret.name = suppression.key
WHERE suppression.newsletter IN ('', ?1) AND (secret.data, hash, suppression.newsletter) > (?2, ?3, ?4)
  AND hash NOT IN (SELECT hash FROM subscriber WHERE newsletter = ?1)
ORDER BY secret.data, hash, suppression.newsletter LIMIT ?5;

-- name: keys_behind
-- Readers of all newsletters behind ?1, by the key that tells one from another.
SELECT id, key FROM subscriber WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: unsuppress
-- An address is no longer suppressed.
DELETE FROM suppression WHERE hash = ?1 AND newsletter = ?2;

-- name: suppression
-- Why an address is suppressed; what stays goes first, then what is for all newsletters.
SELECT newsletter, reason, at_ms, evidence, yields FROM suppression
WHERE hash = ?1 AND newsletter IN ('', ?2) ORDER BY yields, newsletter LIMIT 1;

-- name: suppressed_count
-- How many addresses are suppressed.
SELECT count(*) FROM suppression WHERE newsletter = ?1;

-- name: pending_before
-- Readers who have not confirmed since before ?1.
SELECT id FROM subscriber INDEXED BY subscriber_pending WHERE state = 'pending' AND since_ms < ?1 LIMIT ?2;

-- name: was_reader
-- One row when a reader was ever anything but pending.
SELECT 1 FROM reader_event WHERE subscriber = ?1 AND state <> 'pending' LIMIT 1;

-- name: missing_in_freeze
-- Issues being frozen whose audience somebody belongs to who has no row yet: they count one less when the reader goes.
UPDATE issue SET planned = planned - 1
WHERE state = 'freezing' AND newsletter = ?2 AND frozen_upto < ?1 AND 'active' = (
  SELECT iif(since_event <= issue.event, state, (
    SELECT state FROM reader_event WHERE subscriber = ?1 AND number <= issue.event ORDER BY number DESC LIMIT 1))
  FROM subscriber WHERE id = ?1);

-- name: erase_consents
-- What they agreed to from a network of their own goes; a consent that many share stays.
DELETE FROM consent WHERE prefix <> '' AND id IN (
  SELECT consent FROM reader_event WHERE subscriber = ?1 UNION SELECT consent FROM subscriber WHERE id = ?1);

-- name: erase_sign_ups
-- So does where they signed up from, and whether they confirmed.
DELETE FROM sign_up WHERE subscriber = ?1;

-- name: erase_outcomes
-- And what came of it each time.
DELETE FROM sign_up_outcome WHERE hash = (SELECT hash FROM subscriber WHERE id = ?1)
  AND newsletter = (SELECT newsletter FROM subscriber WHERE id = ?1);

-- name: erase_events
-- What happened to a reader goes.
DELETE FROM reader_event WHERE subscriber = ?1;

-- name: erase_bounces
-- So do the reports.
DELETE FROM bounce WHERE subscriber = ?1;

-- name: erase_told
-- And what was told of the deliveries.
DELETE FROM event WHERE (message, number) IN (
  SELECT message, number FROM delivery INDEXED BY delivery_of_subscriber WHERE subscriber = ?1);

-- name: erase_deliveries
-- Deliveries are still counted, and nobody's.
UPDATE delivery SET recipient = 'erased@invalid', host = '', reply = '' WHERE subscriber = ?1;

-- name: erase_reader
-- And the reader.
DELETE FROM subscriber WHERE id = ?1;

-- name: add_bounce
-- A mail came back; a report that was counted before is not counted again.
INSERT INTO bounce (evidence, subscriber, issue, at_ms, kind, status, text)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM subscriber WHERE id = ?2)
ON CONFLICT DO NOTHING;

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
