"""Double opt-in: a form's word makes a pending reader, and only the answer to our mail an active one.

Whoever asks is told the same in every case; otherwise the form would say who reads what. How often a form
can make us write to one address is bounded in the store, where all web processes see it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.prefix import site_prefix
from secondpost.mail.queue_id import QueueId, QueueIds
from secondpost.mail.subscriber import Consent, Subscriber, SubscriberId, SubscriberState
from secondpost.maillog import MailLog
from secondpost.store.subscriber_ports import SignedUp, SignUpLimits, Subscribers
from secondpost.subscribers.typed import NotAReader, check_reader
from secondpost.world.ports import Clock

CROWD_LINE_MS = 3_600_000
BY_FORM = "form"


class Confirmed(Enum):
    """What a confirmation did."""

    NOW = "now"
    ALREADY = "already"  # is a reader since an earlier one
    GONE = "gone"  # nobody is pending under it any more


@dataclass(slots=True)
class CrowdLog:
    """Writes one line an hour, however many sign-ups meet a bound."""

    log: MailLog
    _last_ms: int | None = None

    def met(self, newsletter: str, domain: Domain, now_ms: int) -> None:
        if self._last_ms is None or not 0 <= now_ms - self._last_ms < CROWD_LINE_MS:
            self._last_ms = now_ms
            self.log.sign_ups_crowded(newsletter, domain)


@dataclass(frozen=True, slots=True)
class SignUps:
    subscribers: Subscribers
    clock: Clock
    ids: QueueIds
    arrived: Callable[[], None]  # there may be a confirmation to send
    own: frozenset[Domain]  # no reader is there
    crowded: Callable[[str, Domain, int], None]  # the newsletter, whose confirmation did not go, and when
    limits: SignUpLimits = field(default_factory=SignUpLimits)

    async def ask(
        self, newsletter: str, mailbox: Mailbox, where: str, words: str, caller: str, how: str = BY_FORM
    ) -> SignedUp:
        """`words` are those that stood on the form at `where`, or in their mail; `caller` is an IP address
        or "". Raises NotAReader.
        """
        check_reader(mailbox, self.own)
        now_ms = self.clock.now_ms()
        consent = Consent(where=where, how=how, text=words, at_ms=now_ms, address_prefix=site_prefix(caller))
        outcome = await self.subscribers.sign_up(
            newsletter, mailbox, consent, self.ids.next(now_ms), self.limits
        )
        self.arrived()  # whether or not there is something to send: the caller could see the difference
        if outcome is SignedUp.CROWDED:
            self.crowded(newsletter, mailbox.domain, now_ms)
        return outcome

    async def note(self, newsletter: str, mailbox: Mailbox, outcome: SignedUp) -> None:
        """A sign-up on the page that came to its end there, for the owner to see. Of an address that cannot
        be a reader's nothing is kept.
        """
        try:
            check_reader(mailbox, self.own)
        except NotAReader:
            return
        await self.subscribers.note_sign_up(newsletter, mailbox, self.clock.now_ms(), BY_FORM, outcome)

    async def add(self, newsletter: str, mailbox: Mailbox, consent: Consent | None) -> Subscriber | None:
        """By the owner: a reader at once with a consent, else a mail asks them. None when the address is
        suppressed. Raises NotAReader.
        """
        check_reader(mailbox, self.own)
        now_ms = self.clock.now_ms()
        message = self.ids.next(now_ms) if consent is None else None
        after = await self.subscribers.add(newsletter, mailbox, consent, now_ms, message)
        if message is not None and after is not None and after.state is SubscriberState.PENDING:
            self.arrived()
        return after

    async def confirm(
        self, id: SubscriberId, where: str, words: str, caller: str, evidence: QueueId | None = None
    ) -> Confirmed:
        """`evidence`: the mail in which they did it."""
        consent = Consent(
            where=where,
            how="confirmed",
            text=words,
            at_ms=self.clock.now_ms(),
            address_prefix=site_prefix(caller),
        )
        if await self.subscribers.confirm(id, consent, evidence):
            return Confirmed.NOW
        subscriber = await self.subscribers.subscriber(id)
        if subscriber is not None and subscriber.state is SubscriberState.ACTIVE:
            return Confirmed.ALREADY
        return Confirmed.GONE
