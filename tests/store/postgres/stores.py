"""The stores on PostgreSQL: the verbs over an engine."""

from secondpost.store.sqlite.schema import Database
from secondpost.store.verbs.mail_store import MailVerbs
from secondpost.store.verbs.newsletter_store import NewsletterVerbs
from tests.store.postgres.engine import PostgresEngine


class PostgresStore(MailVerbs):
    """All ports of mail. `role` None: opened by a command."""

    numbers = Database.MAIL.workers

    def __init__(self, engine: PostgresEngine, role: str | None) -> None:
        super().__init__(engine)
        if role is not None:
            engine.enter(role, self.numbers)


class PostgresNewsletterStore(NewsletterVerbs, PostgresStore):
    """All ports of the newsletter."""

    numbers = Database.NEWSLETTER.workers
