-- Queries about suppressed addresses, which are kept as keyed hashes.

-- name: keys
-- The hash keys: our own, and those of other stores whose exports were imported.
SELECT name, data FROM secret WHERE name = 'suppression' OR name LIKE 'suppression %' ORDER BY name;

-- name: add_key
-- Add another store's key under the name ?1, unless it is known or our own.
INSERT INTO secret (name, data) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM secret WHERE data = ?2);

-- name: recognise
-- Add our own hash for addresses suppressed by another store's hash.
-- set: pair (other blob, own blob)
INSERT INTO suppression (hash, newsletter, reason, at_ms, evidence, yields)
SELECT pair.own, newsletter, reason, at_ms, evidence, yields
FROM pair /*+ CROSS */ JOIN suppression AS known ON known.hash = pair.other
WHERE true
ON CONFLICT (hash, newsletter) DO UPDATE SET
  reason = excluded.reason, at_ms = excluded.at_ms, evidence = excluded.evidence, yields = excluded.yields
WHERE suppression.yields > excluded.yields;

-- name: forget_recognised
-- Delete hashes of other stores that were replaced by our own.
-- set: chosen (hash blob)
DELETE FROM suppression WHERE hash IN (SELECT chosen.hash FROM chosen);

-- name: suppress
-- Suppress addresses for newsletter ?1, permanently or until a sign-up (?5 = 1). A suppression that
-- exists is replaced only if a sign-up would lift it and the new one is permanent.
-- set: chosen (hash blob)
INSERT INTO suppression (hash, newsletter, reason, at_ms, evidence, yields)
SELECT chosen.hash, ?1, ?2, ?3, ?4, ?5 FROM chosen WHERE true
ON CONFLICT (hash, newsletter) DO UPDATE SET
  reason = excluded.reason, at_ms = excluded.at_ms, evidence = excluded.evidence, yields = excluded.yields
WHERE suppression.yields > excluded.yields;

-- name: suppress_each
-- Suppress addresses, each for its own newsletter and reason; `secret` is the key of its hash.
-- set: line (hash blob, newsletter text, reason text, at_ms integer, evidence text, yields integer, secret blob)
INSERT INTO suppression (hash, newsletter, reason, at_ms, evidence, yields, key)
SELECT line.hash, line.newsletter, line.reason, line.at_ms, line.evidence, line.yields,
       (SELECT name FROM secret WHERE data = line.secret)
FROM line WHERE true
ON CONFLICT (hash, newsletter) DO UPDATE SET
  reason = excluded.reason, at_ms = excluded.at_ms, evidence = excluded.evidence, yields = excluded.yields
WHERE suppression.yields > excluded.yields;

-- name: lift_by_reader
-- Lift suppressions that yield, after the reader has confirmed again.
DELETE FROM suppression WHERE hash = ?1 AND newsletter IN ('', ?2) AND yields = 1;

-- name: unsuppress
-- Lift the suppression of an address.
DELETE FROM suppression WHERE hash = ?1 AND newsletter = ?2;

-- name: keys_behind
-- Readers of all newsletters after id ?1, with their keys.
-- gives: id, key
SELECT id, key FROM subscriber WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: suppression
-- Why an address is suppressed: permanent suppressions first, then those for all newsletters.
SELECT newsletter, reason, at_ms, evidence, yields FROM suppression
WHERE hash = ?1 AND newsletter IN ('', ?2) ORDER BY yields, newsletter LIMIT 1;

-- name: suppressions
-- All suppressions of an address that apply to a newsletter, by any of its hashes.
-- set: chosen (hash blob)
SELECT newsletter, reason, at_ms, evidence, yields FROM suppression
WHERE suppression.hash IN (SELECT chosen.hash FROM chosen) AND newsletter IN ('', ?1) ORDER BY newsletter;

-- name: suppressed_strangers
-- Suppressed addresses that are not readers of the newsletter, with their hash key, after (key,
-- hash, newsletter).
SELECT secret.data, hash, suppression.newsletter, reason, at_ms, evidence, yields
FROM suppression /*+ CROSS */ JOIN secret ON secret.name = suppression.key
WHERE suppression.newsletter IN ('', ?1) AND (secret.data, hash, suppression.newsletter) > (?2, ?3, ?4)
  AND hash NOT IN (SELECT hash FROM subscriber WHERE newsletter = ?1)
ORDER BY secret.data, hash, suppression.newsletter LIMIT ?5;

-- name: suppressed_count
-- The number of suppressed addresses.
SELECT count(*) FROM suppression WHERE newsletter = ?1;
