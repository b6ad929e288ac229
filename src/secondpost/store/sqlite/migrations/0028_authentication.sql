-- Both databases: what SPF, DKIM, DMARC and ARC said of a message when it arrived, as in Authentication-Results without
-- our id; "" if nothing was evaluated. The hash of the body as DKIM's relaxed form, if the message is to be sealed.
ALTER TABLE message ADD COLUMN authentication TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN body_hash BLOB NOT NULL DEFAULT x'';
