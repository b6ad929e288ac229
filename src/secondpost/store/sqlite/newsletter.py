"""newsletter.db: the same deliveries as in mail.db, and the tables for newsletters and readers."""

from typing import ClassVar

from secondpost.store.sqlite.schema import Database
from secondpost.store.sqlite.store import SqliteStore
from secondpost.store.verbs.newsletter_store import NewsletterVerbs


class SqliteNewsletterStore(NewsletterVerbs, SqliteStore):
    """The newsletter's ports and those of mail, on one database."""

    database: ClassVar[Database] = Database.NEWSLETTER
