-- A change of state that the tables of mail/subscriber_states and mail/article_states do not have is refused; the
-- conditions are made from them (store/verbs/transitions). A reader may begin in every state.
CREATE TRIGGER subscriber_changes_by_the_table BEFORE UPDATE OF state ON subscriber WHEN
CASE old.state
  WHEN 'pending' THEN NOT (new.state = 'active' OR new.state = 'left' OR new.state = 'suspended' OR new.state = 'complained')
  WHEN 'active' THEN NOT (new.state = 'left' OR new.state = 'suspended' OR new.state = 'complained')
  WHEN 'left' THEN NOT (new.state = 'pending' OR new.state = 'complained')
  WHEN 'suspended' THEN NOT (new.state = 'pending' OR new.state = 'active' OR new.state = 'left' OR new.state = 'complained')
  ELSE true
END
BEGIN
  SELECT raise(ABORT, 'no edge leads from this state of a reader to that');
END;

CREATE TRIGGER article_changes_by_the_table BEFORE UPDATE OF state ON article WHEN
CASE old.state
  WHEN 'seen' THEN NOT (new.state = 'waiting')
  WHEN 'waiting' THEN NOT (new.state = 'waiting' OR new.state = 'held' OR new.state = 'skipped' OR new.state = 'taken')
  WHEN 'held' THEN NOT (new.state = 'waiting' OR new.state = 'skipped')
  WHEN 'skipped' THEN NOT (new.state = 'waiting')
  WHEN 'taken' THEN NOT (new.state = 'waiting')
  ELSE true
END
BEGIN
  SELECT raise(ABORT, 'no edge leads from this state of an article to that');
END;

CREATE TRIGGER article_begins_by_the_table BEFORE INSERT ON article WHEN
NOT (new.state = 'seen' OR new.state = 'waiting' OR new.state = 'held' OR new.state = 'skipped')
BEGIN
  SELECT raise(ABORT, 'no article comes into being in this state');
END;
