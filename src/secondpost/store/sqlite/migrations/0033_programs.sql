-- Both databases: which versions of the program worked with the database, and with which schema. An older version that
-- meets a newer store names from here the version that wrote it.
CREATE TABLE program (
  version  TEXT    NOT NULL,
  schema   INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms  INTEGER NOT NULL,               -- when a process of it last opened the database
  PRIMARY KEY (version, schema)
) STRICT, WITHOUT ROWID;
