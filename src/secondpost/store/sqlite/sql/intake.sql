-- Queries of the receive role. `{rows}` stands for as many tuples of placeholders as there are rows.

-- name: add_domains
-- The domains of new deliveries exist, with lane and name.
INSERT INTO domain (lane, name) VALUES {rows} ON CONFLICT DO NOTHING;

-- name: add_messages
-- New messages, one tuple each.
INSERT INTO message (id, lane, sender, size, file, eight_bit, peer_address, helo, protocol, tls, arrived_ms, utf8)
VALUES {rows};

-- name: add_contents
-- The small contents of new messages.
INSERT INTO content (message, data) VALUES {rows};

-- name: add_deliveries
-- New deliveries; lane and name are looked up here, so that no process has to remember ids of domains.
WITH new (message, number, lane, name, recipient, state, kept_for, octets, arrived_ms) AS (VALUES {rows})
INSERT INTO delivery (message, number, domain, recipient, state, kept_for, octets, arrived_ms, due_ms)
SELECT message, number, (SELECT id FROM domain WHERE domain.lane = new.lane AND domain.name = new.name),
       recipient, state, kept_for, octets, arrived_ms, arrived_ms
FROM new;

-- name: stored_octets
-- What lies here for a relayed domain. What its primary refused has a room of its own.
SELECT coalesce(sum(octets), 0) FROM tally
WHERE domain IN (SELECT id FROM domain WHERE lane IN ('relay', 'unverified') AND name = ?1)
  AND state <> 'kept refused';

-- name: unverified_octets
-- What waits here for addresses of a relayed domain of which nothing is known.
SELECT coalesce(sum(octets), 0) FROM tally
WHERE domain = (SELECT id FROM domain WHERE lane = 'unverified' AND name = ?1) AND state NOT LIKE 'kept %';

-- name: learned
-- What is known about a mailbox.
SELECT known, at_ms, how FROM learned WHERE mailbox = ?1;

-- name: learn
-- What was found out about a mailbox replaces what was known.
INSERT INTO learned (mailbox, known, at_ms, how) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (mailbox) DO UPDATE SET known = excluded.known, at_ms = excluded.at_ms, how = excluded.how;

-- name: proven_prefixes
-- The ?2 networks that were last proven, at ?1 or later.
SELECT prefix, at_ms FROM proven_prefix WHERE at_ms >= ?1 ORDER BY at_ms DESC, prefix LIMIT ?2;

-- name: prove_prefix
-- A network is proven, unless it was later on.
INSERT INTO proven_prefix (prefix, at_ms) VALUES (?1, ?2)
ON CONFLICT (prefix) DO UPDATE SET at_ms = max(at_ms, excluded.at_ms);
