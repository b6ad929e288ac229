"""A message's way, station by station, in the words of the folders: receive, policy, spool, route, deliver.

Made of what the store remembers: the message's row, its deliveries, and what was told of them on the way.
"""

from dataclasses import dataclass
from enum import StrEnum

from secondpost.config.records import Config
from secondpost.mail.address import AddressError, Mailbox
from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import UNSORTED
from secondpost.mail.size import size_text
from secondpost.spool.desk import Standing, standing
from secondpost.store.ports import Listed, MessageRow, Told


class Station(StrEnum):
    RECEIVE = "receive"
    POLICY = "policy"
    SPOOL = "spool"
    ROUTE = "route"
    DELIVER = "deliver"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened; `delivery` is None when it concerns the whole message."""

    at_ms: int
    station: Station
    delivery: DeliveryId | None
    what: str
    detail: str


_AT_DELIVER = frozenset(("deferred", "delivered", "failed", "kept", "reported"))


def steps_of(message: MessageRow, deliveries: list[Listed], told: list[Told], config: Config) -> list[Step]:
    """In the order in which things happened; what happened at once, in the order of the stations."""
    steps = [*_arrival(message, deliveries, config)]
    for one in told:
        station = Station.DELIVER if one.what in _AT_DELIVER else Station.SPOOL
        delivery = None if one.number == 0 else DeliveryId(message.queue_id, one.number)
        steps.append(Step(one.at_ms, station, delivery, one.what, one.detail))
    steps.sort(key=lambda step: step.at_ms)  # stable: the arrival's own order stays
    for listed in deliveries:
        steps += _now(listed, told)
    return steps


def _arrival(message: MessageRow, deliveries: list[Listed], config: Config) -> list[Step]:
    at = message.arrived_ms
    tls = f", {message.tls}" if len(message.tls) > 0 else ", without TLS"
    came = f"from {message.peer_address} ({message.helo}) by {message.protocol}{tls}"
    size = f"from <{message.sender}>, {size_text(message.size)}"
    steps = [Step(at, Station.RECEIVE, None, "came", f"{came}; {size}")]
    for listed in deliveries:
        steps.append(Step(at, Station.POLICY, listed.id, "taken", _taken(listed, message.lane, config)))
    steps.append(Step(at, Station.SPOOL, None, "stored", "synced to disk; then the sender was told 250"))
    return steps


def _taken(listed: Listed, lane: Lane, config: Config) -> str:
    if lane is Lane.RELAY and _is_backed_up(listed.recipient, config):
        return f"{listed.recipient}: its domain is backed up here"
    return f"{listed.recipient}: lane {lane}"


def _is_backed_up(recipient: str, config: Config) -> bool:
    try:
        return config.backup_for(Mailbox.parse(recipient).domain) is not None
    except AddressError:
        return False


def _now(listed: Listed, told: list[Told]) -> list[Step]:
    """Where it stands: the end of its way, or what it waits for."""
    at = listed.arrived_ms if listed.last_ms is None else listed.last_ms
    steps = []
    if listed.site != UNSORTED and len(listed.site) > 0:
        steps.append(Step(at, Station.ROUTE, listed.id, "leads to", listed.site))
    said = f"{listed.host}: {listed.reply}" if len(listed.host) > 0 else listed.reply
    match listed.state:
        case State.DELIVERED | State.FAILED | State.REPORTED:
            steps.append(Step(at, Station.DELIVER, listed.id, listed.state.value, said))
        case State.CLAIMED:
            steps.append(Step(at, Station.DELIVER, listed.id, "claimed", "is being delivered now"))
        case State.WAITING if standing(listed) is Standing.HELD_PRIMARY:
            steps.append(
                Step(at, Station.SPOOL, listed.id, "held (primary)", f"until {listed.site} answers again")
            )
        case State.WAITING | State.EXPIRED:
            steps.append(Step(at, Station.SPOOL, listed.id, listed.state.value, _tries(listed)))
        case State.HELD | State.KEPT | State.DROPPED:
            if not any(
                one.number in (0, listed.id.number) and one.what == _WORD[listed.state] for one in told
            ):
                steps.append(Step(at, Station.SPOOL, listed.id, standing(listed).value, said))
    return steps


_WORD = {State.HELD: "held", State.KEPT: "kept", State.DROPPED: "dropped"}


def _tries(listed: Listed) -> str:
    return "for its first try" if listed.attempts == 0 else f"for try number {listed.attempts + 1}"
