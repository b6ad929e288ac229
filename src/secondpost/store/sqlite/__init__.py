"""Store mail in two SQLite databases, `mail.db` and `newsletter.db`, each in a room of its
own (docs/store.md).

Read in this order: store.py and newsletter.py (opening), schema.py and migrations/ (the tables), engine.py
and statements.py (running the verbs of store/verbs), group.py (writing), checkpoint.py (the log), leaving.py
(content files that go). store/verbs/workers.py registers the process.
"""

from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from secondpost.store.sqlite.store import SqliteStore

__all__ = ["SqliteNewsletterStore", "SqliteStore"]
