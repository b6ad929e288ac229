"""Ports of the store of mail (mail.db), one small port per user.

A write returns an awaitable that completes once the change is durable: committed and synced,
together with all else that was waiting (group commit). Reads are awaited too; they are short and see
what is committed; SQLite's complete without suspending. Times are UTC milliseconds; sizes are octets.

StoreUnavailable and StoreFull mean that nothing of this write was kept: try later. DiskFailed
(world.ports) means that the disk's state is unknown: it is fatal, and is also passed to the store's
`failed`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.authentication import AuthenticationNote
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.delivery import Claimed, DeliveryId, KeptFor, State
from secondpost.mail.envelope import Arrival, Lane
from secondpost.mail.kept_copy import KeptCopy
from secondpost.mail.moment import utc_text
from secondpost.mail.queue_id import QueueId, QueueIds
from secondpost.store.advisory_ports import AdvisoriesKeeping
from secondpost.store.alarm_ports import AlarmsKeeping
from secondpost.store.arrival_ports import ArrivalsIntake, ArrivalsKeeping
from secondpost.store.attack_ports import AttacksIntake, AttacksKeeping
from secondpost.store.copy_ports import CopyClaims, CopyDesk, CopyKeeping
from secondpost.store.owner_ports import Desk, Refused, SiteDown
from secondpost.store.primary_ports import (
    PrimariesClaims,
    PrimariesIntake,
    PrimariesKeeping,
)
from secondpost.store.reach_ports import ReachKeeping

# Judges a reader's mail whose time is over by what it met last: the cause (Cause.word), and the reply or
# the words of the fault.
KindOfEnd = Callable[[str, str], BounceKind]
COMMAND = "command"  # role of a worker that is not a process of the service, but leads for a moment


class StoreUnavailable(Exception):
    """The store is closed, or another process has locked it for longer than the busy time-out.
    Temporary: 451.
    """


class StoreFull(Exception):
    """There is no room. Temporary: 452."""


class StoreRefused(Exception):
    """The store cannot be opened: wrong owner, newer schema, no database. The text names the
    remedy.
    """


class StoreNewer(StoreRefused):
    """A newer program wrote the store. `kept` is the copy that this program can put back, if any."""

    def __init__(self, schema: int, known: int, writer: str, own: str, kept: KeptCopy | None) -> None:
        self.schema = schema
        self.known = known
        self.writer = writer  # the version; "" if it is not known
        self.kept = kept
        newer = "a newer Secondpost" if len(writer) == 0 else f"a newer Secondpost, {writer}"
        if kept is None:
            back = "no copy from before was kept here: restore a snapshot made before it"
        else:
            back = (
                f"or type `secondpost upgrade --back` with this version: it puts back the copy of "
                f"{utc_text(kept.made_ms)}, {kept.path}, and sets aside what came since"
            )
        super().__init__(
            f"the store was written by {newer} (schema {schema}; this is {own}, which knows {known}). "
            f"Forward: install that version again. Back to this version: while that one is still installed, "
            f"stop the service and type `secondpost upgrade --back --to {known}`, which loses nothing; {back}"
        )


# ---------------------------------------------------------------- receive


@dataclass(frozen=True, slots=True)
class Learned:
    """What the primary said about a recipient."""

    known: bool
    at_ms: int
    how: str  # "probe" or "delivery"


@dataclass(frozen=True, slots=True)
class CatchAll:
    """Whether a domain's primary accepts an address that cannot exist."""

    takes_all: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class ProvenPrefix:
    """A network that sent mail to existing recipients, and when."""

    prefix: str  # as written by mail/network
    at_ms: int


class Intake(PrimariesIntake, ArrivalsIntake, AttacksIntake, Protocol):
    """The receive role's view of mail."""

    def accept(self, arrival: Arrival, kept_for: KeptFor | None = None) -> Awaitable[None]:
        """Store a message and its deliveries in one transaction: waiting and due now, or kept.

        Only once this is done may a client hear 250. Raises StoreUnavailable, StoreFull,
        DiskFailed.
        """
        ...

    async def stored_octets(self, domain: Domain) -> int:
        """Octets of a domain's mail here, without what its primary refused.

        Counts the lanes relay and unverified, in all states that keep content.
        """
        ...

    async def unverified_octets(self, domain: Domain) -> int:
        """Octets waiting in the lane unverified, for addresses of a domain of which nothing is
        known.
        """
        ...

    async def learned(self, mailbox: Mailbox) -> Learned | None: ...

    async def proven_prefixes(self, since_ms: int, limit: int) -> list[ProvenPrefix]:
        """The latest `limit` networks proven at or after `since_ms`, in order of time."""
        ...

    def prove_prefix(self, proven: ProvenPrefix) -> Awaitable[None]:
        """Record a proven network; an earlier time never replaces a later one."""
        ...


