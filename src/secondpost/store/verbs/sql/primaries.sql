-- Queries about primaries of backup domains.

-- name: saw_primary
-- Record that a primary accepted a connection, and what it offered; a known one keeps its since_ms.
INSERT INTO primary_site (site, since_ms, looked_ms, size_max, smtputf8) VALUES (?1, ?2, ?2, ?3, ?4)
ON CONFLICT (site) DO UPDATE SET
  looked_ms = excluded.looked_ms, size_max = excluded.size_max, smtputf8 = excluded.smtputf8;

-- name: primary_up
-- Record that a primary that was down is up since ?2.
UPDATE primary_site SET since_ms = ?2 WHERE site = ?1;

-- name: relay_sites
-- The site of each domain that is or was backed up.
SELECT name, site FROM domain WHERE lane = 'relay';

-- name: primaries
-- Domains that are or were backed up, with their primary, if it ever accepted a connection.
SELECT domain.name, domain.site, since_ms, looked_ms, size_max, smtputf8
FROM domain /*+ CROSS */ JOIN primary_site ON primary_site.site = domain.site WHERE domain.lane = 'relay';

-- name: kept_for
-- Number of deliveries per domain kept for a cause.
SELECT domain.name, count(*)
FROM delivery AS d /*+ INDEXED BY delivery_aside */ /*+ CROSS */ JOIN domain ON domain.id = d.domain
WHERE d.state = 'kept' AND d.state IN ('held', 'kept', 'failed', 'expired', 'unknown') AND d.cause = ?1
  AND domain.lane IN ('relay', 'unverified')
GROUP BY domain.name;

-- name: recipients_learned
-- Number of mailboxes known to exist that end with ?1, an @ and a domain.
SELECT count(*) FROM learned WHERE known = 1 AND mailbox LIKE '%' || ?1;

-- name: forgotten_primaries
-- Primaries not seen since ?1 and not down: no domain leads to them any more.
SELECT site FROM primary_site WHERE looked_ms < ?1 AND site NOT IN (SELECT site FROM site);

-- name: forget_primaries
-- Delete primaries not seen since ?1 and not down.
DELETE FROM primary_site WHERE looked_ms < ?1 AND site NOT IN (SELECT site FROM site);
