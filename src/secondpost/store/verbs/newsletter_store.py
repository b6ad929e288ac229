"""All verbs of the newsletter's store beyond those of a store of mail."""

from secondpost.store.verbs.accepting import NewsletterAcceptingVerbs
from secondpost.store.verbs.approvals import ApprovalsVerbs
from secondpost.store.verbs.copies import CopiesVerbs
from secondpost.store.verbs.duties import DutiesVerbs
from secondpost.store.verbs.freezing import FreezingVerbs
from secondpost.store.verbs.importing import ImportingVerbs
from secondpost.store.verbs.issues import IssuesVerbs
from secondpost.store.verbs.leading import LeadingVerbs
from secondpost.store.verbs.ledger import LedgerVerbs
from secondpost.store.verbs.naming import NamingVerbs
from secondpost.store.verbs.providers import ProvidersVerbs
from secondpost.store.verbs.reader_mail import ReaderMailVerbs
from secondpost.store.verbs.readers import ReadersVerbs
from secondpost.store.verbs.sending import SendingVerbs
from secondpost.store.verbs.sign_up_outcomes import SignUpOutcomesVerbs
from secondpost.store.verbs.signing_up import SigningUpVerbs
from secondpost.store.verbs.slots import SlotsVerbs
from secondpost.store.verbs.standing import StandingVerbs
from secondpost.store.verbs.statistics import StatisticsVerbs
from secondpost.store.verbs.suppressing import SuppressingVerbs
from secondpost.store.verbs.weighing import WeighingVerbs


class NewsletterVerbs(
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
    StatisticsVerbs,
    ProvidersVerbs,
    ApprovalsVerbs,
    DutiesVerbs,
    NamingVerbs,
    WeighingVerbs,
    NewsletterAcceptingVerbs,
):
    """Implements store/newsletter_ports, subscriber_ports, standing_ports and naming_ports."""

    async def sweep_freezing(self) -> int:
        await self.finish_stops()
        return await self.sweep_abandoned()
