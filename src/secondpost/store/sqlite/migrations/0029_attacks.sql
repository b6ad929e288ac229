-- What attackers tried, counted by day, rule (protocols/attacks/rules.py) and network. The receive role writes it in
-- batches that may be lost in a crash; a day and rule have rows for so many networks only, the rest share one.
CREATE TABLE attack (
  day      INTEGER NOT NULL,
  rule     TEXT    NOT NULL,
  network  TEXT    NOT NULL,               -- such as 192.0.2.0/24; empty: all others
  times    INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms  INTEGER NOT NULL,
  client   TEXT    NOT NULL,               -- the last address of the network
  place    TEXT    NOT NULL,               -- what the rule looked at
  sample   TEXT    NOT NULL,               -- the first that was seen, escaped and cut
  PRIMARY KEY (day, rule, network)
) STRICT, WITHOUT ROWID;
