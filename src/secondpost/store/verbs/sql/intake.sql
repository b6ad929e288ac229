-- Queries of the receive role.

-- name: add_domains
-- Add the domains of new deliveries.
-- pieces: new (lane text, name text)
INSERT INTO domain (lane, name) SELECT lane, name FROM new WHERE true ON CONFLICT DO NOTHING;

-- name: add_messages
-- Add messages.
-- pieces: new (id integer, lane text, sender text, size integer, file text, eight_bit integer, peer_address text, helo text, protocol text, tls text, arrived_ms integer, utf8 text, authentication text, seal_instance integer, chain_status text, body_hash blob)
INSERT INTO message (id, lane, sender, size, file, eight_bit, peer_address,
                     helo, protocol, tls, arrived_ms, utf8, authentication, seal_instance, chain_status, body_hash)
SELECT id, lane, sender, size, file, eight_bit, peer_address,
       helo, protocol, tls, arrived_ms, utf8, authentication, seal_instance, chain_status, body_hash FROM new;

-- name: add_contents
-- Add the prefixes of messages, and the contents that are small.
-- pieces: new (message integer, prefix blob, data blob)
INSERT INTO content (message, prefix, data) SELECT message, prefix, data FROM new;

-- name: add_deliveries
-- Add deliveries; domain ids are looked up here, so that no process has to cache them.
-- pieces: new (message integer, number integer, lane text, name text, recipient text, state text, kept_for text, octets integer, arrived_ms integer)
INSERT INTO delivery (message, number, domain, recipient, state, kept_for, octets, arrived_ms, due_ms)
SELECT message, number, (SELECT id FROM domain WHERE domain.lane = new.lane AND domain.name = new.name),
       recipient, state, kept_for, octets, arrived_ms, arrived_ms
FROM new;

-- name: stored_octets
-- Octets stored for a relayed domain, without mail its primary refused, which has its own limit.
SELECT coalesce(sum(octets), 0) FROM tally
WHERE domain IN (SELECT id FROM domain WHERE lane IN ('relay', 'unverified') AND name = ?1)
  AND state <> 'kept refused';

-- name: unverified_octets
-- Octets waiting for unverified addresses of a relayed domain.
SELECT coalesce(sum(octets), 0) FROM tally
WHERE domain = (SELECT id FROM domain WHERE lane = 'unverified' AND name = ?1) AND state NOT LIKE 'kept %';

-- name: learned
-- What is known of a mailbox.
SELECT known, at_ms, how FROM learned WHERE mailbox = ?1;

-- name: learn
-- Record what was learned of a mailbox.
INSERT INTO learned (mailbox, known, at_ms, how) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (mailbox) DO UPDATE SET known = excluded.known, at_ms = excluded.at_ms, how = excluded.how;

-- name: proven_prefixes
-- The ?2 networks last proven at or after ?1.
SELECT prefix, at_ms FROM proven_prefix WHERE at_ms >= ?1 ORDER BY at_ms DESC, prefix LIMIT ?2;

-- name: prove_prefix
-- Record a proven network, unless it was proven later.
INSERT INTO proven_prefix (prefix, at_ms) VALUES (?1, ?2)
ON CONFLICT (prefix) DO UPDATE SET at_ms = excluded.at_ms WHERE excluded.at_ms > proven_prefix.at_ms;
