"""newsletter.db: the same machinery for deliveries as mail.db, and what is for readers alone."""

from typing import ClassVar

from secondpost.store.sqlite.copies import SqliteCopies
from secondpost.store.sqlite.freezing import SqliteFreezing
from secondpost.store.sqlite.importing import SqliteImporting
from secondpost.store.sqlite.issues import SqliteIssues
from secondpost.store.sqlite.ledger import SqliteLedger
from secondpost.store.sqlite.naming import SqliteNaming
from secondpost.store.sqlite.schema import Database
from secondpost.store.sqlite.sending import SqliteSending
from secondpost.store.sqlite.signing_up import SqliteSigningUp
from secondpost.store.sqlite.standing import SqliteStanding
from secondpost.store.sqlite.store import SqliteStore
from secondpost.store.sqlite.suppressing import SqliteSuppressing
from secondpost.store.verbs.reader_mail import ReaderMailVerbs


class SqliteNewsletterStore(
    ReaderMailVerbs,
    SqliteFreezing,
    SqliteSending,
    SqliteIssues,
    SqliteLedger,
    SqliteImporting,
    SqliteSuppressing,
    SqliteSigningUp,
    SqliteCopies,
    SqliteStanding,
    SqliteNaming,
    SqliteStore,
):
    """All ports of store/newsletter_ports and store/subscriber_ports over one database."""

    database: ClassVar[Database] = Database.NEWSLETTER

    async def sweep_freezing(self) -> int:
        await self.finish_stops()
        return await super().sweep_freezing()
