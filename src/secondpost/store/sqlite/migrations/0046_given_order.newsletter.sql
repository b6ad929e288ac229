-- newsletter.db: an issue keeps the order that the owner gave it, which comes back when it is stopped.
ALTER TABLE issue ADD COLUMN given_order TEXT NOT NULL DEFAULT '';  -- as next_order.articles; '' without one
