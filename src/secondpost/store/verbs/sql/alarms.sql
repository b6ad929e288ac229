-- Queries about alarms, and about what the owner was sent of them.

-- name: alarms
-- All alarms, in the order in which they were noted.
SELECT kind, subject, role, noted_ms, detail, since_ms, last_ms, seen_ms, step, ended_ms, how,
       mailed_begun_ms, mailed_again_ms, mailed_step, mailed_ended_ms,
       posted_begun_ms, posted_again_ms, posted_step, posted_ended_ms
FROM alarm ORDER BY noted_ms, kind, subject, role;

-- name: add
-- Add alarms that began, unless they stand.
-- pieces: new (kind text, subject text, role text, noted_ms integer, detail text, since_ms integer, last_ms integer, seen_ms integer, step integer)
INSERT INTO alarm (kind, subject, role, noted_ms, detail, since_ms, last_ms, seen_ms, step)
SELECT kind, subject, role, noted_ms, detail, since_ms, last_ms, seen_ms, step FROM new WHERE true
ON CONFLICT DO NOTHING;

-- name: change
-- Write detail, times and end of alarms.
-- pieces: new (kind text, subject text, role text, noted_ms integer, detail text, since_ms integer, last_ms integer, seen_ms integer, step integer, ended_ms integer, how text)
UPDATE alarm SET detail = new.detail, since_ms = new.since_ms, last_ms = new.last_ms, seen_ms = new.seen_ms,
                 step = new.step, ended_ms = new.ended_ms, how = new.how
FROM new WHERE alarm.kind = new.kind AND alarm.subject = new.subject AND alarm.role = new.role
  AND alarm.noted_ms = new.noted_ms;

-- name: forget
-- Delete alarms.
-- pieces: gone (kind text, subject text, role text, noted_ms integer)
DELETE FROM alarm WHERE EXISTS (
  SELECT 1 FROM gone WHERE alarm.kind = gone.kind AND alarm.subject = gone.subject AND alarm.role = gone.role
    AND alarm.noted_ms = gone.noted_ms);

-- name: mark_mailed
-- Mark what a mail says of alarms.
-- pieces: new (kind text, subject text, role text, noted_ms integer, begun_ms integer, again_ms integer, step integer, ended_ms integer)
UPDATE alarm SET mailed_begun_ms = new.begun_ms, mailed_again_ms = new.again_ms,
                 mailed_step = new.step, mailed_ended_ms = new.ended_ms
FROM new WHERE alarm.kind = new.kind AND alarm.subject = new.subject AND alarm.role = new.role
  AND alarm.noted_ms = new.noted_ms;

-- name: mark_posted
-- Mark what posts to the webhook say of alarms.
-- pieces: new (kind text, subject text, role text, noted_ms integer, begun_ms integer, again_ms integer, step integer, ended_ms integer)
UPDATE alarm SET posted_begun_ms = new.begun_ms, posted_again_ms = new.again_ms,
                 posted_step = new.step, posted_ended_ms = new.ended_ms
FROM new WHERE alarm.kind = new.kind AND alarm.subject = new.subject AND alarm.role = new.role
  AND alarm.noted_ms = new.noted_ms;

-- name: add_notice
-- Record that a notice was sent.
INSERT INTO owner_notice (channel, batch, at_ms, roles, message) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: notices
-- Notices sent; a mail waits while it may still be taken and not one recipient's server has taken it.
SELECT channel, batch, at_ms, roles,
       CASE WHEN message IS NULL THEN
         CASE WHEN EXISTS (SELECT 1 FROM owner_post WHERE owner_post.made_ms = owner_notice.at_ms) THEN 1 ELSE 0 END
       WHEN EXISTS (SELECT 1 FROM delivery WHERE delivery.message = owner_notice.message
                    AND delivery.state IN ('waiting', 'claimed', 'held'))
        AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.message = owner_notice.message
                        AND delivery.state = 'delivered') THEN 1 ELSE 0 END
FROM owner_notice ORDER BY at_ms, channel, batch;

-- name: forget_notices
-- Delete notices sent before ?1.
DELETE FROM owner_notice WHERE at_ms < ?1;

-- name: forget_posts
-- Delete posts made before ?1.
DELETE FROM owner_post WHERE made_ms < ?1;

-- name: add_posts
-- Add posts to the webhook.
-- pieces: new (made_ms integer, number integer, body text, due_ms integer)
INSERT INTO owner_post (made_ms, number, body, due_ms) SELECT made_ms, number, body, due_ms FROM new;

-- name: post_due
-- The oldest post that is due at ?1, or after ?2: that was written before the clock was set back.
SELECT made_ms, number, body, due_ms, attempts FROM owner_post WHERE due_ms <= ?1 OR due_ms > ?2
ORDER BY made_ms, number LIMIT 1;

-- name: post_again
-- A post was not accepted: it is due at ?3.
UPDATE owner_post SET due_ms = ?3, attempts = attempts + 1 WHERE made_ms = ?1 AND number = ?2;

-- name: drop_post
-- Delete a post.
DELETE FROM owner_post WHERE made_ms = ?1 AND number = ?2;

-- name: report_slot
-- The slot of the last report.
SELECT slot_ms FROM owner_report WHERE name = ?1;

-- name: set_report_slot
-- Record the slot of a report.
INSERT INTO owner_report (name, slot_ms) VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET slot_ms = excluded.slot_ms;

-- name: domains_down
-- Domains of our own mail whose site is down.
SELECT domain.name FROM domain /*+ CROSS */ JOIN site ON site.site = domain.site WHERE domain.lane = 'own';
