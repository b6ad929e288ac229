ALTER TABLE issue DROP COLUMN given_order;
