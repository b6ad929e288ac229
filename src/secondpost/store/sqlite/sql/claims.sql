-- Queries of the deliver role.

-- name: queues_due
-- The queues of one lane whose turn has come, earliest first, that are up and not leased. What is
-- unverified waits while the same site has relayed mail due.
SELECT site, next_due_ms FROM queue INDEXED BY queue_due
WHERE lane = ?1 AND down = 0 AND next_due_ms <= ?2
  AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.lane = queue.lane AND lease.site = queue.site)
  AND (lane <> 'unverified' OR NOT EXISTS (
    SELECT 1 FROM queue AS ahead WHERE ahead.lane = 'relay' AND ahead.site = queue.site AND ahead.next_due_ms <= ?2))
ORDER BY next_due_ms LIMIT ?3;

-- name: next_due
-- When the earliest queue of one lane that is up will be due.
SELECT next_due_ms FROM queue INDEXED BY queue_due
WHERE lane = ?1 AND down = 0 AND next_due_ms IS NOT NULL ORDER BY next_due_ms LIMIT 1;

-- name: take_lease
-- The lease, unless somebody has it.
INSERT INTO lease (lane, site, shard, worker) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING;

-- name: drop_lease
-- The lease ends.
DELETE FROM lease WHERE fence = ?1;

-- name: unclaim
-- What is still claimed under a fence waits again, untried; what may have been sent of an issue is unknown.
UPDATE delivery SET
  last_ms = iif(state = 'committing', ?2, last_ms), cause = iif(state = 'committing', 'unanswered', cause),
  reply = iif(state = 'committing', 'its outcome was not written down', reply),
  state = iif(state = 'committing', 'unknown', 'waiting'), fence = NULL
WHERE fence = ?1;

-- name: domains_in_turn
-- The domains of a leased site whose turn has come, earliest first; none when the fence fell or the site is down.
SELECT json_group_array(id) FROM (
  SELECT id FROM domain INDEXED BY domain_due
  WHERE lane = ?1 AND site = ?2 AND next_due_ms <= ?3
    AND EXISTS (SELECT 1 FROM lease WHERE fence = ?4)
    AND NOT EXISTS (SELECT 1 FROM site WHERE site.site = ?2)
  ORDER BY next_due_ms LIMIT ?5);

-- name: due_of_domains
-- Up to ?3 due deliveries of each domain, in order of due time and arrival. One row of JSON, because each
-- row that is stepped to may cost a turn of the interpreter's lock.
SELECT json_group_array(json(due)) FROM (
  SELECT (
    SELECT json_group_array(json_array(
        d.message, d.number, message.lane, message.sender, d.recipient, message.size, message.file, message.eight_bit,
        d.arrived_ms, d.attempts, d.first_attempt_ms, d.maybe_duplicate, d.issue, d.subscriber, d.first_recipient,
        message.utf8))
    FROM (
      SELECT message, number, recipient, arrived_ms, attempts, first_attempt_ms, maybe_duplicate, issue, subscriber,
             first_recipient
      FROM delivery INDEXED BY delivery_waiting
      WHERE domain = turn.value AND state = 'waiting' AND due_ms <= ?2
      ORDER BY due_ms, message, number LIMIT ?3) AS d
    CROSS JOIN message ON message.id = d.message) AS due
  FROM json_each(?1) AS turn);

-- name: mark_claimed
-- The chosen deliveries, [[message, number], …], are claimed under the fence.
UPDATE delivery SET state = 'claimed', fence = ?2
FROM json_each(?1) AS chosen
WHERE delivery.message = chosen.value ->> 0 AND delivery.number = chosen.value ->> 1 AND state = 'waiting';

-- name: next_turns
-- The turns of some domains are put right. A domain with more that is due already goes to the end of the
-- line: that shares a site among its domains, however much one of them has.
UPDATE domain SET next_due_ms = (
  SELECT max(paused_until_ms, iif(due_ms <= ?2, ?2, due_ms)) FROM delivery INDEXED BY delivery_waiting
  WHERE delivery.domain = domain.id AND state = 'waiting' ORDER BY due_ms LIMIT 1)
WHERE id IN (SELECT value FROM json_each(?1));

-- name: settle
-- New states of claimed deliveries, for those that are still claimed, or committing, under their fence.
WITH new (message, number, fence, state, at_ms, due_ms, kept_for, attempted, maybe_duplicate,
          cause, level, host, reply) AS (VALUES {rows})
