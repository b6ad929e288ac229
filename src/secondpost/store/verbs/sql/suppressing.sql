-- Queries of addresses that get nothing, which are kept as keyed hashes.

-- name: keys
-- The keys of hashes: our own, and those of other stores whose hashes came in with their exports.
SELECT name, data FROM secret WHERE name = 'suppression' OR name LIKE 'suppression %' ORDER BY name;

-- name: add_key
-- Another store's key by the name ?1, unless it is known or our own.
INSERT INTO secret (name, data) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM secret WHERE data = ?2);

-- name: recognise
-- What is suppressed by the hash of another store is so by our own hash too.
-- set: pair (other blob, own blob)
INSERT INTO suppression (hash, newsletter, reason, at_ms, evidence, yields)
SELECT pair.own, newsletter, reason, at_ms, evidence, yields
FROM pair /*+ CROSS */ JOIN suppression AS known ON known.hash = pair.other
WHERE true
ON CONFLICT (hash, newsletter) DO UPDATE SET
  reason = excluded.reason, at_ms = excluded.at_ms, evidence = excluded.evidence, yields = excluded.yields
WHERE suppression.yields > excluded.yields;

-- name: forget_recognised
-- The hashes of another store that were recognised have had their use.
-- set: chosen (hash blob)
DELETE FROM suppression WHERE hash IN (SELECT chosen.hash FROM chosen);

-- name: suppress
-- Addresses get nothing any more, for newsletter ?1; what their own sign-up would lift (?5) gives way to what it would
-- not.
-- set: chosen (hash blob)
INSERT INTO suppression (hash, newsletter, reason, at_ms, evidence, yields)
SELECT chosen.hash, ?1, ?2, ?3, ?4, ?5 FROM chosen WHERE true
ON CONFLICT (hash, newsletter) DO UPDATE SET
  reason = excluded.reason, at_ms = excluded.at_ms, evidence = excluded.evidence, yields = excluded.yields
WHERE suppression.yields > excluded.yields;

-- name: suppress_each
-- Addresses get nothing any more, each for a newsletter and a reason of its own; `secret` is the key of its hash.
-- set: line (hash blob, newsletter text, reason text, at_ms integer, evidence text, yields integer, secret blob)
INSERT INTO suppression (hash, newsletter, reason, at_ms, evidence, yields, key)
SELECT line.hash, line.newsletter, line.reason, line.at_ms, line.evidence, line.yields,
       (SELECT name FROM secret WHERE data = line.secret)
FROM line WHERE true
ON CONFLICT (hash, newsletter) DO UPDATE SET
  reason = excluded.reason, at_ms = excluded.at_ms, evidence = excluded.evidence, yields = excluded.yields
WHERE suppression.yields > excluded.yields;

-- name: lift_by_reader
-- The reader has confirmed anew: what yields to that is lifted.
DELETE FROM suppression WHERE hash = ?1 AND newsletter IN ('', ?2) AND yields = 1;

-- name: unsuppress
-- An address is no longer suppressed.
DELETE FROM suppression WHERE hash = ?1 AND newsletter = ?2;

-- name: keys_behind
-- Readers of all newsletters behind ?1, by the key that tells one from another.
-- gives: id, key
SELECT id, key FROM subscriber WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: suppression
-- Why an address is suppressed; what stays goes first, then what is for all newsletters.
SELECT newsletter, reason, at_ms, evidence, yields FROM suppression
WHERE hash = ?1 AND newsletter IN ('', ?2) ORDER BY yields, newsletter LIMIT 1;

-- name: suppressions
-- All suppressions of an address, by any of its hashes, that concern a newsletter.
-- set: chosen (hash blob)
SELECT newsletter, reason, at_ms, evidence, yields FROM suppression
WHERE suppression.hash IN (SELECT chosen.hash FROM chosen) AND newsletter IN ('', ?1) ORDER BY newsletter;

-- name: suppressed_strangers
-- Suppressed addresses that are no reader's of the newsletter, with the key of the hash, behind (key, hash, for which).
SELECT secret.data, hash, suppression.newsletter, reason, at_ms, evidence, yields
FROM suppression /*+ CROSS */ JOIN secret ON secret.name = suppression.key
WHERE suppression.newsletter IN ('', ?1) AND (secret.data, hash, suppression.newsletter) > (?2, ?3, ?4)
  AND hash NOT IN (SELECT hash FROM subscriber WHERE newsletter = ?1)
ORDER BY secret.data, hash, suppression.newsletter LIMIT ?5;

-- name: suppressed_count
-- How many addresses are suppressed.
SELECT count(*) FROM suppression WHERE newsletter = ?1;
