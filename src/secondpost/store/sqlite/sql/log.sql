-- What the engine asks for itself: free pages of the database. No verb runs these.

-- name: vacuum
-- Give 64 free pages back to the disk: VACUUM_PAGES of checkpoint.py, since a pragma takes no value.
PRAGMA incremental_vacuum(64);

-- name: free_pages
-- The number of pages that hold nothing.
PRAGMA freelist_count;
