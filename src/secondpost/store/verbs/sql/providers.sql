-- Queries about providers: pauses of their issues' mail, and what became of it by day.

-- name: pauses
-- All pauses, by provider and cause.
SELECT provider, cause, since_ms, detail, trial_ms FROM provider_pause ORDER BY provider, cause;

-- name: pauses_of
-- The pauses of a provider.
SELECT cause, trial_ms FROM provider_pause WHERE provider = ?1 ORDER BY cause;

-- name: pause
-- Begin a pause, or update one that stands.
INSERT INTO provider_pause (provider, cause, since_ms, detail, trial_ms) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (provider, cause) DO UPDATE SET detail = excluded.detail, trial_ms = excluded.trial_ms;

-- name: resume
-- End a pause.
DELETE FROM provider_pause WHERE provider = ?1 AND cause = ?2;

-- name: next_trial
-- Set when the next trial mail of a paused provider may go.
UPDATE provider_pause SET trial_ms = ?2 WHERE provider = ?1 AND cause = 'breaker';

-- name: count
-- Add to the counts of providers' days.
-- set: chosen (provider text, day integer, delivered integer, deferred integer, failed integer, unknown integer, sender_fault integer)
INSERT INTO provider_day (provider, day, delivered, deferred, failed, unknown, sender_fault)
SELECT provider, day, delivered, deferred, failed, unknown, sender_fault FROM chosen WHERE true
ON CONFLICT (provider, day) DO UPDATE SET
  delivered = provider_day.delivered + excluded.delivered,
  deferred = provider_day.deferred + excluded.deferred,
  failed = provider_day.failed + excluded.failed,
  unknown = provider_day.unknown + excluded.unknown,
  sender_fault = provider_day.sender_fault + excluded.sender_fault;

-- name: days
-- The counts of all providers since a day.
SELECT provider, day, delivered, deferred, failed, unknown, sender_fault
FROM provider_day WHERE day >= ?1 ORDER BY provider, day;

-- name: complained
-- Readers who complained since ?1, by domain, with its site.
SELECT place.name, place.site, count(*)
FROM subscriber AS reader /*+ CROSS */ JOIN domain AS place ON place.id = reader.domain
WHERE reader.state = 'complained' AND reader.since_ms >= ?1 GROUP BY place.id, place.name, place.site ORDER BY place.name;

-- name: forget_days
-- Delete the counts of days before then.
DELETE FROM provider_day WHERE day < ?1;

-- name: domains
-- Domains of issues' mail that waits, with their sites.
-- gives: id, site
SELECT id, site FROM domain WHERE lane = 'issues' AND next_due_ms IS NOT NULL ORDER BY id;

-- name: tried
-- Waiting mails of issues to a domain that were tried.
SELECT message, number FROM delivery /*+ INDEXED BY delivery_tried */
WHERE domain = ?1 AND state = 'waiting' AND issue IS NOT NULL AND first_attempt_ms IS NOT NULL LIMIT ?2;

-- name: begin_days_anew
-- Let the days that the chosen deliveries may wait begin at their next attempt.
-- set: chosen (message integer, number integer)
UPDATE delivery SET first_attempt_ms = NULL FROM chosen
WHERE delivery.message = chosen.message AND delivery.number = chosen.number AND state = 'waiting';
