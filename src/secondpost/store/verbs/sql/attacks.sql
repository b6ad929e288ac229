-- Queries about attacks.

-- name: known
-- Which of these counts have a row.
-- set: chosen (day integer, rule text, network text)
SELECT attack.day, attack.rule, attack.network FROM chosen
JOIN attack ON attack.day = chosen.day AND attack.rule = chosen.rule AND attack.network = chosen.network;

-- name: networks
-- How many networks have a row, for each of these days and rules.
-- set: chosen (day integer, rule text)
SELECT attack.day, attack.rule, count(*) FROM chosen
JOIN attack ON attack.day = chosen.day AND attack.rule = chosen.rule
WHERE attack.network <> '' GROUP BY attack.day, attack.rule;

-- name: add
-- Add to the counts. The sample and place are those of the first, the client is that of the last.
-- pieces: new (day integer, rule text, network text, times integer, first_ms integer, last_ms integer, client text, place text, sample text)
INSERT INTO attack (day, rule, network, times, first_ms, last_ms, client, place, sample)
SELECT day, rule, network, times, first_ms, last_ms, client, place, sample FROM new WHERE true
ON CONFLICT (day, rule, network) DO UPDATE SET
  times = attack.times + excluded.times,
  first_ms = CASE WHEN excluded.first_ms < attack.first_ms THEN excluded.first_ms ELSE attack.first_ms END,
  last_ms = CASE WHEN excluded.last_ms > attack.last_ms THEN excluded.last_ms ELSE attack.last_ms END,
  client = CASE WHEN excluded.last_ms > attack.last_ms THEN excluded.client ELSE attack.client END;

-- name: since
-- The counts of day ?1 and later.
SELECT day, rule, network, times, first_ms, last_ms, client, place, sample FROM attack
WHERE day >= ?1 ORDER BY day, rule, network;

-- name: forget
-- Delete at most ?2 counts of days before ?1.
DELETE FROM attack WHERE (day, rule, network) IN (
  SELECT day, rule, network FROM attack WHERE day < ?1 ORDER BY day, rule, network LIMIT ?2);
