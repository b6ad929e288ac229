"""What the stations may expect of the store of mail (mail.db), one small port per user.

Writes return an awaitable that is done once the change is durable: it was committed and synced,
together with whatever else was waiting (group commit). Reads are short, direct and see what is
committed. Times are UTC milliseconds; sizes are octets.

StoreUnavailable and StoreFull mean: nothing of this write was kept, try later. DiskFailed (world.ports)
means that what is on the disk is unknown: it is fatal, and is also given to the store's `failed`.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.delivery import Claimed, DeliveryId, KeptFor, State
from secondpost.mail.envelope import Arrival, Lane
from secondpost.mail.queue_id import QueueId
from secondpost.store.owner_ports import Desk, Refused, SiteDown
from secondpost.store.primary_ports import (
    PrimariesClaims,
    PrimariesIntake,
    PrimariesKeeping,
)

COMMAND = "command"  # the role of a worker that is no process of the service, but leads for a moment


class StoreUnavailable(Exception):
    """Locked by another process for longer than the busy time-out, or closed. Temporary: 451."""


class StoreFull(Exception):
    """No room for it. Temporary: 452."""


class StoreRefused(Exception):
    """The store cannot be opened: another owner, a newer schema, no database. The text names the fix."""


# ---------------------------------------------------------------- receive


@dataclass(frozen=True, slots=True)
class Learned:
    """What was once found out about a recipient at the primary."""

    known: bool
    at_ms: int
    how: str  # "probe" or "delivery"


@dataclass(frozen=True, slots=True)
class CatchAll:
    """Whether a domain's primary takes mail for an address that cannot exist."""

    takes_all: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class ProvenPrefix:
    """A network from which mail to people who are here was taken, and when."""

    prefix: str  # as mail/prefix writes it
    at_ms: int


class Intake(PrimariesIntake, Protocol):
    """The receive role's view."""

    def accept(self, arrival: Arrival, kept_for: KeptFor | None = None) -> Awaitable[None]:
        """Message and deliveries in one transaction, `waiting` and due now, or `kept` at once.
        Done means durable: only then may anyone say 250. Raises StoreUnavailable, StoreFull, DiskFailed.
        """
        ...

    def stored_octets(self, domain: Domain) -> int:
        """What lies here for a domain (lanes relay and unverified, all states that keep content) but for what
        its primary has refused.
        """
        ...

    def unverified_octets(self, domain: Domain) -> int:
        """What waits here for addresses of a domain of which nothing is known (lane unverified, not kept)."""
        ...

    async def learned(self, mailbox: Mailbox) -> Learned | None: ...

    def proven_prefixes(self, since_ms: int, limit: int) -> list[ProvenPrefix]:
        """Those proven at `since_ms` or later; the latest `limit` of them, in order of time."""
        ...

    def prove_prefix(self, proven: ProvenPrefix) -> Awaitable[None]:
        """Written down; an earlier time never replaces a later one."""
        ...


# ---------------------------------------------------------------- deliver


@dataclass(frozen=True, slots=True)
class SiteDue:
    """A (lane, site) that has deliveries to attempt, is not down and is not leased."""

    lane: Lane
    site: str
    due_ms: int  # the earliest; may lie in the future


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to claim deliveries of one (lane, site, shard), until it is given back or the worker
    is dead. `fence` is larger than that of every lease before it.
    """

    lane: Lane
    site: str
    shard: int
    fence: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a claimed delivery: one row's new state, decided by spool/schedule."""

    id: DeliveryId
    state: State
    at_ms: int
    due_ms: int = 0  # meant only for WAITING
    kept_for: KeptFor | None = None  # given if and only if KEPT
    attempted: bool = True  # False: handed back untried, nothing is counted
    maybe_duplicate: bool = False  # set it; never cleared
    cause: str = ""  # word of the Cause, "" for a delivery
    host: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Swept:
    """What was found of workers that died."""

    workers: int
    maybe_duplicates: tuple[DeliveryId, ...]  # were claimed: each may have been delivered
    files: int  # content files that no row names
    unknown: tuple[DeliveryId, ...] = ()  # were committing: of an issue, never tried again by themselves


