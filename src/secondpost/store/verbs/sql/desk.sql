-- Queries of the owner's desk. `{conditions}` are those of a selection (selecting.py).

-- name: columns
-- Part of other queries: the columns of a listed delivery.
SELECT d.message, d.number, domain.lane, d.state, d.kept_for, message.sender, d.recipient, d.first_recipient, domain.site,
       CASE WHEN EXISTS (SELECT 1 FROM site WHERE site.site = domain.site) THEN 1 ELSE 0 END, message.size, d.arrived_ms, d.due_ms,
       d.attempts, d.last_ms, d.cause, d.host, d.reply, d.maybe_duplicate

-- name: beside
-- Part of other queries: the tables joined to a listed delivery.
/*+ CROSS */ JOIN message ON message.id = d.message
/*+ CROSS */ JOIN domain ON domain.id = d.domain

-- name: page
-- Part of other queries: up to ?3 deliveries after the id (?1, ?2), by id.
(d.message, d.number) > (?1, ?2) {conditions}
ORDER BY d.message, d.number LIMIT ?3

-- name: listed
-- A page of deliveries. In `picked`, number 0 means all of a message.
-- set: picked (message integer, number integer)
{columns} FROM delivery AS d
{beside} WHERE {page};

-- name: listed_aside
-- A page of deliveries neither waiting nor ended normally, by their own index.
-- set: picked (message integer, number integer)
{columns} FROM delivery AS d /*+ INDEXED BY delivery_aside */
{beside} WHERE d.state IN ('held', 'kept', 'failed', 'expired', 'unknown') AND {page};

-- name: message
-- A message, and whether its content still exists.
SELECT lane, sender, size, peer_address, helo, protocol, tls, arrived_ms,
       CASE WHEN ended_ms IS NULL THEN 1 ELSE 0 END, authentication
FROM message WHERE id = ?1;

-- name: events
-- The events of a message and its deliveries, in order.
SELECT number, at_ms, what, detail FROM event WHERE message = ?1 ORDER BY id;

-- name: counts
-- Counts per domain and state, with claimed deliveries among waiting ones; arrival of the oldest
-- only for waiting ones. A delivery never tried is due at its arrival; the others have an index of
-- their own.
SELECT domain.id, domain.lane, domain.name, domain.site,
       CASE WHEN EXISTS (SELECT 1 FROM site WHERE site.site = domain.site) THEN 1 ELSE 0 END, tally.state, tally.deliveries, tally.octets,
       (SELECT arrived_ms FROM delivery /*+ INDEXED BY delivery_waiting */
        WHERE domain = tally.domain AND state = 'waiting' ORDER BY due_ms LIMIT 1),
       (SELECT arrived_ms FROM delivery /*+ INDEXED BY delivery_again */
        WHERE domain = tally.domain AND state = 'waiting' AND due_ms > arrived_ms ORDER BY arrived_ms LIMIT 1)
FROM tally JOIN domain ON domain.id = tally.domain
WHERE tally.deliveries > 0
ORDER BY domain.lane, domain.name, tally.state;

-- name: claimed_counts
-- Counts of claimed and committing deliveries per domain.
SELECT domain, count(*), sum(octets), min(arrived_ms) FROM delivery /*+ INDEXED BY delivery_claimed */
WHERE fence IS NOT NULL GROUP BY domain;

-- name: aside_oldest
-- Arrival of the oldest delivery per domain and state, for states other than waiting, named as in
-- the tally.
SELECT domain, CASE WHEN kept_for IS NULL THEN state ELSE 'kept ' || kept_for END, min(arrived_ms)
FROM delivery /*+ INDEXED BY delivery_aside */
WHERE state IN ('held', 'kept', 'failed', 'expired', 'unknown') AND ended_ms IS NULL GROUP BY 1, 2;

-- name: refused
-- Mail that primaries refused, per domain, and when the oldest was refused.
SELECT domain.name, sum(tally.deliveries), sum(tally.octets), min((
  SELECT coalesce(last_ms, arrived_ms) FROM delivery /*+ INDEXED BY delivery_refused */
  WHERE domain = tally.domain AND kept_for = 'refused' ORDER BY last_ms LIMIT 1))
FROM domain JOIN tally ON tally.domain = domain.id AND tally.state = 'kept refused'
WHERE domain.lane IN ('relay', 'unverified') AND tally.deliveries > 0
GROUP BY domain.name ORDER BY domain.name;

