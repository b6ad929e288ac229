-- Queries of the deliver role.

-- name: queues_due
-- Queues of a lane that are due, earliest first, neither down nor leased. Unverified mail waits
-- while its site has relayed mail due.
SELECT site, next_due_ms FROM queue /*+ INDEXED BY queue_due */
WHERE lane = ?1 AND down = 0 AND next_due_ms <= ?2
  AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.lane = queue.lane AND lease.site = queue.site)
  AND (lane <> 'unverified' OR NOT EXISTS (
    SELECT 1 FROM queue AS ahead WHERE ahead.lane = 'relay' AND ahead.site = queue.site AND ahead.next_due_ms <= ?2))
ORDER BY next_due_ms, site LIMIT ?3;

-- name: next_due
-- When the earliest queue of a lane that is not down will be due.
SELECT next_due_ms FROM queue /*+ INDEXED BY queue_due */
WHERE lane = ?1 AND down = 0 AND next_due_ms IS NOT NULL ORDER BY next_due_ms LIMIT 1;

-- name: take_lease
-- Take a lease unless another worker has it; returns its fence.
INSERT INTO lease (lane, site, shard, worker) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING RETURNING fence;

-- name: drop_lease
-- Drop a lease.
DELETE FROM lease WHERE fence = ?1;

-- name: unclaim
-- Return deliveries claimed under a fence to waiting, untried; those of an issue that may have been
-- sent become unknown.
UPDATE delivery SET
  last_ms = CASE WHEN state = 'committing' THEN ?2 ELSE last_ms END,
  cause = CASE WHEN state = 'committing' THEN 'unanswered' ELSE cause END,
  reply = CASE WHEN state = 'committing' THEN 'its outcome was not written down' ELSE reply END,
  state = CASE WHEN state = 'committing' THEN 'unknown' ELSE 'waiting' END, fence = NULL
WHERE fence = ?1 AND state IN ({sources delivery waiting deliver}, {sources delivery unknown deliver});

-- name: domains_in_turn
-- Domains of a leased site that are due, earliest first, then the one known longest; none if the lease
-- was lost or the site is down.
-- gives: id
SELECT id FROM domain /*+ INDEXED BY domain_due */
WHERE lane = ?1 AND site = ?2 AND next_due_ms <= ?3
  AND EXISTS (SELECT 1 FROM lease WHERE fence = ?4)
  AND NOT EXISTS (SELECT 1 FROM site WHERE site.site = ?2)
ORDER BY next_due_ms, id LIMIT ?5;

-- name: mark_claimed
-- Claim the chosen deliveries under a fence.
-- set: chosen (message integer, number integer)
UPDATE delivery SET state = 'claimed', fence = ?1
FROM chosen
WHERE delivery.message = chosen.message AND delivery.number = chosen.number AND state IN ({sources delivery claimed deliver});

-- name: next_turns
-- Update the turns of domains. A domain that has more due deliveries goes to the end of the queue,
-- so that domains share their site whatever their amount of mail.
-- set: chosen (id integer)
UPDATE domain SET next_due_ms = (
  SELECT CASE WHEN due_ms > ?1 AND due_ms > paused_until_ms THEN due_ms
              WHEN ?1 > paused_until_ms THEN ?1 ELSE paused_until_ms END
  FROM delivery /*+ INDEXED BY delivery_waiting */
  WHERE delivery.domain = domain.id AND state = 'waiting' ORDER BY due_ms LIMIT 1)
WHERE id IN (SELECT id FROM chosen);

-- name: settle
-- Write new states of deliveries that are still claimed or committing under their fence. The schema's
-- trigger refuses a state that the old one does not lead to.
-- pieces: new (message integer, number integer, fence integer, state text, at_ms integer, due_ms integer, kept_for text, attempted integer, maybe_duplicate integer, cause text, level text, host text, reply text)
UPDATE delivery SET
  state = new.state,
  fence = NULL,
  -- A delivery that was not tried keeps its place, unless it is to wait.
  due_ms = CASE WHEN new.due_ms = 0 OR (new.attempted = 0 AND new.due_ms <= new.at_ms) THEN delivery.due_ms
                WHEN new.due_ms > delivery.arrived_ms THEN new.due_ms ELSE delivery.arrived_ms END,
  kept_for = new.kept_for,
  attempts = delivery.attempts + new.attempted,
  first_attempt_ms = CASE WHEN new.attempted = 1 THEN coalesce(delivery.first_attempt_ms, new.at_ms)
                          ELSE delivery.first_attempt_ms END,
  last_ms = new.at_ms,
  ended_ms = CASE WHEN new.state IN ('delivered', 'dropped', 'suppressed', 'stopped')
                    OR (delivery.subscriber IS NOT NULL AND new.state IN ('failed', 'expired'))
                  THEN new.at_ms END,
  maybe_duplicate = CASE WHEN new.state <> 'unknown' AND new.maybe_duplicate = 1 THEN 1
                         ELSE delivery.maybe_duplicate END,
  cause = CASE WHEN new.attempted = 1 OR new.state <> 'waiting' THEN new.cause ELSE delivery.cause END,
  level = CASE WHEN new.attempted = 1 OR new.state <> 'waiting' THEN new.level ELSE delivery.level END,
  host = CASE WHEN new.attempted = 1 OR new.state <> 'waiting' THEN new.host ELSE delivery.host END,
  reply = CASE WHEN new.attempted = 1 OR new.state <> 'waiting' THEN new.reply ELSE delivery.reply END
