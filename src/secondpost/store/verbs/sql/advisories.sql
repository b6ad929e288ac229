-- Queries about advisories, and how asking for them went.

-- name: advisories
-- All that are kept.
SELECT id, record, since_ms FROM advisory ORDER BY id;

-- name: keep
-- Keep advisories; one that is there already stays as old as it is.
-- set: chosen (id text, record text)
INSERT INTO advisory (id, record, since_ms) SELECT id, record, ?1 FROM chosen WHERE true
ON CONFLICT (id) DO UPDATE SET record = excluded.record;

-- name: forget_others
-- Forget all but the chosen.
-- set: chosen (id text)
DELETE FROM advisory WHERE NOT EXISTS (SELECT 1 FROM chosen WHERE chosen.id = advisory.id);

-- name: look
-- How asking went; no row at first.
SELECT tried_ms, good_ms, failing_ms, why FROM advisory_look;

-- name: note_good
-- The service answered.
INSERT INTO advisory_look (one, tried_ms, good_ms) VALUES (1, ?1, ?1)
ON CONFLICT (one) DO UPDATE SET tried_ms = excluded.tried_ms, good_ms = excluded.good_ms, failing_ms = NULL, why = '';

-- name: note_bad
-- The service did not answer.
INSERT INTO advisory_look (one, tried_ms, failing_ms, why) VALUES (1, ?1, ?1, ?2)
ON CONFLICT (one) DO UPDATE SET
  tried_ms = excluded.tried_ms, failing_ms = coalesce(advisory_look.failing_ms, excluded.failing_ms), why = excluded.why;