-- name: oldest_refused
-- Up to ?3 deliveries of a lane that the domain's primary refused, oldest first: when, their octets
-- in the tally, and the octets of content that must be removed from the table.
SELECT message, number, coalesce(last_ms, delivery.arrived_ms), octets,
       CASE WHEN message.file IS NULL THEN size ELSE 0 END
FROM domain
/*+ CROSS */ JOIN delivery /*+ INDEXED BY delivery_refused */ ON delivery.domain = domain.id AND kept_for = 'refused'
/*+ CROSS */ JOIN message ON message.id = delivery.message
WHERE domain.lane = ?1 AND domain.name = ?2
ORDER BY last_ms, delivery.message, number LIMIT ?3;

-- name: refused_octets
-- Octets kept here that the domain's primary refused.
SELECT coalesce(sum(octets), 0) FROM tally
WHERE domain IN (SELECT id FROM domain WHERE lane IN ('relay', 'unverified') AND name = ?1)
  AND state = 'kept refused';

-- name: content_place
-- Size of the message with its prefix, file of its content, prefix; no row if they no longer exist.
SELECT message.size, message.file, content.prefix
FROM message LEFT JOIN content ON content.message = message.id WHERE message.id = ?1 AND message.ended_ms IS NULL;

-- name: content_piece
-- Up to ?3 octets of a content in the table, from position ?2, counted from 1.
SELECT substr(data, CAST(?2 AS integer), CAST(?3 AS integer)) FROM content WHERE message = ?1;

-- name: still_there
-- Which of the chosen deliveries are in a state that permits the move; if content is needed (?1),
-- only those that have it. ?2 includes mail to readers, which a redirect excludes: it is for its
-- reader alone. What a copy of the store holds moves only when the owner accepts the copy.
-- set: chosen (message integer, number integer)
-- gives: message, number, domain
SELECT message, number, domain FROM delivery
WHERE (message, number) IN (SELECT message, number FROM chosen) {conditions}
  AND NOT (state = 'held' AND cause = 'copied')
  AND (ended_ms IS NULL OR ?1 = 0) AND (subscriber IS NULL OR ?2 = 1);

-- name: move
-- Move the chosen deliveries to a state; waiting means due now, and ?3 says whether the state is an
-- end.
-- set: chosen (message integer, number integer)
UPDATE delivery SET
  state = ?1, fence = NULL, kept_for = NULL, last_ms = ?2, level = '',
  due_ms = CASE WHEN ?1 <> 'waiting' THEN due_ms WHEN arrived_ms > ?2 THEN arrived_ms ELSE ?2 END,
  ended_ms = CASE WHEN ?3 = 1 THEN ?2 END
FROM chosen
WHERE delivery.message = chosen.message AND delivery.number = chosen.number;

-- name: workers_but_of
-- Roles and locks of all workers except those of one role.
SELECT role, lock FROM worker WHERE role <> ?1;

-- name: redirect
-- Send the chosen deliveries to another mailbox, at a domain of lane own, as if never tried.
-- set: chosen (message integer, number integer)
UPDATE delivery SET
  state = 'waiting', fence = NULL, kept_for = NULL, last_ms = ?2,
  due_ms = CASE WHEN arrived_ms > ?2 THEN arrived_ms ELSE ?2 END,
  attempts = 0, first_attempt_ms = NULL, cause = '', level = '', host = '', reply = '',
  recipient = ?1, first_recipient = coalesce(first_recipient, recipient),
  domain = (SELECT id FROM domain WHERE lane = 'own' AND name = ?3)
FROM chosen
WHERE delivery.message = chosen.message AND delivery.number = chosen.number;

-- name: tell_redirect
-- Record for each chosen delivery that it is redirected, from which mailbox to which.
-- set: chosen (message integer, number integer)
INSERT INTO event (message, number, at_ms, what, detail)
SELECT delivery.message, delivery.number, ?2, 'redirected', trim('from ' || recipient || ' to ' || ?1 || ' ' || ?3)
FROM chosen
/*+ CROSS */ JOIN delivery ON delivery.message = chosen.message AND delivery.number = chosen.number;

-- name: add_domain
-- Add the domain of a redirect.
INSERT INTO domain (lane, name) VALUES ('own', ?1) ON CONFLICT DO NOTHING;

-- name: tell
-- Record an event of each chosen delivery.
-- set: chosen (message integer, number integer)
INSERT INTO event (message, number, at_ms, what, detail)
SELECT message, number, ?1, ?2, ?3 FROM chosen;
