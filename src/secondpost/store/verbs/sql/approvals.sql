-- Queries of approvals, and of the order of the next issue.

-- name: approval
-- The approval of a slot.
SELECT id, newsletter, slot, articles, last_ms, asked_ms, approved_ms FROM approval WHERE newsletter = ?1 AND slot = ?2;

-- name: by_id
-- An approval.
SELECT id, newsletter, slot, articles, last_ms, asked_ms, approved_ms FROM approval WHERE id = ?1;

-- name: newest
-- The newsletter's newest approval.
SELECT id, newsletter, slot, articles, last_ms, asked_ms, approved_ms FROM approval
WHERE newsletter = ?1 ORDER BY id DESC LIMIT 1;

-- name: by_secret
-- The approval whose link has this hash.
SELECT id, newsletter, slot, articles, last_ms, asked_ms, approved_ms FROM approval WHERE secret = ?1;

-- name: to_mail
-- Approvals that nothing has been mailed about.
SELECT id, newsletter, slot, articles, last_ms, asked_ms, approved_ms FROM approval
WHERE mailed_ms IS NULL AND approved_ms IS NULL ORDER BY id;

-- name: ask
-- Ask for the approval of a slot, anew if it was there.
INSERT INTO approval (newsletter, slot, articles, last_ms, asked_ms) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (newsletter, slot) DO UPDATE SET
  articles = excluded.articles, last_ms = excluded.last_ms, asked_ms = excluded.asked_ms,
  secret = NULL, mailed_ms = NULL, approved_ms = NULL;

-- name: change
-- Set what an approval that waits is about.
UPDATE approval SET articles = ?2, last_ms = ?3 WHERE id = ?1 AND approved_ms IS NULL;

-- name: set_secret
-- Set the hash of the secret in the link.
UPDATE approval SET secret = ?2 WHERE id = ?1;

-- name: mailed
-- Record that the mail with the link was made.
UPDATE approval SET mailed_ms = ?2 WHERE id = ?1;

-- name: approve
-- Record the owner's approval.
UPDATE approval SET approved_ms = ?2 WHERE id = ?1 AND approved_ms IS NULL;

-- name: is_decided
-- One row if the slot of an approval has its outcome, or a later slot was asked about.
SELECT 1 FROM slot WHERE newsletter = ?1 AND key = ?2
UNION ALL SELECT 1 FROM approval WHERE newsletter = ?1 AND id > ?3 LIMIT 1;

-- name: forget
-- Delete the newsletter's approvals before this one.
DELETE FROM approval WHERE newsletter = ?1 AND id < ?2 AND asked_ms < ?3;

-- name: next_order
-- The articles that come first in the next issue.
SELECT articles FROM next_order WHERE newsletter = ?1;

-- name: set_next_order
-- Set the articles that come first in the next issue.
INSERT INTO next_order (newsletter, articles) VALUES (?1, ?2)
ON CONFLICT (newsletter) DO UPDATE SET articles = excluded.articles;

-- name: keep_order
-- Let an issue keep the order that the owner gave it.
UPDATE issue SET given_order = (SELECT articles FROM next_order WHERE newsletter = ?2)
WHERE id = ?1 AND EXISTS (SELECT 1 FROM next_order WHERE newsletter = ?2);

-- name: give_back_order
-- Set the order of a stopped issue again, unless there is a newer one.
INSERT INTO next_order (newsletter, articles) SELECT newsletter, given_order FROM issue WHERE id = ?1 AND given_order <> ''
ON CONFLICT (newsletter) DO NOTHING;

-- name: drop_next_order
-- Delete the order of the next issue.
DELETE FROM next_order WHERE newsletter = ?1;