UPDATE delivery SET
  state = new.state,
  fence = NULL,
  -- What was not tried keeps its place, unless it is to wait.
  due_ms = iif(new.due_ms > 0 AND (new.attempted OR new.due_ms > new.at_ms),
               max(new.due_ms, delivery.arrived_ms), delivery.due_ms),
  kept_for = new.kept_for,
  attempts = delivery.attempts + new.attempted,
  first_attempt_ms = iif(new.attempted, coalesce(delivery.first_attempt_ms, new.at_ms), delivery.first_attempt_ms),
  last_ms = new.at_ms,
  ended_ms = iif(new.state IN ('delivered', 'reported', 'dropped', 'suppressed', 'stopped')
                 OR (delivery.subscriber IS NOT NULL AND new.state IN ('failed', 'expired')), new.at_ms, NULL),
  maybe_duplicate = iif(new.state = 'unknown', delivery.maybe_duplicate,
                        max(delivery.maybe_duplicate, new.maybe_duplicate)),
  cause = iif(new.attempted OR new.state <> 'waiting', new.cause, delivery.cause),
  level = iif(new.attempted OR new.state <> 'waiting', new.level, delivery.level),
  host = iif(new.attempted OR new.state <> 'waiting', new.host, delivery.host),
  reply = iif(new.attempted OR new.state <> 'waiting', new.reply, delivery.reply)
FROM new
WHERE delivery.message = new.message AND delivery.number = new.number
  AND delivery.fence = new.fence;

-- name: leaving_files
-- Files that no message needs any more.
SELECT name FROM leaving_file LIMIT 100;

-- name: file_has_left
-- Those files were removed.
DELETE FROM leaving_file WHERE name IN (SELECT value FROM json_each(?1));

-- name: content
-- The content of a message, when it is in the table.
SELECT data FROM content WHERE message = ?1;

-- name: hint_site
-- From now on the domain's deliveries are leased as this site.
INSERT INTO domain (lane, name, site) VALUES (?1, ?2, ?3)
ON CONFLICT (lane, name) DO UPDATE SET site = excluded.site;

-- name: pause_domain
-- None of the domain's deliveries is claimed before then.
INSERT INTO domain (lane, name, paused_until_ms) VALUES (?1, ?2, ?3)
ON CONFLICT (lane, name) DO UPDATE SET paused_until_ms = excluded.paused_until_ms;

-- name: paused_too_long
-- Up to ?2 domains with deliveries waiting that are paused for longer than any pause lasts (?1). Asked once,
-- when the role starts.
SELECT id FROM domain INDEXED BY domain_due WHERE next_due_ms IS NOT NULL AND paused_until_ms > ?1 LIMIT ?2;

-- name: end_pauses
-- Some domains are paused no more.
UPDATE domain SET paused_until_ms = 0 WHERE id IN (SELECT value FROM json_each(?1));

-- name: domain_id
-- The number of a domain in a lane.
SELECT id FROM domain WHERE lane = ?1 AND name = ?2;

-- name: is_site_down
-- One row when it is.
SELECT 1 FROM site WHERE site = ?1;

-- name: site_down
-- The site takes nothing; since when it does not is kept.
INSERT INTO site (site, since_ms, looked_ms, cause, detail, next_probe_ms) VALUES (?1, ?2, ?2, ?3, ?4, ?5)
ON CONFLICT (site) DO UPDATE SET
  cause = excluded.cause, detail = excluded.detail, next_probe_ms = excluded.next_probe_ms,
  looked_ms = excluded.looked_ms;

-- name: site_up
-- The site takes mail again.
DELETE FROM site WHERE site = ?1;

-- name: mark_queues
-- The site's queues, one per lane, are down (1) or not (0).
UPDATE queue SET down = ?2 WHERE lane IN ('relay', 'unverified', 'issues', 'own') AND site = ?1;

-- name: due_for_the_site
-- What waits for the site's sake is due as it arrived, so that it goes first; in batches of ?3. What broke
-- a connection is only due now: if the fault was its own, it must not stand before the others again.
UPDATE delivery SET due_ms = min(iif(cause = 'lost', due_ms, arrived_ms), ?2), level = ''
WHERE (message, number) IN (
  SELECT message, number FROM delivery INDEXED BY delivery_for_site
  WHERE state = 'waiting' AND level = 'site' AND domain IN (
    SELECT id FROM domain WHERE lane IN ('relay', 'unverified', 'issues', 'own') AND site = ?1)
  LIMIT ?3);

