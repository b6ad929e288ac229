ALTER TABLE message DROP COLUMN body_hash;
ALTER TABLE message DROP COLUMN chain_status;
ALTER TABLE message DROP COLUMN seal_instance;
ALTER TABLE message DROP COLUMN authentication;
