"""What the owner's commands and pages may expect of the store of mail: lists, counts, one message's way,
and the verbs that lead deliveries elsewhere.

Times are UTC milliseconds, sizes octets; ports.py says what reads, writes and their errors are like.
"""

from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.delivery import DeliveryId, KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.store.primary_ports import PrimariesDesk


@dataclass(frozen=True, slots=True)
class SiteDown:
    """A site that takes nothing now. One row, whatever is waiting for it."""

    site: str
    since_ms: int
    cause: str
    detail: str
    next_probe_ms: int
    looked_ms: int


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery as a list shows it."""

    id: DeliveryId
    lane: Lane
    state: State
    kept_for: KeptFor | None
    sender: str
    recipient: str
    first_recipient: str | None  # for whom it came, when it was redirected since
    site: str  # as hinted; "unsorted" before the first attempt
    site_down: bool
    size: int
    arrived_ms: int
    due_ms: int
    attempts: int
    last_ms: int | None  # when it was last attempted or changed
    cause: str
    host: str
    reply: str
    maybe_duplicate: bool


@dataclass(frozen=True, slots=True)
class InState:
    """A state, or a part of it: of KEPT what is kept for one reason, of WAITING what waits for a primary."""

    state: State
    kept_for: KeptFor | None = None
    held_by_site: bool = False  # relayed mail whose site is down


@dataclass(frozen=True, slots=True)
class Selection:
    """Which deliveries: by id, or by what they have in common. An empty tuple means "no such limit"."""

    ids: tuple[QueueId, ...] = ()
    deliveries: tuple[DeliveryId, ...] = ()
    states: tuple[State, ...] = ()
    in_states: tuple[InState, ...] = ()  # one of these, and one of `states`
    causes: tuple[str, ...] = ()  # words of the last attempt's cause
    arrived_before_ms: int | None = None
    larger_than: int | None = None  # octets of the message
    domain: Domain | None = None
    address: str | None = None  # sender, recipient or first recipient, compared without regard to case
    site: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """Something that happened to a delivery besides the plain way; `number` 0 means the whole message."""

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


@dataclass(frozen=True, slots=True)
class Count:
    """How much of a domain is in a state; of KEPT, how much for which reason."""

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
    """What lies here of the mail that the primary of one domain refused."""

    domain: Domain
    deliveries: int
    octets: int
    oldest_ms: int  # when the first of it was refused


class Desk(PrimariesDesk, Protocol):
    """The owner's view."""

    def listed(self, selection: Selection, after: DeliveryId | None, limit: int) -> list[DeliveryRow]:
        """A page, in order of id; `after` is the last id of the page before."""
        ...

    def message(self, queue_id: QueueId) -> MessageRow | None: ...

    def told(self, queue_id: QueueId) -> list[DeliveryEvent]: ...

    def counts(self) -> list[Count]:
        """Of every state that keeps content, per lane and domain."""
        ...

    def sites_down(self) -> list[SiteDown]: ...

    def refused(self) -> list[Refused]:
        """By domain, in order of its name; only where there is some. Redirected mail is none of it."""
        ...

    def is_served(self) -> bool:
        """Whether a process of the service has this store open."""
        ...

    def content_pieces(self, queue_id: QueueId, octets: int) -> Iterator[bytes]:
        """The content piece by piece. Raises LookupError when it is gone."""
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
        """Lead the selected deliveries from one of these states to another; how many went. WAITING means
        due now, and forgets what they were kept for; content without a delivery left goes. `what` and
        `detail` are written down with each (DeliveryEvent). In batches.
        """
        ...

    def redirect(self, selection: Selection, to: Mailbox, now_ms: int, detail: str) -> Awaitable[int]:
        """Held, kept and waiting deliveries go to another mailbox, in lane own, due now; how many. For whom
        each came is kept, and written down with `detail` (DeliveryEvent).
        """
        ...