# ---------------------------------------------------------------- deliver


@dataclass(frozen=True, slots=True)
class SiteDue:
    """A (lane, site) with deliveries to attempt, which is neither down nor leased."""

    lane: Lane
    site: str
    due_ms: int  # the earliest; may be in the future


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to claim deliveries of one (lane, site, shard), until it is given back or its
    worker dies.

    `fence` is greater than that of every earlier lease.
    """

    lane: Lane
    site: str
    shard: int
    fence: int


class Settlement(Struct, frozen=True, gc=False):
    """The new state of a claimed delivery, decided by spool/schedule."""

    id: DeliveryId
    state: State
    at_ms: int
    due_ms: int = 0  # only for WAITING
    kept_for: KeptFor | None = None  # only for KEPT, and then always
    attempted: bool = True  # False: returned untried, no attempt is counted
    maybe_duplicate: bool = False  # sets the mark; it is never cleared
    cause: str = ""  # word of the Cause; "" if delivered
    host: str = ""
    reply: str = ""
    returned: BounceKind | None = None  # of a reader's mail: what its refusal says of the reader
    status: str = ""  # enhanced status of that refusal
    provider: str = ""  # of an issue's mail: the provider that it counts for (Provider.counted_as)
    sender_fault: bool = False  # of an issue's mail: refused or deferred for what we are


@dataclass(frozen=True, slots=True)
class Swept:
    """What sweeping found of dead workers."""

    workers: int
    maybe_duplicates: tuple[DeliveryId, ...]  # were claimed, so each may have been delivered
    files: int  # content files without a row
    unknown: tuple[DeliveryId, ...] = ()  # an issue's committing mails; not retried automatically


class Claims(PrimariesClaims, CopyClaims, Protocol):
    """The deliver role's view of mail. Opening the store for writing registers a worker."""

    def sweep(self) -> Awaitable[Swept]:
        """Clean up after dead workers: drop their leases, return their claimed rows to waiting with
        maybe_duplicate, and delete their files that have no row.

        Cheap if there is nothing; runs in batches.
        """
        ...

    async def sites_due(self, lanes: Sequence[Lane], until_ms: int, limit: int) -> list[SiteDue]:
        """Sites whose earliest delivery is due at or before `until_ms`, earliest first."""
        ...

    def lease(self, lane: Lane, site: str, shard: int = 0) -> Awaitable[Lease | None]:
        """Take a lease; None if another living worker has it."""
        ...

    def give_back(self, lease: Lease) -> Awaitable[None]:
        """Give a lease back; rows still claimed under it wait again, untried."""
        ...

    def claim(self, lease: Lease, now_ms: int, limit: int) -> Awaitable[list[Claimed]]:
        """Claim due deliveries of the lease's site, in order of arrival per domain, recipients of
        one message together.

        Empty if none is due, the site is down, or the lease was lost.
        """
        ...

    async def is_due(self, lease: Lease, now_ms: int) -> bool:
        """Whether there may be something to claim."""
        ...

    def settle(self, lease: Lease, settlements: Sequence[Settlement]) -> Awaitable[int]:
        """Write new states; returns how many rows were still claimed under this lease (others are
        untouched).

        Content that no recipient needs any more is deleted.
        """
        ...

    async def content(self, claimed: Claimed) -> bytes:
        """Prefix and content. Raises LookupError if they no longer exist."""
        ...

    async def contents(self, claimed: Sequence[Claimed]) -> dict[QueueId, bytes]:
        """Prefix and content of these messages in one query; only the prefix if the content is in a file.
        Deleted ones are left out.
        """
        ...

    async def authentication_notes(self, claimed: Sequence[Claimed]) -> dict[QueueId, AuthenticationNote]:
        """What was found out, when they arrived, of who sent these messages."""
        ...

    async def next_due_ms(self, lanes: Sequence[Lane]) -> int | None:
        """When the next delivery to a site that is not down is due; None if nothing waits."""
        ...

    def hint_site(self, lane: Lane, domain: Domain, site: str) -> Awaitable[None]:
        """Lease the domain's deliveries as this site from now on."""
        ...

    def pause_domain(self, lane: Lane, domain: Domain, until_ms: int) -> Awaitable[None]:
        """Claim none of the domain's deliveries before then."""
        ...

    def site_down(
        self, site: str, cause: str, detail: str, at_ms: int, next_probe_ms: int
    ) -> Awaitable[bool]:
        """Claim nothing of the site from now on. True if it was not down before; otherwise keeps
        `since_ms`.
        """
        ...

    def site_up(self, site: str, now_ms: int) -> Awaitable[bool]:
        """Make due everything that waited only for the site. True if it was down."""
        ...

    async def sites_down(self) -> list[SiteDown]: ...

    async def is_down(self, site: str) -> bool: ...

    async def domains_of(self, site: str, limit: int) -> list[tuple[Lane, Domain]]:
        """Domains with deliveries waiting for the site, from which a probe computes its route."""
        ...

    def expire(
        self,
        lane: Lane,
        domain: Domain,
        arrived_before_ms: int,
        now_ms: int,
        to: State,
        kind_of: KindOfEnd | None = None,
    ) -> Awaitable[int]:
        """End waiting deliveries that arrived before then: EXPIRED, or KEPT (expired), as relayed
        mail always is. One batch; returns the number.

        `kind_of`: of an issue's mail, which leaves a bounce of that kind in the same transaction.
        """
        ...

    async def waiting_domains(self) -> list[tuple[Lane, Domain]]:
        """All (lane, domain) with waiting deliveries."""
        ...

    def mend_due(self, later_than_ms: int, now_ms: int) -> Awaitable[int]:
        """Repair due times after the clock was set back; returns the number of deliveries now due.
        In batches.

        These are deliveries that wait longer than any schedule allows, that arrived in the future,
        or that wait only for their site and are not due. Pauses that last longer end.
        """
        ...

    def learn(self, mailbox: Mailbox, learned: Learned) -> Awaitable[None]: ...

    async def catch_all(self, domain: Domain) -> CatchAll | None:
        """None if it was never tested."""
        ...

    def learn_catch_all(self, domain: Domain, catch_all: CatchAll) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class Dropped:
    """Deliveries dropped by one batch, and their octets."""

    deliveries: int
    octets: int


