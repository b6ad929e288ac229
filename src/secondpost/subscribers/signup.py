"""Double opt-in: the form makes a pending reader, and the answer to the confirmation mail an active
one.

The form's answer is the same in every case; otherwise it would reveal who reads what. How often the
form can make us mail one address is limited in the store, which all web processes share.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.network import site_prefix
from secondpost.mail.queue_id import QueueId, QueueIds
from secondpost.mail.subscriber import Consent, Subscriber, SubscriberId, SubscriberState
from secondpost.maillog import MailLog
from secondpost.store.subscriber_ports import SignedUp, SignUpLimits, Subscribers
from secondpost.subscribers.typed import NotAReader, check_reader
from secondpost.world.ports import Clock

CROWD_LINE_MS = HOUR_MS
BY_FORM = "form"


class Confirmed(Enum):
    """The result of a confirmation."""

    NOW = "now"
    ALREADY = "already"  # was active already
    GONE = "gone"  # no pending reader with this id any more


@dataclass(slots=True)
class CrowdLog:
    """Logs sign-ups that met a limit, at most once an hour."""

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
    arrived: Callable[[], None]  # called when there may be a confirmation to send
    own: frozenset[Domain]  # this server's own domains, which have no readers
    crowded: Callable[[str, Domain, int], None]  # newsletter, domain and time of a withheld mail
    limits: SignUpLimits = field(default_factory=SignUpLimits)

    async def ask(
        self, newsletter: str, mailbox: Mailbox, where: str, words: str, caller: str, how: str = BY_FORM
    ) -> SignedUp:
        """Sign up an address and ask it to confirm. Raises NotAReader.

        `words` is the consent text of the form at `where`, or of the reader's mail; `caller` is an
        IP address or "".
        """
        check_reader(mailbox, self.own)
        now_ms = self.clock.now_ms()
        consent = Consent(where=where, how=how, text=words, at_ms=now_ms, address_prefix=site_prefix(caller))
        outcome = await self.subscribers.sign_up(
            newsletter, mailbox, consent, self.ids.next(now_ms), self.limits
        )
        self.arrived()  # always, even with nothing to send: the caller could measure the difference
        if outcome is SignedUp.CROWDED:
            self.crowded(newsletter, mailbox.domain, now_ms)
        return outcome

    async def note(self, newsletter: str, mailbox: Mailbox, outcome: SignedUp) -> None:
        """Record a sign-up that ended on the page itself, for the owner to see.

        Nothing is kept of an address that cannot be a reader's.
        """
        try:
            check_reader(mailbox, self.own)
        except NotAReader:
            return
        await self.subscribers.note_sign_up(newsletter, mailbox, self.clock.now_ms(), BY_FORM, outcome)

    async def add(self, newsletter: str, mailbox: Mailbox, consent: Consent | None) -> Subscriber | None:
        """Add a reader by the owner: active at once with a consent, else a mail asks them to
        confirm.

        None if the address is suppressed. Raises NotAReader.
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
        """Confirm a pending reader. `evidence` is the id of the mail that did it, if any."""
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