class Claims(PrimariesClaims, Protocol):
    """The deliver role's view. A worker was entered when the store was opened for writing."""

    def sweep(self) -> Awaitable[Swept]:
        """Dead workers: their leases fall, their claimed rows are waiting again with maybe_duplicate,
        their files without a row go. Cheap when there is nothing; in batches when there is much.
        """
        ...

    async def sites_due(self, lanes: Sequence[Lane], until_ms: int, limit: int) -> list[SiteDue]:
        """Those whose earliest delivery is due at or before `until_ms`, earliest first."""
        ...

    def lease(self, lane: Lane, site: str, shard: int = 0) -> Awaitable[Lease | None]:
        """None when another living worker has it."""
        ...

    def give_back(self, lease: Lease) -> Awaitable[None]:
        """Rows still claimed under it wait again, untried."""
        ...

    def claim(self, lease: Lease, now_ms: int, limit: int) -> Awaitable[list[Claimed]]:
        """Due deliveries of the lease's site, in arrival order per domain, recipients of one message
        beside each other. Empty when none is due, the site is down, or the fence fell.
        """
        ...

    async def is_due(self, lease: Lease, now_ms: int) -> bool:
        """Whether there may be something to claim."""
        ...

    def settle(self, lease: Lease, settlements: Sequence[Settlement]) -> Awaitable[int]:
        """Write new states; returns how many rows were still claimed under this fence (the others are
        untouched). Content that no recipient needs any more goes with it.
        """
        ...

    async def content(self, claimed: Claimed) -> bytes:
        """The content from the table; for a file, read it from the Disk. Raises LookupError when gone."""
        ...

    async def contents(self, claimed: Sequence[Claimed]) -> dict[QueueId, bytes]:
        """The contents of these messages, by one query, of those that are in the table and not gone."""
        ...

    async def next_due_ms(self, lanes: Sequence[Lane]) -> int | None:
        """When the earliest delivery that is not behind a down site will be due; None: nothing waits."""
        ...

    def hint_site(self, lane: Lane, domain: Domain, site: str) -> Awaitable[None]:
        """The domain's deliveries are leased as this site from now on."""
        ...

    def pause_domain(self, lane: Lane, domain: Domain, until_ms: int) -> Awaitable[None]:
        """None of the domain's deliveries is claimed before then."""
        ...

    def site_down(
        self, site: str, cause: str, detail: str, at_ms: int, next_probe_ms: int
    ) -> Awaitable[bool]:
        """Nothing of the site is claimed any more. True when this is news; keeps `since_ms` otherwise."""
        ...

    def site_up(self, site: str, now_ms: int) -> Awaitable[bool]:
        """Everything waiting for the site for the site's sake is due now. True when it was down."""
        ...

    def sites_down(self) -> list[SiteDown]: ...

    async def is_down(self, site: str) -> bool: ...

    async def domains_of(self, site: str, limit: int) -> list[tuple[Lane, Domain]]:
        """Domains with deliveries waiting for the site: what a probe computes its route from."""
        ...

    def expire(
        self, lane: Lane, domain: Domain, arrived_before_ms: int, now_ms: int, to: State
    ) -> Awaitable[int]:
        """Waiting deliveries older than that become EXPIRED, or KEPT (expired), which relayed mail becomes
        in any lane; how many. One batch.
        """
        ...

    async def waiting_domains(self) -> list[tuple[Lane, Domain]]:
        """All (lane, domain) with deliveries waiting."""
        ...

    def mend_due(self, later_than_ms: int, now_ms: int) -> Awaitable[int]:
        """What a clock that has been set back since put off is due now; how many. That is what waits longer
        than any schedule says, what arrived in a time to come, and what waits for its site's sake alone
        and is not due. Pauses that last longer are over. In batches.
        """
        ...

    def learn(self, mailbox: Mailbox, learned: Learned) -> Awaitable[None]: ...

    async def catch_all(self, domain: Domain) -> CatchAll | None:
        """None: it was never found out."""
        ...

    def learn_catch_all(self, domain: Domain, catch_all: CatchAll) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class Dropped:
    """Deliveries that one batch dropped, and the octets that were counted for them."""

    deliveries: int
    octets: int


class Keeping(PrimariesKeeping, Protocol):
    """Housekeeping, led by one role."""

    @property
    def worker(self) -> int:
        """Our number among the workers, below queue_id.WORKERS_MAX; never that of a recent other one."""
        ...

    def checkpoint(self) -> Awaitable[int]:
        """Octets of the log that were copied; 0 when it is short. After many, call it again soon.

        PASSIVE by size, RESTART above 48 MB, TRUNCATE above 64 MB when hardly anything
        was written for ten seconds; checks the result.
        """
        ...

    def prune(self, finished_before_ms: int) -> Awaitable[int]:
        """Forget messages all of whose deliveries ended before then; one batch; how many messages."""
        ...

    def forget_learned(self, known_before_ms: int, unknown_before_ms: int) -> Awaitable[int]:
        """Forget recipients last found to be there, or not to be there, before then; one batch; how many."""
        ...

    def bound_learned(self, most: int) -> Awaitable[int]:
        """With more recipients than that, forget the oldest, first those that were not there; one batch; how
        many.
        """
        ...

    def refused(self) -> list[Refused]:
        """As Desk.refused."""
        ...

    def drop_refused(
        self, domain: Domain, before_ms: int, octets_left: int | None, now_ms: int, detail: str
    ) -> Awaitable[Dropped]:
        """Drop what the primary of the domain refused before then, the oldest first, for as long as more than
        `octets_left` of it lie here (None: all of it); one batch. `detail` is written down with each (Told).
        """
        ...

    def forget_prefixes(self, proven_before_ms: int) -> Awaitable[int]:
        """Forget networks last proven before then; one batch; how many."""
        ...

    def close(self) -> None:
        """Finish what is waiting, leave the list of workers, close. Blocks."""
        ...


class MailStore(Intake, Claims, Desk, Keeping, Protocol):
    """The whole of it: what an adapter offers, and what app hands to the stations part by part."""
