-- Where mail for backup domains comes from (docs/decisions/0044). A network is the prefix of an address, /24 or /48.

-- Accepted mail by hour. Good: authenticated, to a recipient who exists, of an author's domain whose mail the primary
-- had taken before, and taken by the primary within an hour. Fresh: the same, but the first of its author. All else is
-- other.
CREATE TABLE arrival_hour (
  domain  TEXT    NOT NULL,                -- the backup domain
  hour_ms INTEGER NOT NULL,                -- when the hour began
  network TEXT    NOT NULL,                -- "": further networks of the hour, together
  author  TEXT    NOT NULL,                -- the domain of From; "" of other mail, and of all beyond the bound
  good    INTEGER NOT NULL,
  fresh   INTEGER NOT NULL,
  other   INTEGER NOT NULL,
  PRIMARY KEY (domain, hour_ms, network, author)
) STRICT, WITHOUT ROWID;
CREATE INDEX arrival_hour_at ON arrival_hour (hour_ms);

-- Mail that is good if the primary takes it soon.
CREATE TABLE arrival_pending (
  message    INTEGER NOT NULL,
  domain     TEXT    NOT NULL,
  arrived_ms INTEGER NOT NULL,
  hour_ms    INTEGER NOT NULL,
  network    TEXT    NOT NULL,
  author     TEXT    NOT NULL,
  PRIMARY KEY (message, domain)
) STRICT, WITHOUT ROWID;

-- Authors' domains of which the primary took authenticated mail, since when and when last.
CREATE TABLE author_domain (
  domain   TEXT    NOT NULL,               -- the backup domain
  author   TEXT    NOT NULL,
  since_ms INTEGER NOT NULL,
  last_ms  INTEGER NOT NULL,
  PRIMARY KEY (domain, author)
) STRICT, WITHOUT ROWID;
CREATE INDEX author_domain_last ON author_domain (last_ms);

-- Whether the primary let us in whenever we looked in an hour. No row: the deliver role did not look.
CREATE TABLE primary_hour (
  domain  TEXT    NOT NULL,
  hour_ms INTEGER NOT NULL,
  is_up   INTEGER NOT NULL CHECK (is_up IN (0, 1)),
  PRIMARY KEY (domain, hour_ms)
) STRICT, WITHOUT ROWID;

-- What was found of a network: the system that it belongs to.
CREATE TABLE network_origin (
  network TEXT    PRIMARY KEY,
  number  INTEGER NOT NULL,                -- of the autonomous system; 0: in none
  name    TEXT    NOT NULL,
  country TEXT    NOT NULL,                -- two letters, or ""
  at_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX network_origin_at ON network_origin (at_ms);

-- Networks from which the primary cannot be reached, as far as can be seen here.
CREATE TABLE blocked_network (
  domain   TEXT    NOT NULL,
  origin   TEXT    NOT NULL,               -- "AS64500", or a network
  since_ms INTEGER NOT NULL,               -- of the first good mail that showed it
  found_ms INTEGER NOT NULL,
  last_ms  INTEGER NOT NULL,               -- of the last good mail
  good     INTEGER NOT NULL,
  authors  INTEGER NOT NULL,
  ended_ms INTEGER,
  PRIMARY KEY (domain, origin, since_ms)
) STRICT, WITHOUT ROWID;
