"""Bounds on open connections: which are accepted, which must go, and when they time out. Pure.

A connection costs a descriptor and memory even if it is silent. Connections are therefore bounded
per address, per network and in total; when places run short, those without a complete request go
first.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Network, IPv6Network

from secondpost.mail.address import as_ip
from secondpost.mail.network import caller_prefix
from secondpost.web.callers import is_trusted

GUESTS_MAX = 1_000


class WaitsFor(Enum):
    """What a connection is waiting for; its timeout and its rank when places run short depend on
    it.
    """

    HEAD = "head"  # the rest of a request's header
    IDLE = "idle"  # the next request; the last answer may still be on its way
    BODY = "body"  # the rest of a request's body
    ANSWER = "answer"  # our answer, or the client reading it


# Order in which connections are closed when places run short.
GO_FIRST = (WaitsFor.HEAD, WaitsFor.IDLE, WaitsFor.BODY)


@dataclass(frozen=True, slots=True)
class GuestTimes:
    """Timeouts in seconds, by what a connection waits for."""

    head: float = 10.0
    body: float = 30.0
    answer: float = 60.0
    idle: int = 5
    # Longer than nginx (one minute) and Caddy (two) keep connections open: if we closed first, a
    # request just under way would be lost.
    idle_proxy: int = 180
    reading: float = 30.0  # added to idle, for the client to read the answer
    # A connection that has waited less is closed only if all have: honest clients also take a while
    # to send.
    fresh: float = 1.0
    stuck: float = 5.0  # an answer in progress for less is never cut off


@dataclass(frozen=True, slots=True)
class GuestLimits:
    """Bounds on simultaneous connections."""

    in_all: int = GUESTS_MAX
    of_network: int = 100  # /24 or /64
    of_address: int = 50
    # This last share of places is for networks without a connection.
    kept_fraction: float = 0.1


@dataclass(slots=True, eq=False)
class Guest:
    """One connection."""

    address: str
    network: str | None  # None: not counted, since many clients may share the address
    idle_seconds: int
    leave: Callable[[], None]  # ends the connection at once
    waits_for: WaitsFor
    since: float


@dataclass(frozen=True, slots=True)
class SentAway:
    """Connections closed or refused by the bounds since the last report."""

    closed: int  # closed in favour of another
    turned_away: int


@dataclass(slots=True)
class Guests:
    """The open connections. `trusted` are the proxies in front; times are the loop's, in seconds."""

    trusted: Sequence[IPv4Network | IPv6Network]
    limits: GuestLimits = field(default_factory=GuestLimits)
    times: GuestTimes = field(default_factory=GuestTimes)
    _waiting: dict[WaitsFor, dict[Guest, None]] = field(  # oldest first
        default_factory=lambda: {one: {} for one in WaitsFor}
    )
    _by_network: dict[str, dict[Guest, None]] = field(default_factory=dict)
    _costs: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return sum(len(guests) for guests in self._waiting.values())

    def enter(self, address: str, leave: Callable[[], None], now: float) -> Guest | None:
        """Admit a connection; None if it is refused."""
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
        """Record what a connection waits for now; no effect if its place was taken away."""
        if guest in self._waiting[guest.waits_for]:
            del self._waiting[guest.waits_for][guest]
            self._waiting[waits_for][guest] = None
            guest.waits_for, guest.since = waits_for, now

    def gone(self, guest: Guest) -> None:
        """Forget a connection; repeating it is harmless."""
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
        """Whether there is a place, made if need be by closing another connection."""
        beside = self._by_network.get(network, {}) if network is not None else {}
        same = [guest for guest in beside if guest.address == address]
        kept = int(self.limits.in_all * self.limits.kept_fraction) if len(beside) > 0 else 0
        return (
            (len(same) < self.limits.of_address or self._make_room(same, now))
            and (len(beside) < self.limits.of_network or self._make_room(beside, now))
            and (len(self) < self.limits.in_all - kept or self._make_room(None, now))
        )

    def _make_room(self, among: Collection[Guest] | None, now: float) -> bool:
        """Close one connection; `among` None means any."""
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
    """The network of an address; None for loopback, where a tunnel or proxy stands for many
    clients.
    """
    address = as_ip(text)
    if address is None or address.is_loopback:
        return None
    return caller_prefix(text)
