-- newsletter.db: an issue goes only where the table of its states leads (EDGES of mail/issue).
CREATE TRIGGER issue_goes_elsewhere BEFORE UPDATE OF state ON issue
WHEN new.state <> old.state AND (old.state, new.state) NOT IN (VALUES
  ('open', 'freezing'), ('freezing', 'frozen'), ('freezing', 'open'), ('frozen', 'sending'), ('sending', 'done'),
  ('done', 'sending'), ('open', 'stopped'), ('frozen', 'stopped'), ('sending', 'stopped'))
BEGIN
  SELECT raise(ABORT, 'an issue does not go from this state to that one');
END;
