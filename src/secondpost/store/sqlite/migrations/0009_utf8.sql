-- Whether SMTPUTF8 goes with a message: its sender said it, or it cannot go without (RFC 6531).
ALTER TABLE message ADD COLUMN utf8 TEXT NOT NULL DEFAULT '' CHECK (utf8 IN ('', 'said', 'needed'));
