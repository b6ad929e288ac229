-- Queries about free pages of the database file; the engine runs them for its checkpoints.

-- name: vacuum
-- Give 64 free pages back to the disk: VACUUM_PAGES of checkpoint.py, since a pragma takes no value.
PRAGMA incremental_vacuum(64);

-- name: free_pages
-- The number of free pages.
PRAGMA freelist_count;
