-- Both databases: the header fields that we add to a message. They are sent before its content, and count in its size.
-- Messages that are older have our Received field at the top of their content. A message whose content is in a file has
-- a row here with its prefix and no data.
ALTER TABLE content ADD COLUMN prefix BLOB NOT NULL DEFAULT x'';
