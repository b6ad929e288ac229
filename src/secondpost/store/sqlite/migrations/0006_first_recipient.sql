-- Both databases: for whom a message came that the owner has sent to another mailbox; NULL when that never happened.
ALTER TABLE delivery ADD COLUMN first_recipient TEXT;
