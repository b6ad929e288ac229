-- Both databases: who sent a message, as found when it arrived. `authentication` is the value of our
-- Authentication-Results; "" if nothing was evaluated. The others are for the ARC set of a message that is to be sealed:
-- its instance (0: it is not), the status of the chain before, and the hash of the body in DKIM's relaxed form.
ALTER TABLE message ADD COLUMN authentication TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN seal_instance INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN chain_status TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN body_hash BLOB NOT NULL DEFAULT x'';
