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

PLACES_MAX = 1_000


class Phase(Enum):
    """What a connection waits for."""

    HEAD = "head"  # the rest of the head of a request
    IDLE = "idle"  # the next request; what was answered may still be on its way
    BODY = "body"  # the rest of the body of a request
    ANSWER = "answer"  # the answer, or that the caller reads one


# When places run short, in this order.
GO_FIRST = (Phase.HEAD, Phase.IDLE, Phase.BODY)


@dataclass(frozen=True, slots=True)
class PlaceTimes:
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
class PlaceLimits:
    """How many may be connected at once."""

    in_all: int = PLACES_MAX
    of_network: int = 100  # /24 or /64
    of_address: int = 50
    # The last places are for networks that have none.
    kept_fraction: float = 0.1


@dataclass(slots=True, eq=False)
class Place:
    address: str
    network: str | None  # None: many callers may stand behind the address, and it is not counted
    idle_seconds: int
    leave: Callable[[], None]  # ends the connection at once
    phase: Phase
    since: float


@dataclass(frozen=True, slots=True)
class Crowd:
    """What the bounds cost callers since it was last asked."""

    closed: int  # gave their place up to another
    turned_away: int


@dataclass(slots=True)
class Places:
    """`trusted` are the proxies in front. Times are the loop's, in seconds."""

    trusted: Sequence[IPv4Network | IPv6Network]
    limits: PlaceLimits = field(default_factory=PlaceLimits)
    times: PlaceTimes = field(default_factory=PlaceTimes)
    _waiting: dict[Phase, dict[Place, None]] = field(  # the oldest first
        default_factory=lambda: {phase: {} for phase in Phase}
    )
    _by_network: dict[str, dict[Place, None]] = field(default_factory=dict)
    _costs: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return sum(len(places) for places in self._waiting.values())

    def enter(self, address: str, leave: Callable[[], None], now: float) -> Place | None:
        """None when the caller is turned away."""
        is_proxy = is_trusted(address, self.trusted)
        network = None if is_proxy else _network_of(address)
        if not self._has_room(address, network, now):
            self._costs["turned away"] += 1
            return None
        idle_seconds = self.times.idle_proxy if is_proxy else self.times.idle
        # A proxy opens connections before it needs them.
        phase = Phase.IDLE if is_proxy else Phase.HEAD
        place = Place(address, network, idle_seconds, leave, phase, now)
        self._waiting[phase][place] = None
        if network is not None:
            self._by_network.setdefault(network, {})[place] = None
        return place

    def move(self, place: Place, phase: Phase, now: float) -> None:
        """It waits for this from now on. A place that was given up stays given up."""
        if place in self._waiting[place.phase]:
            del self._waiting[place.phase][place]
            self._waiting[phase][place] = None
            place.phase, place.since = phase, now

    def gone(self, place: Place) -> None:
        """Twice does no harm."""
        self._waiting[place.phase].pop(place, None)
        beside = self._by_network.get(place.network, {}) if place.network is not None else {}
        if place in beside:
            del beside[place]
            if len(beside) == 0 and place.network is not None:
                del self._by_network[place.network]

    def end_overdue(self, now: float) -> None:
        for places in self._waiting.values():
            for place in [one for one in places if now - one.since >= self._seconds_max(one)]:
                self._end(place)

    def crowd(self) -> Crowd:
        crowd = Crowd(self._costs["closed"], self._costs["turned away"])
        self._costs.clear()
        return crowd

    def _has_room(self, address: str, network: str | None, now: float) -> bool:
        """Makes it where another can go instead."""
        beside = self._by_network.get(network, {}) if network is not None else {}
        same = [place for place in beside if place.address == address]
        kept = int(self.limits.in_all * self.limits.kept_fraction) if len(beside) > 0 else 0
        return (
            (len(same) < self.limits.of_address or self._make_room(same, now))
            and (len(beside) < self.limits.of_network or self._make_room(beside, now))
            and (len(self) < self.limits.in_all - kept or self._make_room(None, now))
        )

    def _make_room(self, among: Collection[Place] | None, now: float) -> bool:
        """`among` None means all."""
        place = self._first_to_go(among, now)
        if place is None:
            return False
        self._costs["closed"] += 1
        self._end(place)
        return True

    def _first_to_go(self, among: Collection[Place] | None, now: float) -> Place | None:
        oldest: list[Place] = []
        for phase in (*GO_FIRST, Phase.ANSWER):
            for place in self._waiting[phase]:
                if among is None or place in among:
                    oldest.append(place)
                    break
        for place in oldest:
            seconds_min = self.times.stuck if place.phase is Phase.ANSWER else self.times.fresh
            if now - place.since >= seconds_min:
                return place
        going = [place for place in oldest if place.phase in GO_FIRST]
        return min(going, key=lambda place: place.since, default=None)

    def _end(self, place: Place) -> None:
        self.gone(place)
        place.leave()

    def _seconds_max(self, place: Place) -> float:
        match place.phase:
            case Phase.HEAD:
                return self.times.head
            case Phase.BODY:
                return self.times.body
            case Phase.ANSWER:
                return self.times.answer
            case Phase.IDLE:
                return place.idle_seconds + self.times.reading


def _network_of(text: str) -> str | None:
    """None for loopback, where a tunnel, a proxy or a test stands: many callers behind one address."""
    address = as_ip(text)
    if address is None or address.is_loopback:
        return None
    return caller_prefix(text)
