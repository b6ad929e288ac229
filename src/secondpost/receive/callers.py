"""Who is here: callers are counted by address and by network, for policy/caller to decide who else may come.

Each process that receives counts for itself: of several each gives out shares of its own places, and has as
proven what it saw and what stood in the store at its start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from secondpost.mail.address import as_ip, without_zone
from secondpost.mail.prefix import link_of, site_of
from secondpost.policy.known import AtConnect, CallerPlaces

SHARES = 20  # a network's share is one in so many of all places, and at least one place
# How much of all places is taken when pressure begins.
SOME_PERCENT = 55
HIGH_PERCENT = 70
CALLERS_KEPT = 1024  # whose networks need not be worked out again
EASE_PERCENT = 10  # so far below it ends, so that one caller more or less is no change


class Pressure(IntEnum):
    """How short places run."""

    NONE = 0
    SOME = 1  # those who bring nothing have to hurry
    HIGH = 2  # everyone has to


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the address, and the networks that it belongs to."""

    address: str
    link: str  # /24 or /64: whose callers are counted
    site: str  # /24 or /48: who has one of IPv6 has many links, and is no newcomer on each
    is_own: bool  # loopback: a proxy, a tunnel or a test, with many callers behind one address


UNKNOWN_CALLER = Caller(
    "unknown", "unknown", "unknown", is_own=False
)  # gone before it could be asked who it is


@lru_cache(CALLERS_KEPT)
def caller_at(host: str) -> Caller:
    """`host` as the socket says it, a zone at its end or not."""
    ip = as_ip(without_zone(host))
    if ip is None:
        return UNKNOWN_CALLER
    link = link_of(ip)
    return Caller(str(ip), link, link if ip.version == 4 else site_of(ip), ip.is_loopback)


class Callers:
    """Those who are here. `places`: for all together; `per_address`: for one address of them."""

    def __init__(
        self, places: int, per_address: int, primaries: frozenset[str], is_proven: Callable[[str], bool]
    ) -> None:
        self._places = CallerPlaces(places, per_address, share=max(1, places // SHARES))
        self._primaries = primaries
        self._is_proven = is_proven  # asked for the link
        self._calm = places * (SOME_PERCENT - EASE_PERCENT) // 100  # so many taken are never pressure
        self._taken = 0
        self._by_address: dict[str, int] = {}
        self._by_link: dict[str, int] = {}
        self._by_site: dict[str, int] = {}
        self.pressure = Pressure.NONE

    def look(self, caller: Caller) -> AtConnect:
        """The caller that wants to come in, and the others, as of now."""
        return AtConnect(
            caller.address,
            caller.is_own,
            caller.address in self._primaries,
            self._is_proven(caller.link),
            caller.site not in self._by_site,
            self._places,
            self._taken,
            self._by_address.get(caller.address, 0),
            self._by_link.get(caller.link, 0),
        )

    def admit(self, caller: Caller) -> None:
        """Count the caller in."""
        self._taken += 1
        self._by_address[caller.address] = self._by_address.get(caller.address, 0) + 1
        self._by_link[caller.link] = self._by_link.get(caller.link, 0) + 1
        self._by_site[caller.site] = self._by_site.get(caller.site, 0) + 1
        self._weigh()

    def leave(self, caller: Caller) -> None:
        """An admitted caller is gone."""
        self._taken -= 1
        _take_off(self._by_address, caller.address)
        _take_off(self._by_link, caller.link)
        _take_off(self._by_site, caller.site)
        self._weigh()

    def _weigh(self) -> None:
        if self._taken <= self._calm:
            self.pressure = Pressure.NONE
            return
        percent = 100 * self._taken // self._places.total
        for pressure, begins in ((Pressure.HIGH, HIGH_PERCENT), (Pressure.SOME, SOME_PERCENT)):
            if percent >= begins or (self.pressure >= pressure and percent > begins - EASE_PERCENT):
                self.pressure = pressure
                return
        self.pressure = Pressure.NONE


def _take_off(counts: dict[str, int], key: str) -> None:
    left = counts[key] - 1
    if left == 0:
        del counts[key]
    else:
        counts[key] = left
