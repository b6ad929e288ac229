-- Queries about where mail comes from.

-- name: pending_count
-- Number of messages of which it is not known yet what became of them.
SELECT count(*) FROM arrival_pending;

-- name: add_pending
-- Add messages of which it is not known yet what becomes of them.
-- pieces: new (message integer, domain text, arrived_ms integer, hour_ms integer, network text, author text)
INSERT INTO arrival_pending (message, domain, arrived_ms, hour_ms, network, author)
SELECT message, domain, arrived_ms, hour_ms, network, author FROM new WHERE true ON CONFLICT DO NOTHING;

-- name: rows_of_hours
-- Networks and authors that have a row, of some domains and hours.
-- set: chosen (domain text, hour_ms integer)
SELECT arrival_hour.domain, arrival_hour.hour_ms, network, author
FROM chosen /*+ CROSS */ JOIN arrival_hour
  ON arrival_hour.domain = chosen.domain AND arrival_hour.hour_ms = chosen.hour_ms;

-- name: add_counts
-- Add to counts.
-- pieces: new (domain text, hour_ms integer, network text, author text, good integer, fresh integer, other integer)
INSERT INTO arrival_hour (domain, hour_ms, network, author, good, fresh, other)
SELECT domain, hour_ms, network, author, good, fresh, other FROM new WHERE true
ON CONFLICT (domain, hour_ms, network, author) DO UPDATE SET
  good = arrival_hour.good + excluded.good, fresh = arrival_hour.fresh + excluded.fresh,
  other = arrival_hour.other + excluded.other;

-- name: decided
-- Messages of which it is known what became of them: when the primary took them first, or NULL if it never will.
SELECT pending.message, pending.domain, pending.arrived_ms, pending.hour_ms, pending.network, pending.author,
       min(CASE WHEN delivery.state = 'delivered' THEN delivery.ended_ms END) AS taken_ms
FROM arrival_pending AS pending
LEFT JOIN domain ON domain.name = pending.domain AND domain.lane IN ('relay', 'unverified')
LEFT JOIN delivery ON delivery.message = pending.message AND delivery.domain = domain.id
GROUP BY pending.message, pending.domain, pending.arrived_ms, pending.hour_ms, pending.network, pending.author
HAVING max(CASE WHEN delivery.state = 'delivered' THEN 1 ELSE 0 END) = 1
    OR max(CASE WHEN delivery.state IN ('waiting', 'claimed', 'held') THEN 1 ELSE 0 END) = 0
ORDER BY pending.message, pending.domain LIMIT ?1;

-- name: drop_pending
-- Forget messages of which it is known now what became of them.
-- set: chosen (message integer, domain text)
DELETE FROM arrival_pending WHERE EXISTS (
  SELECT 1 FROM chosen WHERE chosen.message = arrival_pending.message AND chosen.domain = arrival_pending.domain);

-- name: took_authors
-- Remember authors' domains of which a primary took authenticated mail.
-- pieces: new (domain text, author text, since_ms integer, last_ms integer)
INSERT INTO author_domain (domain, author, since_ms, last_ms)
SELECT domain, author, since_ms, last_ms FROM new WHERE true
ON CONFLICT (domain, author) DO UPDATE SET
  since_ms = CASE WHEN excluded.since_ms < author_domain.since_ms THEN excluded.since_ms
                  ELSE author_domain.since_ms END,
  last_ms = CASE WHEN excluded.last_ms > author_domain.last_ms THEN excluded.last_ms ELSE author_domain.last_ms END;

-- name: authors_since
-- Since when a primary takes authenticated mail of authors' domains.
-- set: chosen (domain text, author text)
SELECT author_domain.domain, author_domain.author, since_ms FROM chosen /*+ CROSS */ JOIN author_domain
  ON author_domain.domain = chosen.domain AND author_domain.author = chosen.author;

-- name: known_authors
-- Number of authors' domains of which a primary took authenticated mail.
SELECT count(*) FROM author_domain WHERE domain = ?1;

