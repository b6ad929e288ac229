"""newsletter.db: the same machinery for deliveries as mail.db, and what is for readers alone."""

from typing import ClassVar

from secondpost.mail.subscriber import SubscriberId
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.sqlite.freezing import SqliteFreezing
from secondpost.store.sqlite.issues import DELIVERIES_OF_READER, SqliteIssues, reader_delivery
from secondpost.store.sqlite.ledger import SqliteLedger
from secondpost.store.sqlite.naming import SqliteNaming
from secondpost.store.sqlite.schema import Database
from secondpost.store.sqlite.sending import SqliteSending
from secondpost.store.sqlite.standing import SqliteStanding
from secondpost.store.sqlite.store import SqliteStore
from secondpost.store.verbs.copies import CopiesVerbs
from secondpost.store.verbs.importing import ImportingVerbs
from secondpost.store.verbs.reader_mail import ReaderMailVerbs
from secondpost.store.verbs.readers import ReadersVerbs
from secondpost.store.verbs.sign_up_outcomes import SignUpOutcomesVerbs
from secondpost.store.verbs.signing_up import SigningUpVerbs
from secondpost.store.verbs.suppressing import SuppressingVerbs


class SqliteNewsletterStore(
    ReaderMailVerbs,
    SqliteFreezing,
    SqliteSending,
    SqliteIssues,
    SqliteLedger,
    ImportingVerbs,
    SuppressingVerbs,
    SigningUpVerbs,
    CopiesVerbs,
    SignUpOutcomesVerbs,
    ReadersVerbs,
    SqliteStanding,
    SqliteNaming,
    SqliteStore,
):
    """All ports of store/newsletter_ports and store/subscriber_ports over one database."""

    database: ClassVar[Database] = Database.NEWSLETTER

    async def deliveries_of(self, id: SubscriberId, limit: int) -> list[ReaderDelivery]:
        return [reader_delivery(row) for row in self._read(DELIVERIES_OF_READER, (id, limit))]

    async def sweep_freezing(self) -> int:
        await self.finish_stops()
        return await super().sweep_freezing()
