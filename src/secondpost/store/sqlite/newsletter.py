"""newsletter.db: the same machinery for deliveries as mail.db, and what is for readers alone."""

from typing import ClassVar

from secondpost.store.sqlite.schema import Database
from secondpost.store.sqlite.store import SqliteStore
from secondpost.store.verbs.newsletter_store import NewsletterVerbs


class SqliteNewsletterStore(NewsletterVerbs, SqliteStore):
    """The newsletter's ports, and those of mail, over one database."""

    database: ClassVar[Database] = Database.NEWSLETTER