-- name: put_off
-- Up to ?3 deliveries that are due later than any schedule says (?1), that arrived in a time to come, or that
-- wait for their site's sake alone and yet are not due (now is ?2). Asked once, when the role starts.
SELECT message, number FROM domain INDEXED BY domain_due CROSS JOIN delivery INDEXED BY delivery_waiting
WHERE domain.next_due_ms IS NOT NULL AND delivery.domain = domain.id AND state = 'waiting' AND due_ms > ?2
  AND (due_ms > ?1 OR arrived_ms > ?2 OR (level = 'site' AND cause <> 'lost'))
LIMIT ?3;

-- name: mend_due
-- The chosen deliveries are due now, and did not arrive in a time to come.
UPDATE delivery SET due_ms = ?2, arrived_ms = min(?2, arrived_ms)
FROM json_each(?1) AS chosen
WHERE delivery.message = chosen.value ->> 0 AND delivery.number = chosen.value ->> 1 AND state = 'waiting';

-- name: catch_all
-- Whether the primary of a domain takes every address, and when that was found out.
SELECT takes_all, at_ms FROM catch_all WHERE domain = ?1;

-- name: learn_catch_all
-- What was found out replaces what was known.
INSERT INTO catch_all (domain, takes_all, at_ms) VALUES (?1, ?2, ?3)
ON CONFLICT (domain) DO UPDATE SET takes_all = excluded.takes_all, at_ms = excluded.at_ms;

-- name: sites_down
-- All sites that are down.
SELECT site, since_ms, cause, detail, next_probe_ms, looked_ms FROM site ORDER BY since_ms, site;

-- name: domains_of
-- Domains with deliveries waiting for the site.
SELECT lane, name FROM domain INDEXED BY domain_due
WHERE lane IN ('relay', 'unverified', 'issues', 'own') AND site = ?1 AND next_due_ms IS NOT NULL LIMIT ?2;

-- name: waiting_domains
-- All domains with deliveries waiting.
SELECT lane, name FROM domain INDEXED BY domain_due WHERE next_due_ms IS NOT NULL;

-- name: expired_first
-- Waiting deliveries of a domain that are due since their arrival, which was before ?2.
SELECT message, number FROM delivery INDEXED BY delivery_waiting
WHERE domain = ?1 AND state = 'waiting' AND due_ms < ?2 AND arrived_ms < ?2 LIMIT ?3;

-- name: expired_again
-- Waiting deliveries of a domain that were tried and arrived before ?2.
SELECT message, number FROM delivery INDEXED BY delivery_again
WHERE domain = ?1 AND state = 'waiting' AND due_ms > arrived_ms AND arrived_ms < ?2 LIMIT ?3;

-- name: expired_of_issues
-- Waiting deliveries of issues to a domain that were first tried before ?2.
SELECT message, number FROM delivery INDEXED BY delivery_tried
WHERE domain = ?1 AND state = 'waiting' AND issue IS NOT NULL AND first_attempt_ms IS NOT NULL
  AND first_attempt_ms < ?2 LIMIT ?3;

-- name: expired_at_a_dead_site
-- Waiting deliveries of issues to a domain that were never tried, since their site has been down since before ?2.
SELECT d.message, d.number FROM domain
CROSS JOIN site ON site.site = domain.site
CROSS JOIN delivery AS d INDEXED BY delivery_waiting ON d.domain = domain.id
WHERE domain.id = ?1 AND site.since_ms < ?2 AND d.state = 'waiting' AND d.due_ms < ?2 AND d.arrived_ms < ?2
  AND d.issue IS NOT NULL AND d.first_attempt_ms IS NULL LIMIT ?3;

-- name: expire
-- The time of the chosen deliveries is over. Relayed mail is kept, also when the owner redirected it; mail to a
-- reader has ended.
UPDATE delivery SET
  state = iif(message.lane = 'relay', 'kept', ?2), kept_for = iif(message.lane = 'relay', 'expired', ?3),
  last_ms = ?4, ended_ms = iif(subscriber IS NULL, NULL, ?4), cause = 'expired', level = 'message'
FROM json_each(?1) AS chosen CROSS JOIN message ON message.id = chosen.value ->> 0
WHERE delivery.message = chosen.value ->> 0 AND delivery.number = chosen.value ->> 1 AND state = 'waiting';
