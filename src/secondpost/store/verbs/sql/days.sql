-- Queries of daily counts.

-- name: add_domain
-- Add a domain of refused recipients, which may never have had mail here.
INSERT INTO domain (lane, name) VALUES ('relay', ?1) ON CONFLICT DO NOTHING;

-- name: count_refused
-- Add to the count of a domain's refused recipients.
INSERT INTO day_tally (day, domain, what, deliveries)
VALUES (?1, (SELECT id FROM domain WHERE lane = 'relay' AND name = ?2), ?3, ?4)
ON CONFLICT (day, domain, what) DO UPDATE SET deliveries = day_tally.deliveries + excluded.deliveries;

-- name: day_counts
-- Counts of each domain that is or was backed up: on day ?1, and from day ?2 to ?1.
SELECT domain.name, what, sum(CASE WHEN day = ?1 THEN deliveries ELSE 0 END), sum(deliveries)
FROM day_tally /*+ CROSS */ JOIN domain ON domain.id = day_tally.domain
WHERE day BETWEEN ?2 AND ?1 AND domain.lane IN ('relay', 'unverified') GROUP BY domain.name, what;

-- name: days_before
-- One row if there are counts before a day.
SELECT day FROM day_tally WHERE day < ?1 LIMIT 1;

-- name: forget_days
-- Delete counts before a day, in batches of ?2.
DELETE FROM day_tally WHERE (day, domain, what) IN (
  SELECT day, domain, what FROM day_tally WHERE day < ?1 LIMIT ?2);
