"""The places of those who are connected: who gets one, who gives one up, and when time is over. Pure.

A connection costs a descriptor and memory whether it says anything or not. So there is a bound for each
address, each network and for all; when places run short, those go first that have not asked for anything.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Network, IPv6Network

from secondpost.mail.address import as_ip
from secondpost.mail.prefix import caller_prefix
from secondpost.web.callers import is_trusted

GUESTS_MAX = 1_000


class WaitsFor(Enum):
    """What a connection waits for. The times and the order of going hang on it."""

    HEAD = "head"  # the rest of the head of a request
    IDLE = "idle"  # the next request; what was answered may still be on its way
    BODY = "body"  # the rest of the body of a request
    ANSWER = "answer"  # the answer, or that the caller reads one


# When places run short, in this order.
GO_FIRST = (WaitsFor.HEAD, WaitsFor.IDLE, WaitsFor.BODY)


@dataclass(frozen=True, slots=True)
class GuestTimes:
    """How long a connection may wait for what it waits for, in seconds."""

    head: float = 10.0
    body: float = 30.0
    answer: float = 60.0
    idle: int = 5
    # nginx keeps what it has open for one minute, Caddy for two. If we closed first, a request that is on its
    # way just then would be lost.
    idle_proxy: int = 180
    reading: float = 30.0  # beyond idle, for the caller to read what was answered
    # Who has waited for less goes only when all have: the first octets of an honest caller take a while too.
    fresh: float = 1.0
    stuck: float = 5.0  # an answer that is being made for less never goes


@dataclass(frozen=True, slots=True)
class GuestLimits:
    """How many may be connected at once."""

    in_all: int = GUESTS_MAX
    of_network: int = 100  # /24 or /64
    of_address: int = 50
    # The last places are for networks that have none.
    kept_fraction: float = 0.1


@dataclass(slots=True, eq=False)
class Guest:
    """One connection."""

    address: str
    network: str | None  # None: many callers may stand behind the address, and it is not counted
    idle_seconds: int
    leave: Callable[[], None]  # ends the connection at once
    waits_for: WaitsFor
    since: float


@dataclass(frozen=True, slots=True)
class SentAway:
    """What the bounds cost callers since it was last asked."""

    closed: int  # gave their place up to another
    turned_away: int


@dataclass(slots=True)
class Guests:
    """`trusted` are the proxies in front. Times are the loop's, in seconds."""

    trusted: Sequence[IPv4Network | IPv6Network]
    limits: GuestLimits = field(default_factory=GuestLimits)
    times: GuestTimes = field(default_factory=GuestTimes)
    _waiting: dict[WaitsFor, dict[Guest, None]] = field(  # the oldest first
        default_factory=lambda: {one: {} for one in WaitsFor}
    )
    _by_network: dict[str, dict[Guest, None]] = field(default_factory=dict)
    _costs: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return sum(len(guests) for guests in self._waiting.values())

    def enter(self, address: str, leave: Callable[[], None], now: float) -> Guest | None:
        """None when the caller is turned away."""
        is_proxy = is_trusted(address, self.trusted)
        network = None if is_proxy else _network_of(address)
        if not self._has_room(address, network, now):
            self._costs["turned away"] += 1
            return None
        idle_seconds = self.times.idle_proxy if is_proxy else self.times.idle
        # A proxy opens connections before it needs them.
        waits_for = WaitsFor.IDLE if is_proxy else WaitsFor.HEAD
        guest = Guest(address, network, idle_seconds, leave, waits_for, now)
        self._waiting[waits_for][guest] = None
        if network is not None:
            self._by_network.setdefault(network, {})[guest] = None
        return guest

    def move(self, guest: Guest, waits_for: WaitsFor, now: float) -> None:
        """It waits for this from now on. A place that was given up stays given up."""
        if guest in self._waiting[guest.waits_for]:
            del self._waiting[guest.waits_for][guest]
            self._waiting[waits_for][guest] = None
            guest.waits_for, guest.since = waits_for, now

    def gone(self, guest: Guest) -> None:
        """Twice does no harm."""
        self._waiting[guest.waits_for].pop(guest, None)
        beside = self._by_network.get(guest.network, {}) if guest.network is not None else {}
        if guest in beside:
            del beside[guest]
            if len(beside) == 0 and guest.network is not None:
                del self._by_network[guest.network]

    def end_overdue(self, now: float) -> None:
        for guests in self._waiting.values():
            for guest in [one for one in guests if now - one.since >= self._seconds_max(one)]:
                self._end(guest)

    def crowd(self) -> SentAway:
        crowd = SentAway(self._costs["closed"], self._costs["turned away"])
        self._costs.clear()
        return crowd

    def _has_room(self, address: str, network: str | None, now: float) -> bool:
        """Makes it where another can go instead."""
        beside = self._by_network.get(network, {}) if network is not None else {}
        same = [guest for guest in beside if guest.address == address]
        kept = int(self.limits.in_all * self.limits.kept_fraction) if len(beside) > 0 else 0
        return (
            (len(same) < self.limits.of_address or self._make_room(same, now))
            and (len(beside) < self.limits.of_network or self._make_room(beside, now))
            and (len(self) < self.limits.in_all - kept or self._make_room(None, now))
        )

    def _make_room(self, among: Collection[Guest] | None, now: float) -> bool:
        """`among` None means all."""
        guest = self._first_to_go(among, now)
        if guest is None:
            return False
        self._costs["closed"] += 1
        self._end(guest)
        return True

    def _first_to_go(self, among: Collection[Guest] | None, now: float) -> Guest | None:
        oldest: list[Guest] = []
        for waits_for in (*GO_FIRST, WaitsFor.ANSWER):
            for guest in self._waiting[waits_for]:
                if among is None or guest in among:
                    oldest.append(guest)
                    break
        for guest in oldest:
            seconds_min = self.times.stuck if guest.waits_for is WaitsFor.ANSWER else self.times.fresh
            if now - guest.since >= seconds_min:
                return guest
        going = [guest for guest in oldest if guest.waits_for in GO_FIRST]
        return min(going, key=lambda guest: guest.since, default=None)

    def _end(self, guest: Guest) -> None:
        self.gone(guest)
        guest.leave()

    def _seconds_max(self, guest: Guest) -> float:
        match guest.waits_for:
            case WaitsFor.HEAD:
                return self.times.head
            case WaitsFor.BODY:
                return self.times.body
            case WaitsFor.ANSWER:
                return self.times.answer
            case WaitsFor.IDLE:
                return guest.idle_seconds + self.times.reading


def _network_of(text: str) -> str | None:
    """None for loopback, where a tunnel, a proxy or a test stands: many callers behind one address."""
    address = as_ip(text)
    if address is None or address.is_loopback:
        return None
    return caller_prefix(text)
