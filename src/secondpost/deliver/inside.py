"""Mail addressed to this server: bounces of mail to readers, mail from readers, and the copy of mail to
postmaster@ and abuse@ in which complaints are looked for.

It is spooled and claimed under a lease like all mail, but goes to other stations instead of a host.
These record the mail's id with each change, durably before the outcome is recorded, so that a
crash in between repeats nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from secondpost.deliver.context import DeliveryContext
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import Claimed
from secondpost.mail.inside_mail import BEGINNING_OCTETS_MAX, InsideMail
from secondpost.mail.outcome import Cause, Deferred, Delivered, Failed, Outcome
from secondpost.mail.plan import INSIDE, UNSORTED
from secondpost.mail.questions import Knowledge
from secondpost.mail.queue_id import QueueId
from secondpost.mail.reply import Reply
from secondpost.policy.recipient import OWN_MAILBOXES
from secondpost.protocols.tokens import KeyRing, Purpose, Token
from secondpost.protocols.verp import Join, Signed, parse_local_part, read
from secondpost.store.ports import Lease, StoreFull, StoreUnavailable

CLAIM_AT_ONCE = 50

# Internal errors that a stranger's mail may trigger. They must not stop other mail, now or at each
# start: the mail waits, and the owner is alarmed.
SLIPS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

Taker = Callable[[Token, InsideMail], Awaitable[str]]
# Handles mail to ourselves; the octets are its beginning.
InsideTaker = Callable[[Claimed, bytes], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class InsideDoor:
    """Handles mail to our own addresses. `came_back`, `complains`, `reported`, `leaves`, `confirms` and
    `joins` are verbs of other stations: each does once per mail id what the mail asks for, and returns a few
    words about it.
    """

    bounces: Domain
    keys: KeyRing  # for tokens in addresses
    caller_of: Callable[[QueueId], Awaitable[str]]
    came_back: Taker
    complains: Taker
    reported: Callable[[InsideMail], Awaitable[str]]
    leaves: Taker
    confirms: Taker
    joins: Callable[[str, InsideMail], Awaitable[str]]
    now_named: Callable[
        [str], Awaitable[str | None]
    ]  # present name of the newsletter that has or had this name

    async def knows(self, mailbox: Mailbox) -> Knowledge:
        """Whether the address has a valid token, or is the join address of a newsletter."""
        said = parse_local_part(mailbox.local)
        if isinstance(said, Join):
            found = await self.now_named(said.newsletter) is not None
        else:
            found = self._token(mailbox) is not None
        return Knowledge.KNOWN if found else Knowledge.UNKNOWN

    async def take(self, claimed: Claimed, beginning: bytes) -> Outcome:
        id = claimed.id.queue_id
        mail = InsideMail(id, claimed.sender, await self.caller_of(id), beginning)
        try:
            words = await self._take(claimed.recipient, mail)
        except (StoreUnavailable, StoreFull) as error:
            return Deferred(Cause.MESSAGE, INSIDE, Reply.of(451, "4.3.0", f"the newsletter's store: {error}"))
        if words is None:
            return NO_SUCH_MAILBOX
        return Delivered(INSIDE, Reply.of(250, "2.0.0", words))

    async def _take(self, mailbox: Mailbox, mail: InsideMail) -> str | None:
        """None: no such mailbox."""
        if mailbox.domain != self.bounces:
            return None
        if mailbox.local in OWN_MAILBOXES:
            return await self.reported(mail)
        said = parse_local_part(mailbox.local)
        if isinstance(said, Join):
            newsletter = await self.now_named(said.newsletter)
            return None if newsletter is None else await self.joins(newsletter, mail)
        token = self._token(mailbox)
        if token is None:
            return None
        match token.purpose:
            case Purpose.BOUNCE:
                return await self.came_back(token, mail)
            case Purpose.FEEDBACK:
                return await self.complains(token, mail)
            case Purpose.LEAVE_BY_MAIL:
                return await self.leaves(token, mail)
            case Purpose.CONFIRM_BY_MAIL:
                return await self.confirms(token, mail)
            case _:
                return None

    def _token(self, mailbox: Mailbox) -> Token | None:
        said = parse_local_part(mailbox.local)
        return read(self.keys, said) if isinstance(said, Signed) else None


NO_SUCH_MAILBOX = Failed(Cause.RECIPIENT, INSIDE, Reply.of(550, "5.1.1", "No such mailbox here"))


async def refuse_all(claimed: Claimed, beginning: bytes) -> Outcome:
    """Refuse all mail to ourselves: for a store without newsletters, and for a reader who gave an
    address of ours.
    """
    return NO_SUCH_MAILBOX


class InsideSite:
    """Handles mail to ourselves, one message after the other. `ended` is called once, when the
    lease is given back.
    """

    def __init__(
        self,
        context: DeliveryContext,
        lease: Lease,
        take: InsideTaker,
        ended: Callable[["InsideSite"], None],
    ) -> None:
        self._context = context
        self.lease = lease
        self._take_inside = take
        self._ended = ended
        self._working = False
        self._again = False
        self._stopping = False

    def stop(self) -> None:
        self._stopping = True

    def resume(self) -> None:
        """Nothing to do: this server itself is never down."""

    @property
    def stands_still(self) -> bool:
        """Never: this site waits for no server."""
        return False

    def poke(self) -> None:
        """Look for due deliveries."""
        self._again = True
        if not self._working:
            self._working = True
            self._context.background(self._work())

    async def _work(self) -> None:
        while self._again and not self._stopping:
            self._again = False
            for claimed in await self._claim():
                await self._take(claimed)
        await self._context.outcomes.finished(self.lease)
        await self._context.sites.give_back(self.lease)
        self._ended(self)

    async def _claim(self) -> list[Claimed]:
        context = self._context
        try:
            claimed = await context.claims.claim(self.lease, context.clock.now_ms(), CLAIM_AT_ONCE)
        except (StoreUnavailable, StoreFull) as error:
            context.alarms.begin(AlarmKind.CLAIM_WAITS, "", str(error))
            return []
        self._again = self._again or len(claimed) > 0
        return claimed

    async def _take(self, claimed: Claimed) -> None:
        context = self._context
        if self._stopping or not await self._is_ours(claimed):
            context.outcomes.hand_back(self.lease, (claimed,))
            return
        context.outcomes.conclude(self.lease, claimed, await self._outcome(claimed))

    async def _is_ours(self, claimed: Claimed) -> bool:
        """Whether the domain is still ours. If not, the configuration has changed since the claim,
        and the route is computed again.
        """
        domain = claimed.recipient.domain
        ours = domain in (self._context.config.bounces, self._context.config.hostname)
        if not ours:
            await self._context.sites.hint(claimed.lane, domain, UNSORTED)
        return ours

    async def _outcome(self, claimed: Claimed) -> Outcome:
        if claimed.subscriber is not None:
            return NO_SUCH_MAILBOX  # queued for a reader before the domain became ours
        try:
            beginning = await self._context.contents.beginning(claimed, BEGINNING_OCTETS_MAX)
        except (LookupError, StoreUnavailable) as error:
            self._context.outcomes.stuck.add(AlarmKind.CONTENT_UNREADABLE, claimed.id, str(error))
            return Deferred(Cause.MESSAGE, INSIDE, Reply.of(451, "4.3.0", str(error)))
        try:
            return await self._take_inside(claimed, beginning)
        except SLIPS as error:
            why = f"{type(error).__name__}: {error}"
            self._context.outcomes.stuck.add(AlarmKind.MAIL_NOT_UNDERSTOOD, claimed.id, why)
            return Deferred(Cause.MESSAGE, INSIDE, Reply.of(451, "4.3.0", f"an internal error: {why}"))