FROM new
WHERE delivery.message = new.message AND delivery.number = new.number
  AND delivery.fence = new.fence AND delivery.state IN ({sources delivery delivered deliver});

-- name: leaving_files
-- Files that no message needs any more.
SELECT name FROM leaving_file LIMIT 100;

-- name: file_has_left
-- Forget files that were removed.
-- set: removed (name text)
DELETE FROM leaving_file WHERE name IN (SELECT name FROM removed);

-- name: contents
-- Prefixes and contents of messages; data is empty if the content is in a file.
-- set: chosen (id integer)
SELECT message, prefix, data FROM content WHERE message IN (SELECT id FROM chosen);

-- name: authentication_notes
-- What was found out of who sent these messages.
-- set: chosen (id integer)
SELECT id, authentication, seal_instance, chain_status, body_hash FROM message WHERE id IN (SELECT id FROM chosen);

-- name: hint_site
-- Lease the domain's deliveries as this site from now on.
INSERT INTO domain (lane, name, site) VALUES (?1, ?2, ?3)
ON CONFLICT (lane, name) DO UPDATE SET site = excluded.site;

-- name: pause_domain
-- Claim none of the domain's deliveries before then.
INSERT INTO domain (lane, name, paused_until_ms) VALUES (?1, ?2, ?3)
ON CONFLICT (lane, name) DO UPDATE SET paused_until_ms = excluded.paused_until_ms;

-- name: paused_too_long
-- Up to ?2 domains with waiting deliveries that are paused beyond ?1, longer than any pause lasts.
-- Run once, when the role starts.
SELECT id FROM domain /*+ INDEXED BY domain_due */ WHERE next_due_ms IS NOT NULL AND paused_until_ms > ?1 LIMIT ?2;

-- name: end_pauses
-- End the pauses of domains.
-- set: chosen (id integer)
UPDATE domain SET paused_until_ms = 0 WHERE id IN (SELECT id FROM chosen);

-- name: domain_id
-- The id of a domain in a lane.
SELECT id FROM domain WHERE lane = ?1 AND name = ?2;

-- name: is_site_down
-- One row if the site is down.
SELECT 1 FROM site WHERE site = ?1;

-- name: site_down
-- Mark a site as down; one that was down already keeps its since_ms.
INSERT INTO site (site, since_ms, looked_ms, cause, detail, next_probe_ms) VALUES (?1, ?2, ?2, ?3, ?4, ?5)
ON CONFLICT (site) DO UPDATE SET
  cause = excluded.cause, detail = excluded.detail, next_probe_ms = excluded.next_probe_ms,
  looked_ms = excluded.looked_ms;

-- name: site_up
-- Mark a site as up.
DELETE FROM site WHERE site = ?1;

-- name: mark_queues
-- Mark the site's queues, one per lane, as down (1) or not (0).
UPDATE queue SET down = ?2 WHERE lane IN ('relay', 'unverified', 'issues', 'own') AND site = ?1;

-- name: due_for_the_site
-- Make deliveries that waited for the site due at their arrival time, so that they go first; in
-- batches of ?3. One that broke a connection becomes due only now: if it was the cause, it must not
-- precede the others again.
UPDATE delivery SET level = '', due_ms = CASE WHEN cause <> 'lost' AND arrived_ms < ?2 THEN arrived_ms
                                              WHEN cause = 'lost' AND due_ms < ?2 THEN due_ms ELSE ?2 END
WHERE (message, number) IN (
  SELECT message, number FROM delivery /*+ INDEXED BY delivery_for_site */
  WHERE state = 'waiting' AND level = 'site' AND domain IN (
    SELECT id FROM domain WHERE lane IN ('relay', 'unverified', 'issues', 'own') AND site = ?1)
  LIMIT ?3);

