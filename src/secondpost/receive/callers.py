"""Counts connections by address and by network, for policy/caller to decide about the next.

Each receiving process has its own places and counts its own connections. The networks that it knows
as proven are those that proved themselves to it, and those in the store when it started.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from secondpost.mail.address import as_ip, without_zone
from secondpost.mail.network import link_of, site_of
from secondpost.policy.known import AtConnect, CallerPlaces

SHARES = 20  # a network's share is 1/20 of all places, and at least one place
# Percentage of places taken at which pressure begins.
SOME_PERCENT = 55
HIGH_PERCENT = 70
CALLERS_KEPT = 1024  # whose networks are cached
EASE_PERCENT = 10  # pressure ends this much lower, so that it does not toggle with each client


class Pressure(IntEnum):
    """How scarce places are."""

    NONE = 0
    SOME = 1  # clients that bring nothing have to hurry
    HIGH = 2  # all clients have to hurry


@dataclass(frozen=True, slots=True)
class Caller:
    """A client's address and the networks that it belongs to."""

    address: str
    link: str  # /24 or /64: the network whose connections are counted
    site: str  # /24 or /48: a holder of an IPv6 /48 has many links, but is a newcomer once
    is_own: bool  # loopback: a proxy, a tunnel or a test, so many clients share the address


UNKNOWN_CALLER = Caller(
    "unknown", "unknown", "unknown", is_own=False
)  # disconnected before its address could be read


@lru_cache(CALLERS_KEPT)
def caller_at(host: str) -> Caller:
    """`host`: as the socket gives it, with or without a zone."""
    ip = as_ip(without_zone(host))
    if ip is None:
        return UNKNOWN_CALLER
    link = link_of(ip)
    return Caller(str(ip), link, link if ip.version == 4 else site_of(ip), ip.is_loopback)


class Callers:
    """The connections now. `places`: maximum in all; `per_address`: maximum of one address."""

    def __init__(
        self, places: int, per_address: int, primaries: frozenset[str], is_proven: Callable[[str], bool]
    ) -> None:
        self._places = CallerPlaces(places, per_address, share=max(1, places // SHARES))
        self._primaries = primaries
        self._is_proven = is_proven  # is called with the link
        # Up to this many places taken there is no pressure.
        self._calm = places * (SOME_PERCENT - EASE_PERCENT) // 100
        self._taken = 0
        self._by_address: dict[str, int] = {}
        self._by_link: dict[str, int] = {}
        self._by_site: dict[str, int] = {}
        self.pressure = Pressure.NONE

    def look(self, caller: Caller) -> AtConnect:
        """What policy needs to know of a client that wants to connect."""
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
        """Count out an admitted caller."""
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
