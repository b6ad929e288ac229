"""Store mail in two SQLite databases, `mail.db` and `newsletter.db`, in the store's folder
(docs/store.md).

Read in this order: store.py (opening), group.py (writing), migrations/ (the tables), base.py and
statements.py (running the verbs of store/verbs), keeping.py (workers), checkpoint.py, and
newsletter.py for newsletter.db.
"""

from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from secondpost.store.sqlite.store import SqliteStore

__all__ = ["SqliteNewsletterStore", "SqliteStore"]
