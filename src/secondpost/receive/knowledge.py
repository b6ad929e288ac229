"""Answers policy's questions: about recipients, from what was learned or by asking the role that
may speak to the primary; about octets stored, coming in and free.

That a mailbox exists is believed for a month, and for a year while the primary cannot be asked.
That it does not exist is believed for two hours, so that mail to a new mailbox is refused no
longer.
"""

from collections.abc import Awaitable, Callable

from secondpost.mail.address import Mailbox
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.network import site_prefix
from secondpost.mail.questions import (
    AskingPolicy,
    DomainOctets,
    FreeOctets,
    Knowledge,
    KnownRecipient,
    MayBringUnverified,
    OctetsAnswer,
    PolicyAnswer,
    PolicyQuestion,
    UnverifiedOctets,
)
from secondpost.mail.verdict import Defer, Verdict
from secondpost.receive.incoming import STORE_BUSY
from secondpost.receive.under_way import IncomingOctets, UnderWay
from secondpost.receive.unverified import UnverifiedMail
from secondpost.store.ports import Intake, StoreUnavailable
from secondpost.world.asking import PolicyAnswerer, drive
from secondpost.world.ports import Clock

KNOWN_FRESH_MS = 31 * DAY_MS
KNOWN_KEPT_MS = 365 * DAY_MS
UNKNOWN_FRESH_MS = 2 * HOUR_MS


STORE_UNREADABLE = Defer(STORE_BUSY, "store-unavailable")


async def answered(asking: AskingPolicy[Verdict], answerer: PolicyAnswerer) -> Verdict:
    """The verdict of a decision that asks; a store that cannot be read now defers."""
    try:
        return await drive(asking, answerer)
    except StoreUnavailable:
        return STORE_UNREADABLE


class RecipientKnowledge:
    """`ask`: asks the role that speaks to the primary, with the network of the caller."""

    def __init__(
        self, intake: Intake, clock: Clock, ask: Callable[[Mailbox, str], Awaitable[Knowledge]]
    ) -> None:
        self._intake = intake
        self._clock = clock
        self._ask = ask

    async def answer(self, question: KnownRecipient) -> Knowledge:
        learned = await self._intake.learned(question.mailbox)
        age_ms = self._clock.now_ms() - learned.at_ms if learned is not None else 0
        if learned is not None and 0 <= age_ms < (KNOWN_FRESH_MS if learned.known else UNKNOWN_FRESH_MS):
            return Knowledge.KNOWN if learned.known else Knowledge.UNKNOWN
        asked = Knowledge.UNREACHABLE
        if not question.learned_only:
            asked = await self._ask(question.mailbox, site_prefix(question.caller))
        is_kept = learned is not None and learned.known and age_ms < KNOWN_KEPT_MS
        return Knowledge.KNOWN if asked in (Knowledge.UNREACHABLE, Knowledge.UNASKED) and is_kept else asked


class PolicyKnowledge:
    """Answers policy's questions. `free`: octets of the disk beyond its reserve."""

    def __init__(
        self,
        recipients: RecipientKnowledge,
        intake: Intake,
        under_way: UnderWay,
        bringing: UnverifiedMail,
        free: Callable[[], int],
    ) -> None:
        self._recipients = recipients
        self._intake = intake
        self._under_way = under_way
        self._bringing = bringing
        self._free = free

    async def answer(self, question: PolicyQuestion) -> PolicyAnswer:
        """Answer one question (a PolicyAnswerer). Octets coming in are read after octets stored, at
        the moment of the decision.
        """
        match question:
            case KnownRecipient():
                return await self._recipients.answer(question)
            case DomainOctets(domain):
                return _octets(await self._intake.stored_octets(domain), self._under_way.of(domain))
            case UnverifiedOctets(domain):
                stored = await self._intake.unverified_octets(domain)
                return _octets(stored, self._under_way.unverified(domain))
            case FreeOctets():
                return self._free()
            case MayBringUnverified(domain, caller):
                return self._bringing.may_bring(domain, caller)


def _octets(stored: int, coming: IncomingOctets) -> OctetsAnswer:
    return OctetsAnswer(stored, coming.certain, coming.expected)
