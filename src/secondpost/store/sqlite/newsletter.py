"""newsletter.db: the same machinery for deliveries as mail.db, and what is for readers alone."""

from typing import ClassVar

from secondpost.store.sqlite.copies import SqliteCopies
from secondpost.store.sqlite.importing import SqliteImporting
from secondpost.store.sqlite.schema import Database
from secondpost.store.sqlite.signing_up import SqliteSigningUp
from secondpost.store.sqlite.store import SqliteStore
from secondpost.store.sqlite.suppressing import SqliteSuppressing
from secondpost.store.verbs.freezing import FreezingVerbs
from secondpost.store.verbs.issues import IssuesVerbs
from secondpost.store.verbs.leading import LeadingVerbs
from secondpost.store.verbs.ledger import LedgerVerbs
from secondpost.store.verbs.naming import NamingVerbs
from secondpost.store.verbs.reader_mail import ReaderMailVerbs
from secondpost.store.verbs.sending import SendingVerbs
from secondpost.store.verbs.slots import SlotsVerbs
from secondpost.store.verbs.standing import StandingVerbs


class SqliteNewsletterStore(
    ReaderMailVerbs,
    LeadingVerbs,
    FreezingVerbs,
    SendingVerbs,
    SlotsVerbs,
    IssuesVerbs,
    LedgerVerbs,
    SqliteImporting,
    SqliteSuppressing,
    SqliteSigningUp,
    SqliteCopies,
    StandingVerbs,
    NamingVerbs,
    SqliteStore,
):
    """All ports of store/newsletter_ports and store/subscriber_ports over one database."""

    database: ClassVar[Database] = Database.NEWSLETTER

    async def sweep_freezing(self) -> int:
        await self.finish_stops()
        return await self.sweep_abandoned()
