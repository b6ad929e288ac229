"""newsletter.db: the same machinery for deliveries as mail.db, and what is for readers alone."""

from typing import ClassVar

from secondpost.store.sqlite.schema import Database
from secondpost.store.sqlite.store import SqliteStore
from secondpost.store.verbs.copies import CopiesVerbs
from secondpost.store.verbs.freezing import FreezingVerbs
from secondpost.store.verbs.importing import ImportingVerbs
from secondpost.store.verbs.issues import IssuesVerbs
from secondpost.store.verbs.leading import LeadingVerbs
from secondpost.store.verbs.ledger import LedgerVerbs
from secondpost.store.verbs.naming import NamingVerbs
from secondpost.store.verbs.reader_mail import ReaderMailVerbs
from secondpost.store.verbs.readers import ReadersVerbs
from secondpost.store.verbs.sending import SendingVerbs
from secondpost.store.verbs.sign_up_outcomes import SignUpOutcomesVerbs
from secondpost.store.verbs.signing_up import SigningUpVerbs
from secondpost.store.verbs.slots import SlotsVerbs
from secondpost.store.verbs.standing import StandingVerbs
from secondpost.store.verbs.suppressing import SuppressingVerbs


class SqliteNewsletterStore(
    ReaderMailVerbs,
    LeadingVerbs,
    FreezingVerbs,
    SendingVerbs,
    SlotsVerbs,
    IssuesVerbs,
    LedgerVerbs,
    ImportingVerbs,
    SuppressingVerbs,
    SigningUpVerbs,
    CopiesVerbs,
    SignUpOutcomesVerbs,
    ReadersVerbs,
    StandingVerbs,
    NamingVerbs,
    SqliteStore,
):
    """All ports of store/newsletter_ports and store/subscriber_ports over one database."""

    database: ClassVar[Database] = Database.NEWSLETTER

    async def sweep_freezing(self) -> int:
        await self.finish_stops()
        return await self.sweep_abandoned()
