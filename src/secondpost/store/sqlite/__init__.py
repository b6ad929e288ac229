"""Keeps mail in two SQLite databases, `mail.db` and `newsletter.db`, in the store's folder (docs/store.md).

Read store.py (how one is opened), group.py (how it writes), migrations/ (the tables), then intake.py,
claims.py, sites.py, desk.py and keeping.py: one port each. newsletter.py puts mail to readers on top:
readers.py, signing_up.py and importing.py; what it does for issues stands in store/verbs.
"""

from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from secondpost.store.sqlite.store import SqliteStore

__all__ = ["SqliteNewsletterStore", "SqliteStore"]
