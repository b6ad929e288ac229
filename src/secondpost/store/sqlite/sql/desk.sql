-- Queries of the owner's desk. `{conditions}` is what a selection asks for (desk.py).

-- name: listed
-- A page of deliveries behind an id, in order of id.
SELECT d.message, d.number, domain.lane, d.state, d.kept_for, message.sender, d.recipient, d.first_recipient, domain.site,
       EXISTS (SELECT 1 FROM site WHERE site.site = domain.site), message.size, d.arrived_ms, d.due_ms,
       d.attempts, d.last_ms, d.cause, d.host, d.reply, d.maybe_duplicate
FROM delivery AS d {index}
CROSS JOIN message ON message.id = d.message
CROSS JOIN domain ON domain.id = d.domain
WHERE (d.message, d.number) > (?, ?) {conditions}
ORDER BY d.message, d.number LIMIT ?;

-- name: message
-- A message, and whether its content is still there.
SELECT lane, sender, size, peer_address, helo, protocol, tls, arrived_ms, ended_ms IS NULL
FROM message WHERE id = ?1;

-- name: told
-- What happened to a message and its deliveries, in order.
SELECT number, at_ms, what, detail FROM event WHERE message = ?1 ORDER BY id;

-- name: counts
-- What lies here per domain and state, claimed among waiting; the oldest only for what waits. A delivery
-- that was never tried is due as it arrived; the others have an index of their own.
SELECT domain.id, domain.lane, domain.name, domain.site,
       EXISTS (SELECT 1 FROM site WHERE site.site = domain.site), tally.state, tally.deliveries, tally.octets,
       (SELECT arrived_ms FROM delivery INDEXED BY delivery_waiting
        WHERE domain = tally.domain AND state = 'waiting' ORDER BY due_ms LIMIT 1),
       (SELECT arrived_ms FROM delivery INDEXED BY delivery_again
        WHERE domain = tally.domain AND state = 'waiting' AND due_ms > arrived_ms ORDER BY arrived_ms LIMIT 1)
FROM tally JOIN domain ON domain.id = tally.domain
WHERE tally.deliveries > 0
ORDER BY domain.lane, domain.name, tally.state;

-- name: claimed_counts
-- What of it is claimed or committing, per domain.
SELECT domain, count(*), sum(octets), min(arrived_ms) FROM delivery INDEXED BY delivery_claimed
WHERE fence IS NOT NULL GROUP BY domain;

-- name: aside_oldest
-- When the oldest of a domain that lies aside arrived, per state, in the words of the tally.
SELECT domain, iif(kept_for IS NULL, state, 'kept ' || kept_for), min(arrived_ms)
FROM delivery INDEXED BY delivery_aside
WHERE state IN ('held', 'kept', 'failed', 'expired', 'unknown') AND ended_ms IS NULL GROUP BY 1, 2;

-- name: refused
-- What primaries have refused, per domain, and when the first of it was.
SELECT domain.name, sum(tally.deliveries), sum(tally.octets), min((
  SELECT coalesce(last_ms, arrived_ms) FROM delivery INDEXED BY delivery_refused
  WHERE domain = tally.domain AND kept_for = 'refused' ORDER BY last_ms LIMIT 1))
FROM domain JOIN tally ON tally.domain = domain.id AND tally.state = 'kept refused'
WHERE domain.lane IN ('relay', 'unverified') AND tally.deliveries > 0
GROUP BY domain.name ORDER BY domain.name;

-- name: oldest_refused
-- Up to ?3 deliveries of a lane that the primary of a domain refused, the oldest first: when, its octets in the
-- tally, and what it takes to remove its content.
SELECT message, number, coalesce(last_ms, delivery.arrived_ms), octets, iif(message.file IS NULL, size, 0)
FROM domain
CROSS JOIN delivery INDEXED BY delivery_refused ON delivery.domain = domain.id AND kept_for = 'refused'
CROSS JOIN message ON message.id = delivery.message
WHERE domain.lane = ?1 AND domain.name = ?2
ORDER BY last_ms LIMIT ?3;

-- name: refused_octets
-- How much of what the primary of a domain refused lies here.
SELECT coalesce(sum(octets), 0) FROM tally
WHERE domain IN (SELECT id FROM domain WHERE lane IN ('relay', 'unverified') AND name = ?1)
  AND state = 'kept refused';

-- name: content_place
-- Where the content is and how large; no row when it is gone.
SELECT file, size FROM message WHERE id = ?1 AND ended_ms IS NULL;

-- name: still_there
-- Which of the chosen deliveries are in one of these states, as [message, number, domain]; when content is
-- needed, only those whose message has it. Mail to a reader is for nobody else, and its end is nobody's news.
SELECT json_group_array(json_array(message, number, domain)) FROM delivery
WHERE (message, number) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))
  AND state IN (SELECT value FROM json_each(?2)) AND (ended_ms IS NULL OR NOT ?3) AND (subscriber IS NULL OR ?4);

-- name: move
-- The chosen deliveries, [[message, number, …], …], go to a state; waiting means due now.
UPDATE delivery SET
  state = ?2, fence = NULL, kept_for = NULL, last_ms = ?3, level = '',
  due_ms = iif(?2 = 'waiting', max(?3, arrived_ms), due_ms),
  ended_ms = iif(?2 IN ('delivered', 'reported', 'dropped'), ?3, NULL)
FROM json_each(?1) AS chosen
WHERE delivery.message = chosen.value ->> 0 AND delivery.number = chosen.value ->> 1;

-- name: locks_but_of
-- Of all workers that did not enter in this role.
SELECT lock FROM worker WHERE role <> ?1;

-- name: redirect
-- The chosen deliveries go to another mailbox, at a domain of lane own, as if they had not been tried.
UPDATE delivery SET
  state = 'waiting', fence = NULL, kept_for = NULL, last_ms = ?3, due_ms = max(?3, arrived_ms),
  attempts = 0, first_attempt_ms = NULL, cause = '', level = '', host = '', reply = '',
  recipient = ?2, first_recipient = coalesce(first_recipient, recipient), domain = (SELECT id FROM domain WHERE lane = 'own' AND name = ?4)
FROM json_each(?1) AS chosen
WHERE delivery.message = chosen.value ->> 0 AND delivery.number = chosen.value ->> 1;

-- name: tell_redirect
-- Each of the chosen deliveries is about to go to another mailbox: from which to which.
INSERT INTO event (message, number, at_ms, what, detail)
SELECT message, number, ?3, 'redirected', trim('from ' || recipient || ' to ' || ?2 || ' ' || ?4)
FROM json_each(?1) AS chosen
CROSS JOIN delivery ON delivery.message = chosen.value ->> 0 AND delivery.number = chosen.value ->> 1;

-- name: add_domain
-- The domain of a redirect exists.
INSERT INTO domain (lane, name) VALUES ('own', ?1) ON CONFLICT DO NOTHING;

-- name: tell
-- Something happened to each of the chosen deliveries.
INSERT INTO event (message, number, at_ms, what, detail)
SELECT value ->> 0, value ->> 1, ?2, ?3, ?4 FROM json_each(?1);