class Keeping(PrimariesKeeping, AttacksKeeping, CopyKeeping, Protocol):
    """Housekeeping, done by one role."""

    @property
    def worker(self) -> int:
        """Our number among the workers, below queue_id.WORKERS_MAX, and not recently used by
        another.
        """
        ...

    @property
    def ids(self) -> QueueIds:
        """Our queue ids. One object for all users of this store: two would give the same id twice."""
        ...

    def checkpoint(self) -> Awaitable[int]:
        """Checkpoint the log; returns the octets copied, 0 if it is short. After many, call again
        soon.

        PASSIVE by size, RESTART above 48 MB, TRUNCATE above 64 MB once almost nothing was written
        for ten seconds; checks the result.
        """
        ...

    def prune(self, finished_before_ms: int) -> Awaitable[int]:
        """Delete messages all of whose deliveries ended before then; one batch, returns the number
        of messages.
        """
        ...

    def forget_learned(self, known_before_ms: int, unknown_before_ms: int) -> Awaitable[int]:
        """Delete recipients last found existing, or missing, before then; one batch, returns the
        number.
        """
        ...

    def bound_learned(self, most: int) -> Awaitable[int]:
        """Delete the oldest recipients beyond `most`, missing ones first; one batch, returns the
        number.
        """
        ...

    async def refused(self) -> list[Refused]:
        """As Desk.refused."""
        ...

    def drop_refused(
        self, domain: Domain, before_ms: int, octets_left: int | None, now_ms: int, detail: str
    ) -> Awaitable[Dropped]:
        """Drop mail that the domain's primary refused before then, oldest first, while more than
        `octets_left` remain (None: all of it); one batch.

        `detail` is recorded with each (DeliveryEvent).
        """
        ...

    def forget_prefixes(self, proven_before_ms: int) -> Awaitable[int]:
        """Delete networks last proven before then; one batch, returns the number."""
        ...

    def close(self) -> None:
        """Finish what is waiting, remove our worker, and close. Blocks."""
        ...


class MailStore(
    Intake,
    Claims,
    Desk,
    Keeping,
    AlarmsKeeping,
    ArrivalsKeeping,
    AdvisoriesKeeping,
    ReachKeeping,
    CopyDesk,
    Protocol,
):
    """The whole store, which roles hand to the stations port by port."""
