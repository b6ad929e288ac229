"""Ports of the owner's commands and pages to the store of mail: lists, counts, a message's way, and
the verbs that move deliveries.

Times are UTC milliseconds, sizes octets; ports.py describes reads, writes and their errors.
"""

from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.delivery import DeliveryId, KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.store.advisory_ports import AdvisoriesDesk
from secondpost.store.alarm_ports import AlarmsDesk
from secondpost.store.arrival_ports import ArrivalsDesk
from secondpost.store.attack_ports import AttacksDesk
from secondpost.store.copy_ports import CopyNotice
from secondpost.store.primary_ports import PrimariesDesk
from secondpost.store.reach_ports import ReachDesk


@dataclass(frozen=True, slots=True)
class SiteDown:
    """A site that accepts nothing now. One row per site, however much waits for it."""

    site: str
    since_ms: int
    cause: str
    detail: str
    next_probe_ms: int
    looked_ms: int


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery as lists show it."""

    id: DeliveryId
    lane: Lane
    state: State
    kept_for: KeptFor | None
    sender: str
    recipient: str
    first_recipient: str | None  # the original recipient, if it was redirected
    site: str  # as last hinted; "unsorted" before the first attempt
    site_down: bool
    size: int
    arrived_ms: int
    due_ms: int
    attempts: int
    last_ms: int | None  # last attempt or change
    cause: str
    host: str
    reply: str
    maybe_duplicate: bool


@dataclass(frozen=True, slots=True)
class InState:
    """A state, or a part of it: KEPT for one reason, or WAITING for a primary."""

    state: State
    kept_for: KeptFor | None = None
    held_by_site: bool = False  # relayed mail, while its site is down


@dataclass(frozen=True, slots=True)
class Selection:
    """Selects deliveries by id, or by common properties. An empty tuple does not limit."""

    ids: tuple[QueueId, ...] = ()
    deliveries: tuple[DeliveryId, ...] = ()
    states: tuple[State, ...] = ()
    in_states: tuple[InState, ...] = ()  # one of these, in addition to `states`
    causes: tuple[str, ...] = ()  # words of the last attempt's cause
    arrived_before_ms: int | None = None
    larger_than: int | None = None  # octets of the message
    domain: Domain | None = None
    address: str | None = None  # sender, recipient or first recipient, ignoring case
    site: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """Something that happened to a delivery other than a plain change of state; `number` 0 means
    the whole message.
    """

    number: int
    at_ms: int
    what: str  # deferred, held, released, retried, kept, redirected, dropped, maybe-duplicate …
    detail: str


@dataclass(frozen=True, slots=True)
class MessageRow:
    queue_id: QueueId
    lane: Lane
    sender: str
    size: int
    peer_address: str
    helo: str
    protocol: str
    tls: str
    arrived_ms: int
    has_content: bool
    authentication: str = ""  # what SPF, DKIM, DMARC and ARC said; "" if nothing was evaluated


@dataclass(frozen=True, slots=True)
class Count:
    """Amount of a domain's mail in a state; for KEPT, by reason."""

    lane: Lane
    domain: str
    state: State
    kept_for: KeptFor | None
    site: str
    site_down: bool
    deliveries: int
    octets: int
    oldest_ms: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Mail kept here that a domain's primary refused."""

    domain: Domain
    deliveries: int
    octets: int
    oldest_ms: int  # when the oldest was refused


class Desk(
    PrimariesDesk, AlarmsDesk, ArrivalsDesk, AttacksDesk, AdvisoriesDesk, ReachDesk, CopyNotice, Protocol
):
    """The owner's view of mail."""

    async def listed(self, selection: Selection, after: DeliveryId | None, limit: int) -> list[DeliveryRow]:
        """A page of deliveries by id; `after` is the last id of the previous page."""
        ...

    async def message(self, queue_id: QueueId) -> MessageRow | None: ...

    async def events(self, queue_id: QueueId) -> list[DeliveryEvent]: ...

    async def counts(self) -> list[Count]:
        """Counts per lane and domain, of every state that keeps content."""
        ...

    async def sites_down(self) -> list[SiteDown]: ...

    async def refused(self) -> list[Refused]:
        """Refused mail per domain, by name, where there is any. Redirected mail does not count."""
        ...

    async def is_served(self) -> bool:
        """Whether a process of the service has this store open."""
        ...

    async def served_by(self) -> frozenset[str]:
        """The roles whose processes have this store open."""
        ...

    def content_pieces(self, queue_id: QueueId, octets: int) -> AsyncIterator[bytes]:
        """Prefix and content in pieces. Raises LookupError if they no longer exist."""
        ...

    def move(
        self,
        selection: Selection,
        came_from: Sequence[State],
        to: State,
        now_ms: int,
        what: str,
        detail: str,
    ) -> Awaitable[int]:
        """Move the selected deliveries from one of these states to another, in batches; returns
        their number.

        WAITING makes them due now and clears why they were kept; content without a remaining
        delivery is deleted. `what` and `detail` are recorded with each (DeliveryEvent).
        """
        ...

    def redirect(self, selection: Selection, to: Mailbox, now_ms: int, detail: str) -> Awaitable[int]:
        """Send held, kept and waiting deliveries to another mailbox, in lane own, due now; in
        batches, returns their number.

        The original recipient is kept, and recorded with `detail` (DeliveryEvent).
        """
        ...
