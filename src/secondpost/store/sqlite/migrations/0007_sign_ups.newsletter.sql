-- newsletter.db: of a sign-up also where the mail goes that asks to confirm it, and whether that was answered.

ALTER TABLE sign_up ADD COLUMN domain TEXT NOT NULL DEFAULT '';  -- "" when no mail was sent
ALTER TABLE sign_up ADD COLUMN subscriber INTEGER;
ALTER TABLE sign_up ADD COLUMN answered INTEGER NOT NULL DEFAULT 0 CHECK (answered IN (0, 1));
CREATE INDEX sign_up_asked ON sign_up (answered, at_ms) WHERE domain <> '';
CREATE INDEX sign_up_domain ON sign_up (domain, answered, at_ms) WHERE domain <> '';
CREATE INDEX sign_up_subscriber ON sign_up (subscriber) WHERE subscriber IS NOT NULL;
