-- newsletter.db alone: the picture of an article, and which entries of a feed are no articles.
ALTER TABLE article ADD COLUMN picture TEXT NOT NULL DEFAULT '';  -- an absolute address
ALTER TABLE feed ADD COLUMN left_out TEXT NOT NULL DEFAULT '';    -- in words; '' when every entry is an article

-- An author is a name, never an address. Each feed is read as a whole once more, so that names, pictures and
-- entries that were no articles before come from it.
UPDATE article SET author = '' WHERE instr(author, '@') > 0;
UPDATE feed SET etag = '', last_modified = '';
