-- Queries about what networks of other countries see of the MX addresses.

-- name: views
-- All views, by address and country.
SELECT address, country, host, domains, verdict, since_ms, looked_ms, confirmation, confirmed_ms
FROM reach_view ORDER BY address, country;

-- name: networks
-- The networks of all views.
SELECT address, country, asn, name, failed, passed, is_blocked, since_ms, looked_ms
FROM reach_network ORDER BY address, country, asn;

-- name: note_view
-- Write a view in place of an older one.
INSERT INTO reach_view (address, country, host, domains, verdict, since_ms, looked_ms, confirmation, confirmed_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (address, country) DO UPDATE SET
  host = excluded.host, domains = excluded.domains, verdict = excluded.verdict, since_ms = excluded.since_ms,
  looked_ms = excluded.looked_ms, confirmation = excluded.confirmation, confirmed_ms = excluded.confirmed_ms;

-- name: forget_view
-- Delete a view.
DELETE FROM reach_view WHERE address = ?1 AND country = ?2;

-- name: forget_networks
-- Delete the networks of a view.
DELETE FROM reach_network WHERE address = ?1 AND country = ?2;

-- name: add_networks
-- Add the networks of a view.
-- pieces: new (address text, country text, asn integer, name text, failed integer, passed integer, is_blocked integer, since_ms integer, looked_ms integer)
INSERT INTO reach_network (address, country, asn, name, failed, passed, is_blocked, since_ms, looked_ms)
SELECT address, country, asn, name, failed, passed, is_blocked, since_ms, looked_ms FROM new;

-- name: counts
-- What the rounds since ?1 found.
SELECT at_ms, address, country, passes, fails, unknown FROM reach_count WHERE at_ms >= ?1
ORDER BY at_ms, address, country;

-- name: last_counts
-- What the last round found.
SELECT at_ms, address, country, passes, fails, unknown FROM reach_count
WHERE at_ms = (SELECT max(at_ms) FROM reach_count) ORDER BY address, country;

-- name: add_counts
-- Add what a round found.
-- pieces: new (at_ms integer, address text, country text, passes integer, fails integer, unknown integer)
INSERT INTO reach_count (at_ms, address, country, passes, fails, unknown)
SELECT at_ms, address, country, passes, fails, unknown FROM new WHERE true
ON CONFLICT DO NOTHING;

-- name: forget_counts
-- Delete a batch of what rounds before ?1 found.
DELETE FROM reach_count WHERE (at_ms, address, country) IN (
  SELECT at_ms, address, country FROM reach_count WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2);

-- name: sources
-- How the sources stand that were asked.
SELECT source, used, window_ms, rests_until_ms, answered_ms, failed_ms, failure, found
FROM reach_source ORDER BY source;

-- name: note_source
-- Write how a source stands.
INSERT INTO reach_source (source, used, window_ms, rests_until_ms, answered_ms, failed_ms, failure, found)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (source) DO UPDATE SET
  used = excluded.used, window_ms = excluded.window_ms, rests_until_ms = excluded.rests_until_ms,
  answered_ms = excluded.answered_ms, failed_ms = excluded.failed_ms, failure = excluded.failure,
  found = excluded.found;

-- name: contexts
-- What sources that decide nothing say.
SELECT source, subject, country, at_ms, text FROM reach_context ORDER BY source, subject, country;

-- name: forget_contexts
-- Delete what a source says of a country.
DELETE FROM reach_context WHERE source = ?1 AND country = ?2;

-- name: add_contexts
-- Add what a source says.
-- pieces: new (source text, subject text, country text, at_ms integer, text text)
INSERT INTO reach_context (source, subject, country, at_ms, text)
SELECT source, subject, country, at_ms, text FROM new WHERE true
ON CONFLICT DO NOTHING;

-- name: answers
-- The latest answers, without their bodies.
SELECT number, at_ms, source, asked, status, octets FROM reach_answer ORDER BY number DESC LIMIT ?1;

-- name: answer
-- One answer with its body.
SELECT number, at_ms, source, asked, status, octets, body FROM reach_answer WHERE number = ?1;

-- name: add_answer
-- Keep an answer under the next number.
INSERT INTO reach_answer (number, at_ms, source, asked, status, octets, body)
SELECT coalesce(max(number), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6 FROM reach_answer
RETURNING number;

-- name: forget_answers
-- Delete answers up to this number.
DELETE FROM reach_answer WHERE number <= ?1;