-- name: put_off
-- Up to ?3 deliveries that are due after ?1, later than any schedule allows, that arrived after now
-- (?2), or that wait only for their site and are not due. Run once, when the role starts.
-- gives: message, number
SELECT message, number FROM domain /*+ INDEXED BY domain_due */
/*+ CROSS */ JOIN delivery /*+ INDEXED BY delivery_waiting */ ON delivery.domain = domain.id
WHERE domain.next_due_ms IS NOT NULL AND state = 'waiting' AND due_ms > ?2
  AND (due_ms > ?1 OR arrived_ms > ?2 OR (level = 'site' AND cause <> 'lost'))
LIMIT ?3;

-- name: mend_due
-- Make the chosen deliveries due now, and move arrival times in the future to now.
-- set: chosen (message integer, number integer)
UPDATE delivery SET due_ms = ?1, arrived_ms = CASE WHEN arrived_ms > ?1 THEN ?1 ELSE arrived_ms END
FROM chosen
WHERE delivery.message = chosen.message AND delivery.number = chosen.number AND state = 'waiting';

-- name: catch_all
-- Whether the domain's primary accepts every address, and when that was tested.
SELECT takes_all, at_ms FROM catch_all WHERE domain = ?1;

-- name: learn_catch_all
-- Record whether a primary accepts every address.
INSERT INTO catch_all (domain, takes_all, at_ms) VALUES (?1, ?2, ?3)
ON CONFLICT (domain) DO UPDATE SET takes_all = excluded.takes_all, at_ms = excluded.at_ms;

-- name: sites_down
-- All sites that are down.
SELECT site, since_ms, cause, detail, next_probe_ms, looked_ms FROM site ORDER BY since_ms, site;

-- name: domains_of
-- Domains with deliveries waiting for the site.
SELECT lane, name FROM domain /*+ INDEXED BY domain_due */
WHERE lane IN ('relay', 'unverified', 'issues', 'own') AND site = ?1 AND next_due_ms IS NOT NULL LIMIT ?2;

-- name: waiting_domains
-- All domains with waiting deliveries.
SELECT lane, name FROM domain /*+ INDEXED BY domain_due */ WHERE next_due_ms IS NOT NULL;

-- name: expired_first
-- Waiting deliveries of a domain that arrived before ?2 and are due since their arrival.
SELECT message, number FROM delivery /*+ INDEXED BY delivery_waiting */
WHERE domain = ?1 AND state = 'waiting' AND due_ms < ?2 AND arrived_ms < ?2 LIMIT ?3;

-- name: expired_again
-- Waiting deliveries of a domain that were tried and arrived before ?2.
SELECT message, number FROM delivery /*+ INDEXED BY delivery_again */
WHERE domain = ?1 AND state = 'waiting' AND due_ms > arrived_ms AND arrived_ms < ?2 LIMIT ?3;

-- name: expired_of_issues
-- Waiting deliveries of issues to a domain that were first tried before ?2, and what their last attempt met.
SELECT message, number, cause, reply FROM delivery /*+ INDEXED BY delivery_tried */
WHERE domain = ?1 AND state = 'waiting' AND issue IS NOT NULL AND first_attempt_ms IS NOT NULL
  AND first_attempt_ms < ?2 LIMIT ?3;

-- name: expired_at_a_dead_site
-- Waiting deliveries of issues to a domain, never tried because their site has been down since
-- before ?2, and what the site's last probe met.
SELECT d.message, d.number, site.cause, site.detail FROM domain
/*+ CROSS */ JOIN site ON site.site = domain.site
/*+ CROSS */ JOIN delivery AS d /*+ INDEXED BY delivery_waiting */ ON d.domain = domain.id
WHERE domain.id = ?1 AND site.since_ms < ?2 AND d.state = 'waiting' AND d.due_ms < ?2 AND d.arrived_ms < ?2
  AND d.issue IS NOT NULL AND d.first_attempt_ms IS NULL LIMIT ?3;

-- name: expire
-- Expire the chosen deliveries. Relayed mail is kept, even if it was redirected; mail to a reader
-- ends.
-- set: chosen (message integer, number integer)
UPDATE delivery SET
  state = CASE WHEN origin.lane = 'relay' THEN 'kept' ELSE ?1 END,
  kept_for = CASE WHEN origin.lane = 'relay' THEN 'expired' ELSE ?2 END,
  last_ms = ?3, ended_ms = CASE WHEN subscriber IS NOT NULL THEN ?3 END, cause = 'expired', level = 'message'
FROM chosen /*+ CROSS */ JOIN message AS origin ON origin.id = chosen.message
WHERE delivery.message = chosen.message AND delivery.number = chosen.number AND state IN ({sources delivery expired clock});
