-- What networks of other countries see of the MX addresses (mail/reach.py). The deliver role writes it.
CREATE TABLE reach_view (
  address      TEXT    NOT NULL,
  country      TEXT    NOT NULL,
  host         TEXT    NOT NULL,           -- the MX host that has the address
  domains      TEXT    NOT NULL,           -- whose MX it is, separated by spaces
  verdict      TEXT    NOT NULL CHECK (verdict IN ('open', 'suspected', 'blocked', 'unknown')),
  since_ms     INTEGER NOT NULL,           -- of the verdict
  looked_ms    INTEGER NOT NULL,           -- the last round in which a network was heard; 0: none yet
  confirmation TEXT    NOT NULL CHECK (confirmation IN ('not asked', 'confirmed', 'contradicted', 'no answer')),
  confirmed_ms INTEGER NOT NULL,           -- when RIPE Atlas was last asked; 0: not yet
  PRIMARY KEY (address, country)
) STRICT, WITHOUT ROWID;

-- The record of each network in such a view.
CREATE TABLE reach_network (
  address    TEXT    NOT NULL,
  country    TEXT    NOT NULL,
  asn        INTEGER NOT NULL,
  name       TEXT    NOT NULL,
  failed     INTEGER NOT NULL,             -- rounds in a row
  passed     INTEGER NOT NULL,             -- the same
  is_blocked INTEGER NOT NULL CHECK (is_blocked IN (0, 1)),
  since_ms   INTEGER,                      -- the first failure of the row, or of the block
  looked_ms  INTEGER NOT NULL,
  PRIMARY KEY (address, country, asn)
) STRICT, WITHOUT ROWID;

-- How many networks found what, in each round.
CREATE TABLE reach_count (
  at_ms   INTEGER NOT NULL,
  address TEXT    NOT NULL,
  country TEXT    NOT NULL,
  passes  INTEGER NOT NULL,
  fails   INTEGER NOT NULL,
  unknown INTEGER NOT NULL,
  PRIMARY KEY (at_ms, address, country)
) STRICT, WITHOUT ROWID;

-- The services that are asked: what was used of their quota, and how they answered last.
CREATE TABLE reach_source (
  source         TEXT    PRIMARY KEY,
  used           INTEGER NOT NULL,         -- units in the window
  window_ms      INTEGER NOT NULL,         -- when the window began
  rests_until_ms INTEGER NOT NULL,
  answered_ms    INTEGER NOT NULL,         -- when it last answered well; 0: never
  failed_ms      INTEGER NOT NULL,         -- when it last failed, after that; 0: it did not
  failure        TEXT    NOT NULL,
  found          TEXT    NOT NULL          -- what it says of itself
) STRICT, WITHOUT ROWID;

-- What services that decide nothing say of an address or host.
CREATE TABLE reach_context (
  source  TEXT    NOT NULL,
  subject TEXT    NOT NULL,
  country TEXT    NOT NULL,
  at_ms   INTEGER NOT NULL,
  text    TEXT    NOT NULL,
  PRIMARY KEY (source, subject, country)
) STRICT, WITHOUT ROWID;

-- Answers as they came; the oldest go.
CREATE TABLE reach_answer (
  number INTEGER PRIMARY KEY,
  at_ms  INTEGER NOT NULL,
  source TEXT    NOT NULL,
  asked  TEXT    NOT NULL,                 -- method and path
  status INTEGER NOT NULL,                 -- of HTTP; 0: there was no answer
  octets INTEGER NOT NULL,                 -- before it was cut
  body   BLOB    NOT NULL
) STRICT;
