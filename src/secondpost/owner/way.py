"""The way of a message, station by station, named by the folders: receive, policy, spool, route,
deliver.

Made from the store: the message's row, its deliveries, and their recorded events.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from secondpost.config.records import Config
from secondpost.mail.address import AddressError, Domain
from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.duration import duration_text
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import UNSORTED
from secondpost.mail.size import size_text
from secondpost.protocols.smtp.international import written_mailbox
from secondpost.spool.desk import OwnerVerb, Standing, standing
from secondpost.store.owner_ports import DeliveryEvent, DeliveryRow, MessageRow


class Station(StrEnum):
    RECEIVE = "receive"
    POLICY = "policy"
    SPOOL = "spool"
    ROUTE = "route"
    DELIVER = "deliver"
    BOUNCE = "bounce"
    NEWSLETTER = "newsletter"
    SUBSCRIBERS = "subscribers"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened; `delivery` is None if it concerns the whole message."""

    at_ms: int
    station: Station
    delivery: DeliveryId | None
    what: str
    detail: str


# All other events happen in the spool.
_AT_DELIVER = frozenset(("deferred", "kept", "failed", "expired"))


def steps_of(
    message: MessageRow, deliveries: list[DeliveryRow], events: list[DeliveryEvent], config: Config
) -> list[Step]:
    """The steps in order of time: the arrival first, each state after the events that led to it."""
    happened = [_event_step(message, one) for one in events]
    for listed in deliveries:
        happened += _stands(listed, config)
    happened.sort(key=lambda step: step.at_ms)  # stable: a state follows the events that led to it
    return [*_arrival(message, deliveries, config), *_with_routes(happened, deliveries)]


def _event_step(message: MessageRow, one: DeliveryEvent) -> Step:
    station = Station.DELIVER if one.what in _AT_DELIVER else Station.SPOOL
    delivery = None if one.number == 0 else DeliveryId(message.queue_id, one.number)
    return Step(one.at_ms, station, delivery, one.what, one.detail)


def _with_routes(steps: list[Step], deliveries: list[DeliveryRow]) -> Iterator[Step]:
    """Insert each delivery's route, which is computed and not stored, before its first attempt.

    For a redirected delivery it is known only for attempts after the last redirect.
    """
    sites = {listed.id: listed.site for listed in deliveries if listed.site != UNSORTED}
    redirects = Counter(step.delivery for step in steps if step.what == OwnerVerb.REDIRECT.past)
    for step in steps:
        if step.what == OwnerVerb.REDIRECT.past:
            redirects[step.delivery] -= 1
        is_on_its_way = step.station is Station.DELIVER and redirects[step.delivery] == 0
        if is_on_its_way and step.delivery in sites:
            yield Step(step.at_ms, Station.ROUTE, step.delivery, "leads to", sites.pop(step.delivery))
        yield step


def _arrival(message: MessageRow, deliveries: list[DeliveryRow], config: Config) -> list[Step]:
    at = message.arrived_ms
    tls = f", {message.tls}" if len(message.tls) > 0 else ", without TLS"
    came = f"from {message.peer_address} ({message.helo}) by {message.protocol}{tls}"
    size = f"from <{message.sender}>, {size_text(message.size)}"
    steps = [Step(at, Station.RECEIVE, None, "came", f"{came}; {size}")]
    if len(message.authentication) > 0:
        steps.append(Step(at, Station.RECEIVE, None, "authenticated", _results(message.authentication)))
    for listed in deliveries:
        steps.append(Step(at, Station.POLICY, listed.id, "taken", _taken(listed, message.lane, config)))
    steps.append(Step(at, Station.SPOOL, None, "stored", "synced to disk; then the sender got 250"))
    return steps


def _results(value: str) -> str:
    """What our Authentication-Results say, on one line and without our name."""
    _, _, results = " ".join(value.split()).partition("; ")
    return results


def _taken(listed: DeliveryRow, lane: Lane, config: Config) -> str:
    recipient = listed.recipient if listed.first_recipient is None else listed.first_recipient
    if lane is Lane.RELAY and _is_backed_up(recipient, config):
        taken = f"{recipient}: its domain is backed up here"
        unverified = "; nothing was known of the address, so it is delivered last"
        return f"{taken}{unverified}" if listed.lane is Lane.UNVERIFIED else taken
    return f"{recipient}: lane {lane}"


def _is_backed_up(recipient: str, config: Config) -> bool:
    try:
        return config.backup_for(written_mailbox(recipient).domain) is not None
    except AddressError:
        return False


def _stands(listed: DeliveryRow, config: Config) -> list[Step]:
    """The delivery's state now: its end, or what it waits for. Other endings are among the events."""
    at = listed.arrived_ms if listed.last_ms is None else listed.last_ms
    match listed.state:
        case State.DELIVERED:
            return [Step(at, Station.DELIVER, listed.id, "delivered", f"{listed.host}: {listed.reply}")]
        case State.CLAIMED:
            return [Step(at, Station.DELIVER, listed.id, "claimed", "is being delivered now")]
        case State.DROPPED:
            return []
        case _:
            return [Step(at, Station.SPOOL, listed.id, standing(listed).value, _until(listed, config))]


def _until(listed: DeliveryRow, config: Config) -> str:
    if standing(listed) is Standing.HELD_PRIMARY:
        return f"until {listed.site} answers again"
    if standing(listed) is Standing.KEPT_REFUSED and listed.lane is not Lane.OWN:
        backup = config.backup_of(Domain(listed.recipient.rpartition("@")[2]))
        return f"until you decide, for {duration_text(backup.keep_refused_ms)} at most"
    match listed.state:
        case State.WAITING:
            return "for its first try" if listed.attempts == 0 else f"for try {listed.attempts + 1}"
        case State.HELD:
            return "until you release it"
        case State.KEPT:
            return "until you decide"
        case _:
            return "not tried again; no report is sent"
