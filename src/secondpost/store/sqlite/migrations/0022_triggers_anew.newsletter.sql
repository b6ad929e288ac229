-- newsletter.db: its triggers again, in words that SQLite and PostgreSQL share. What they do stays the same.

DROP TRIGGER issue_gets_delivery;
CREATE TRIGGER issue_gets_delivery AFTER INSERT ON delivery WHEN new.issue IS NOT NULL BEGIN
  INSERT INTO issue_tally (issue, state, deliveries) VALUES (new.issue, new.state, 1)
    ON CONFLICT (issue, state) DO UPDATE SET deliveries = issue_tally.deliveries + 1;
END;

DROP TRIGGER issue_is_counted_anew;
CREATE TRIGGER issue_is_counted_anew AFTER UPDATE OF state ON delivery
WHEN new.issue IS NOT NULL AND replace(new.state, 'claimed', 'waiting') <> replace(old.state, 'claimed', 'waiting')
BEGIN
  UPDATE issue_tally SET deliveries = deliveries - 1
    WHERE issue = new.issue AND state = replace(old.state, 'claimed', 'waiting');
  INSERT INTO issue_tally (issue, state, deliveries) VALUES (new.issue, replace(new.state, 'claimed', 'waiting'), 1)
    ON CONFLICT (issue, state) DO UPDATE SET deliveries = issue_tally.deliveries + 1;
END;

DROP TRIGGER reader_changes;
CREATE TRIGGER reader_changes AFTER UPDATE OF state ON subscriber WHEN new.state <> old.state BEGIN
  UPDATE reader_tally SET readers = readers - 1 WHERE newsletter = old.newsletter AND state = old.state;
  INSERT INTO reader_tally (newsletter, state, readers) VALUES (new.newsletter, new.state, 1)
    ON CONFLICT (newsletter, state) DO UPDATE SET readers = reader_tally.readers + 1;
END;

DROP TRIGGER reader_comes;
CREATE TRIGGER reader_comes AFTER INSERT ON subscriber BEGIN
  INSERT INTO reader_tally (newsletter, state, readers) VALUES (new.newsletter, new.state, 1)
    ON CONFLICT (newsletter, state) DO UPDATE SET readers = reader_tally.readers + 1;
END;

DROP TRIGGER reader_moves;
CREATE TRIGGER reader_moves AFTER UPDATE OF newsletter ON subscriber WHEN new.newsletter <> old.newsletter BEGIN
  UPDATE reader_tally SET readers = readers - 1 WHERE newsletter = old.newsletter AND state = old.state;
  INSERT INTO reader_tally (newsletter, state, readers) VALUES (new.newsletter, new.state, 1)
    ON CONFLICT (newsletter, state) DO UPDATE SET readers = reader_tally.readers + 1;
END;
