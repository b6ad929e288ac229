"""Counts what is coming in, so that messages which fit one by one fit together, too.

A message counts from MAIL until it is in the store or forgotten, however its connection ends. Each receive
process counts its own: beside others, a quota can be passed by what those have whole and not yet committed,
for the few milliseconds of a commit.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from secondpost.mail.address import Domain
from secondpost.mail.verdict import ACCEPT, Accept, Verdict
from secondpost.policy.room import NOTHING_COMING, Coming, judge_size

LOOK_OCTETS = 1024 * 1024  # how often the disk is looked at while bodies come in, all together


@dataclass(slots=True, eq=False)
class Place:
    """What is coming in for a domain, or for the disk."""

    certain: int = 0
    expected: int = 0

    @property
    def all(self) -> Coming:
        return Coming(self.certain, self.expected)

    @property
    def whole(self) -> Coming:
        """Without what may never end."""
        return Coming(self.certain)


@dataclass(slots=True)
class UnderWay:
    """`disk`: what is not written yet."""

    disk: Place = field(default_factory=Place)
    _domains: dict[Domain, Place] = field(default_factory=dict)
    _unverified: dict[Domain, Place] = field(default_factory=dict)
    _since_look: int = 0

    def of(self, domain: Domain) -> Place:
        return self._domains.setdefault(domain, Place())

    def unverified(self, domain: Domain) -> Place:
        """For those of its addresses of which nothing is known."""
        return self._unverified.setdefault(domain, Place())

    def judge_growth(self, octets: int, free: Callable[[], int]) -> Verdict:
        """More has come. Whether the disk has room for all is looked at now and then, and each time while it
        has none.
        """
        self._since_look += octets
        if self._since_look <= LOOK_OCTETS:
            return ACCEPT
        verdict = judge_size(0, free(), self.disk.all)
        if isinstance(verdict, Accept):
            self._since_look = 0
        return verdict


class _Share:
    """What one message adds to one place."""

    __slots__ = ("_certain", "_expected", "place")

    def __init__(self, place: Place, expected: int) -> None:
        self.place = place
        self._certain = 0
        self._expected = 0
        self.set(0, expected)

    def set(self, certain: int, expected: int) -> None:
        self.place.certain += certain - self._certain
        self.place.expected += expected - self._expected
        self._certain, self._expected = certain, expected


class Part:
    """One message's part in what is under way. `declared`: octets, 0 when the client did not say."""

    __slots__ = ("_declared", "_disk", "_shares")

    def __init__(self, under_way: UnderWay, declared: int) -> None:
        self._declared = declared
        self._disk = _Share(under_way.disk, declared)
        self._shares: list[_Share] = []

    def others(self, place: Place) -> Coming:
        """What else is coming in there; nothing for a message that counts in it: it was judged."""
        return NOTHING_COMING if self._counts_in(place) else place.all

    def count_in(self, place: Place) -> None:
        """From now on. Before the body comes."""
        if not self._counts_in(place):
            self._shares.append(_Share(place, self._declared))

    def _counts_in(self, place: Place) -> bool:
        return any(share.place is place for share in self._shares)

    def grow(self, size: int, saved: int) -> None:
        """So many octets have come, and so many of them are in a file."""
        self._disk.set(size - saved, max(self._declared - size, 0))
        for share in self._shares:
            share.set(0, max(self._declared, size))

    def become_whole(self, size: int, saved: int) -> None:
        """Nothing more is to come: it is on its way into the store."""
        self._disk.set(size - saved, 0)
        for share in self._shares:
            share.set(size, 0)

    def end(self) -> None:
        """It is in the store, or never will be. Once more does no harm."""
        self._disk.set(0, 0)
        for share in self._shares:
            share.set(0, 0)
