"""Who may come in: callers are counted by address and by network, and the last places are not for everyone.

A stranger's network has a small share of the places. One that brought mail to people who are here is proven
and has ten times as much, for a few networks of large providers bring half of all mail. As places run short
strangers are the first to be turned away; a tenth of the places is for networks that have none, and the
very last for those of them that are proven. Each process that receives counts for itself: of several each
gives out shares of its own places, and has as proven what it saw and what stood in the store at its start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import lru_cache

from secondpost.mail.address import as_ip, without_zone
from secondpost.mail.prefix import link_of, site_of

SHARES = 20  # a network's share is one in so many of all places, and at least one place
PROVEN_SHARES = 10  # what a proven network or a primary may have
# How much of all places has to be free for a caller to come in; our primaries come in as long as one is.
FOR_STRANGERS_PERCENT = 30
FOR_PROVEN_PERCENT = 15
FOR_NEWCOMERS_PERCENT = 5  # for networks that have none; to a proven one of them the rest is open, too
# How much of all places is taken when pressure begins.
SOME_PERCENT = 55
HIGH_PERCENT = 70
CALLERS_KEPT = 1024  # whose networks need not be worked out again
EASE_PERCENT = 10  # so far below it ends, so that one caller more or less is no change


class Refusal(StrEnum):
    """Why a caller is turned away; words of the log."""

    TOO_MANY = "too-many-connections"
    TOO_MANY_FROM_CLIENT = "too-many-from-client"
    TOO_MANY_FROM_NETWORK = "too-many-from-network"


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


UNKNOWN = Caller("unknown", "unknown", "unknown", is_own=False)  # gone before it could be asked who it is


@lru_cache(CALLERS_KEPT)
def caller_at(host: str) -> Caller:
    """`host` as the socket says it, a zone at its end or not."""
    ip = as_ip(without_zone(host))
    if ip is None:
        return UNKNOWN
    link = link_of(ip)
    return Caller(str(ip), link, link if ip.version == 4 else site_of(ip), ip.is_loopback)


class Callers:
    """Those who are here. `places`: for all together; `per_address`: for one address of them."""

    def __init__(
        self, places: int, per_address: int, primaries: frozenset[str], is_proven: Callable[[str], bool]
    ) -> None:
        self._places = places
        self._per_address = per_address
        self._primaries = primaries
        self._is_proven = is_proven  # asked for the link
        self._share = max(1, places // SHARES)
        self._calm = places * (SOME_PERCENT - EASE_PERCENT) // 100  # so many taken are never pressure
        self._taken = 0
        self._by_address: dict[str, int] = {}
        self._by_link: dict[str, int] = {}
        self._by_site: dict[str, int] = {}
        self.pressure = Pressure.NONE

    def admit(self, caller: Caller) -> Refusal | None:
        """Count the caller in, unless there are too many."""
        refusal = self._judge(caller)
        if refusal is None:
            self._taken += 1
            self._by_address[caller.address] = self._by_address.get(caller.address, 0) + 1
            self._by_link[caller.link] = self._by_link.get(caller.link, 0) + 1
            self._by_site[caller.site] = self._by_site.get(caller.site, 0) + 1
            self._weigh()
        return refusal

    def leave(self, caller: Caller) -> None:
        """An admitted caller is gone."""
        self._taken -= 1
        _take_off(self._by_address, caller.address)
        _take_off(self._by_link, caller.link)
        _take_off(self._by_site, caller.site)
        self._weigh()

    def _judge(self, caller: Caller) -> Refusal | None:
        if self._taken >= self._places:
            return Refusal.TOO_MANY
        if caller.is_own:
            return None
        if self._by_address.get(caller.address, 0) >= self._per_address:
            return Refusal.TOO_MANY_FROM_CLIENT
        is_primary = caller.address in self._primaries
        # A network that is within a stranger's share need not be asked about.
        if (held := self._by_link.get(caller.link, 0)) >= self._share and (
            held >= self._share * PROVEN_SHARES or not (is_primary or self._is_proven(caller.link))
        ):
            return Refusal.TOO_MANY_FROM_NETWORK
        return None if is_primary or self._has_room_for(caller) else Refusal.TOO_MANY

    def _has_room_for(self, caller: Caller) -> bool:
        free_percent = 100 * (self._places - self._taken) / self._places
        if free_percent > FOR_STRANGERS_PERCENT:
            return True
        is_newcomer, is_proven = caller.site not in self._by_site, self._is_proven(caller.link)
        if is_proven and (is_newcomer or free_percent > FOR_PROVEN_PERCENT):
            return True
        return is_newcomer and free_percent > FOR_NEWCOMERS_PERCENT

    def _weigh(self) -> None:
        if self._taken <= self._calm:
            self.pressure = Pressure.NONE
            return
        percent = 100 * self._taken // self._places
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
