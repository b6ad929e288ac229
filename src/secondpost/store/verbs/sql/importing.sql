-- Queries about many readers at once: imports, and sign-ups never confirmed.

-- name: suppressed_among
-- Keys of lines whose address is suppressed. A line that states its own suppressions counts only if
-- the reader was erased here.
-- pieces: line (key text, hash blob, carries integer)
-- gives: key
SELECT line.key AS key FROM line
WHERE EXISTS (SELECT 1 FROM suppression
              WHERE suppression.hash = line.hash AND suppression.newsletter IN ('', ?1)
                AND (reason = 'erased' OR line.carries = 0));

-- name: known_among
-- What is known of readers among the lines, and how they last agreed.
-- set: line (key text)
-- gives: key, id, state, is_suppressed, was_reader, agreed_how, agreed_ms, was_taken_away
SELECT known.key AS key, known.id AS id, known.state AS state,
  CASE WHEN EXISTS (SELECT 1 FROM suppression
                    WHERE suppression.hash = known.hash AND suppression.newsletter IN ('', ?1))
       THEN 1 ELSE 0 END AS is_suppressed,
  CASE WHEN EXISTS (SELECT 1 FROM reader_event
                    WHERE reader_event.subscriber = known.id AND reader_event.state <> 'pending')
       THEN 1 ELSE 0 END AS was_reader,
  consent.how AS agreed_how, consent.at_ms AS agreed_ms,
  CASE WHEN EXISTS (SELECT 1 FROM reader_event
                    WHERE reader_event.subscriber = known.id AND what = 'imported' AND reader_event.state = 'left')
       THEN 1 ELSE 0 END AS was_taken_away
FROM line /*+ CROSS */ JOIN subscriber AS known ON known.newsletter = ?1 AND known.key = line.key
LEFT JOIN consent ON consent.id = known.consent;

-- name: tell_added
-- Record that the readers of newsletter ?1 with these keys were imported at ?2 and are in state ?3.
-- set: line (key text, detail text, consent integer)
INSERT INTO reader_event (subscriber, at_ms, what, state, detail, consent)
SELECT known.id, ?2, 'imported', ?3, line.detail, line.consent
FROM line /*+ CROSS */ JOIN subscriber AS known ON known.newsletter = ?1 AND known.key = line.key
ORDER BY known.id;

-- name: same_consent
-- One of the last 20 consents, if it is identical.
SELECT id FROM (SELECT * FROM consent ORDER BY id DESC LIMIT 20) AS latest
WHERE place = ?1 AND how = ?2 AND text = ?3 AND at_ms = ?4 AND prefix = ?5;

-- name: ask_messages
-- Add a message for each line whose reader is pending, not suppressed and was never asked.
-- set: line (key text, message integer)
INSERT INTO message (id, lane, sender, size, eight_bit, peer_address, helo, protocol, tls, arrived_ms)
SELECT line.message, 'own', '', 0, 0, '', '', '', '', ?2
FROM line /*+ CROSS */ JOIN subscriber ON subscriber.newsletter = ?1 AND subscriber.key = line.key
WHERE subscriber.state = 'pending'
  AND NOT EXISTS (SELECT 1 FROM suppression
                  WHERE suppression.hash = subscriber.hash AND suppression.newsletter IN ('', ?1))
  AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.subscriber = subscriber.id AND delivery.issue IS NULL);

-- name: ask_deliveries
-- Add the delivery of each message added before.
-- set: line (key text, message integer, domain text)
INSERT INTO delivery (message, number, domain, recipient, state, octets, arrived_ms, due_ms, subscriber)
SELECT message.id, 1, domain.id, subscriber.mailbox, 'waiting', 0, ?2, ?2, subscriber.id
FROM line
/*+ CROSS */ JOIN message ON message.id = line.message
/*+ CROSS */ JOIN domain ON domain.lane = 'own' AND domain.name = line.domain
/*+ CROSS */ JOIN subscriber ON subscriber.newsletter = ?1 AND subscriber.key = line.key;

-- name: pending_before
-- Readers pending since before ?1.
-- gives: id
SELECT id FROM subscriber /*+ INDEXED BY subscriber_pending */ WHERE state = 'pending' AND since_ms < ?1 LIMIT ?2;

-- name: were_readers
-- Which of the chosen readers were ever in another state than pending.
-- set: chosen (id integer)
-- gives: id
SELECT chosen.id AS id FROM chosen
WHERE EXISTS (SELECT 1 FROM reader_event
              WHERE reader_event.subscriber = chosen.id AND reader_event.state <> 'pending');

-- name: forget_sign_ups
-- Delete counted sign-ups before ?1: the oldest ?2, and those of the same millisecond as the last.
DELETE FROM sign_up WHERE at_ms < ?1 AND at_ms <= coalesce(
  (SELECT at_ms FROM sign_up WHERE at_ms < ?1 ORDER BY at_ms LIMIT 1 OFFSET ?2 - 1), ?1);

-- name: forget_outcomes
-- Delete up to ?2 outcomes of sign-ups before ?1.
DELETE FROM sign_up_outcome WHERE id IN (SELECT id FROM sign_up_outcome WHERE at_ms < ?1 LIMIT ?2);
