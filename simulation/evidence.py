"""The evidence of a day for the invariants: transactions, mailboxes and the store's content."""

import re
from dataclasses import dataclass, field
from functools import cached_property

from secondpost.mail.delivery import DeliveryId, KeptFor, State
from simulation.daylog import DayLog
from simulation.internet.primaries import HeardRcpt, ReceivingServer, Taken
from simulation.people.letters import Heard, LetterLedger
from simulation.scenario import OUR_ADDRESS, OUR_NAME, Scenario

OUR_RECEIVED = re.compile(
    rb"Received: from [^\r\n]*(?:\r\n[ \t][^\r\n]*)*\r\n", re.IGNORECASE
)  # one whole field, folded or not
OUR_RESULTS = re.compile(
    rb"Authentication-Results: " + re.escape(OUR_NAME.encode()) + rb";[^\r\n]*(?:\r\n[ \t][^\r\n]*)*\r\n"
)
_QUEUE_ID = re.compile(rb"\bby " + re.escape(OUR_NAME.encode()) + rb" with \S+ id ([0-9a-z]{13})\b")


@dataclass(frozen=True, slots=True)
class Stored:
    """A delivery that the store still knows at the end of the day."""

    id: DeliveryId
    marker: str | None  # None: its content is gone
    sender: str
    recipient: str
    state: State
    kept_for: KeptFor | None
    due_ms: int
    cause: str


@dataclass(frozen=True, slots=True)
class Relayed:
    """A copy of a message that we delivered to a primary."""

    queue_id: str
    recipient: str
    marker: str
    at_seconds: float
    replied: bool


@dataclass
class Evidence:
    scenario: Scenario
    ledger: LetterLedger
    primaries: list[ReceivingServer]
    strangers: list[ReceivingServer]  # servers of the senders' own domain and of the spam victim
    log: DayLog
    stored: list[Stored] = field(default_factory=list)
    comebacks: list[tuple[float, int]] = field(default_factory=list)  # (seconds, primary) at each return
    left_open: int = 0  # connections of ours that were still open at the end
    faults: list[str] = field(default_factory=list)  # unhandled errors in the loops
    complaints: list[str] = field(default_factory=list)
    unsettled: int = 0  # letters still in the senders' queues

    @cached_property
    def ours(self) -> list[Taken]:
        """All messages that primaries took from our address."""
        return [taken for server in self.primaries for taken in server.taken if taken.peer == OUR_ADDRESS]

    @cached_property
    def relayed(self) -> list[Relayed]:
        return [
            Relayed(
                queue_id_of(taken.content) or "",
                recipient,
                taken.marker or "",
                taken.at_seconds,
                taken.replied,
            )
            for taken in self.ours
            for recipient in taken.recipients
        ]

    @cached_property
    def acknowledged(self) -> list[tuple[str, str, float]]:
        """(marker, recipient, seconds) of each recipient whose content we answered with 250."""
        return [
            (handing.marker, recipient, handing.at_seconds)
            for handing in self.ledger.handings
            if handing.heard is Heard.ACKNOWLEDGED and handing.to == OUR_ADDRESS
            for recipient in handing.recipients
        ]

    @cached_property
    def offered(self) -> dict[tuple[str, str], float]:
        """Seconds of our first offer of (sender, recipient) to a primary; probes have sender ""."""
        first: dict[tuple[str, str], float] = {}
        for server in self.primaries:
            for offer in server.offered:
                if offer.peer == OUR_ADDRESS:
                    key = (offer.sender, offer.recipient)
                    first[key] = min(offer.at_seconds, first.get(key, offer.at_seconds))
        return first

    def was_refused(self, sender: str, recipient: str) -> bool:
        """Whether a primary refused it permanently, even if the reply did not reach us."""
        return any(
            (sender, recipient) in server.refused or sender in server.refused_senders
            for server in self.primaries
        )

    def offers_from_us(self, servers: list[ReceivingServer]) -> list[HeardRcpt]:
        return [offer for server in servers for offer in server.offered if offer.peer == OUR_ADDRESS]

    def first_tried(self, marker: str, recipient: str) -> float | None:
        sender = self.ledger.letters[marker].sender
        times = [self.offered[key] for key in ((sender, recipient), (sender, "")) if key in self.offered]
        return min(times, default=None)


@dataclass(frozen=True, slots=True)
class AddedByUs:
    """What stands above a message: our two fields, and the octets after them."""

    results: bytes
    content: bytes


def added_by_us(content: bytes) -> AddedByUs | None:
    """None if our fields are missing, or not in their order."""
    top = OUR_RECEIVED.match(content)
    if top is None or queue_id_of(content) is None:
        return None
    results = OUR_RESULTS.match(content, top.end())
    return None if results is None else AddedByUs(results[0], content[results.end() :])


def queue_id_of(content: bytes) -> str | None:
    """The queue id in the topmost Received field, if that one is ours."""
    top = OUR_RECEIVED.match(content)
    found = _QUEUE_ID.search(top[0].replace(b"\r\n\t", b" ")) if top is not None else None
    return found[1].decode() if found is not None else None
