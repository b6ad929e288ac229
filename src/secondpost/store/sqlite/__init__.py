"""Keeps mail in one SQLite database, `mail.db`, in the store's folder (docs/store.md).

Read store.py (how it is opened), group.py (how it writes), migrations/ (the tables), then intake.py,
claims.py, sites.py, desk.py and keeping.py: one port each.
"""

from secondpost.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