-- name: note_primaries
-- Record whether primaries are up in an hour; one that was down once in it stays so.
-- pieces: new (domain text, hour_ms integer, is_up integer)
INSERT INTO primary_hour (domain, hour_ms, is_up) SELECT domain, hour_ms, is_up FROM new WHERE true
ON CONFLICT (domain, hour_ms) DO UPDATE SET is_up = 0 WHERE excluded.is_up = 0;

-- name: hour_counts
-- Counts of the hours since then.
SELECT domain, hour_ms, network, author, good, fresh, other FROM arrival_hour WHERE hour_ms >= ?1
ORDER BY hour_ms, domain, network, author;

-- name: primary_hours
-- Whether primaries were up in the hours since then.
SELECT domain, hour_ms, is_up FROM primary_hour WHERE hour_ms >= ?1 ORDER BY hour_ms, domain;

-- name: origins
-- What was found of networks.
SELECT network, number, name, country FROM network_origin;

-- name: networks_unknown
-- Networks that were never looked up, or not since then; those with good mail first.
SELECT network FROM arrival_hour WHERE network <> '' AND NOT EXISTS (
  SELECT 1 FROM network_origin WHERE network_origin.network = arrival_hour.network AND at_ms >= ?1)
GROUP BY network ORDER BY max(good) DESC, network LIMIT ?2;

-- name: learn_origins
-- Record what was found of networks.
-- pieces: new (network text, number integer, name text, country text, at_ms integer)
INSERT INTO network_origin (network, number, name, country, at_ms)
SELECT network, number, name, country, at_ms FROM new WHERE true
ON CONFLICT (network) DO UPDATE SET
  number = excluded.number, name = excluded.name, country = excluded.country, at_ms = excluded.at_ms;

-- name: blocked_networks
-- All blocks.
SELECT domain, origin, since_ms, found_ms, last_ms, good, authors, ended_ms FROM blocked_network
ORDER BY since_ms, domain, origin;

-- name: keep_blocked
-- Add blocks, or change them.
-- pieces: new (domain text, origin text, since_ms integer, found_ms integer, last_ms integer, good integer, authors integer, ended_ms integer)
INSERT INTO blocked_network (domain, origin, since_ms, found_ms, last_ms, good, authors, ended_ms)
SELECT domain, origin, since_ms, found_ms, last_ms, good, authors, ended_ms FROM new WHERE true
ON CONFLICT (domain, origin, since_ms) DO UPDATE SET
  last_ms = excluded.last_ms, good = excluded.good, authors = excluded.authors, ended_ms = excluded.ended_ms;

-- name: forget_counts
-- Delete counts of the hours before then, in batches.
DELETE FROM arrival_hour WHERE (domain, hour_ms, network, author) IN (
  SELECT domain, hour_ms, network, author FROM arrival_hour /*+ INDEXED BY arrival_hour_at */ WHERE hour_ms < ?1 LIMIT ?2);

-- name: forget_hours
-- Delete what was recorded of primaries before then.
DELETE FROM primary_hour WHERE (domain, hour_ms) IN (
  SELECT domain, hour_ms FROM primary_hour WHERE hour_ms < ?1 LIMIT ?2);

-- name: forget_origins
-- Delete what was found of networks before then.
DELETE FROM network_origin WHERE network IN (
  SELECT network FROM network_origin /*+ INDEXED BY network_origin_at */ WHERE at_ms < ?1 LIMIT ?2);

-- name: forget_blocked
-- Delete blocks that ended before then.
DELETE FROM blocked_network WHERE ended_ms < ?1;

-- name: author_count
-- Number of authors' domains that are remembered.
SELECT count(*) FROM author_domain;

-- name: forget_authors
-- Delete authors' domains of which nothing was taken since then.
DELETE FROM author_domain WHERE (domain, author) IN (
  SELECT domain, author FROM author_domain /*+ INDEXED BY author_domain_last */ WHERE last_ms < ?1 LIMIT ?2);

-- name: forget_oldest_authors
-- Delete the authors' domains of which nothing was taken for longest.
DELETE FROM author_domain WHERE (domain, author) IN (
  SELECT domain, author FROM author_domain ORDER BY last_ms, domain, author LIMIT ?1);
