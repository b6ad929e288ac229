"""Counts what is coming in, so that messages which fit one by one fit together, too.

A message counts from MAIL until it is in the store or forgotten, however its connection ends. Each receive
process counts its own: beside others, a quota can be passed by what those have whole and not yet committed,
for the few milliseconds of a commit.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from secondpost.mail.address import Domain
from secondpost.mail.verdict import ACCEPT, Accept, Verdict
from secondpost.policy.room import judge_size, spoken_for

LOOK_OCTETS = 1024 * 1024  # how often the disk is looked at while bodies come in, all together


@dataclass(slots=True, eq=False)
class IncomingOctets:
    """Octets that are coming in for a domain, or for the disk. `certain` come into it whatever happens;
    `expected` are those that were declared, and bodies that are not whole.
    """

    certain: int = 0
    expected: int = 0

    def spoken_for(self, room: int) -> int:
        return spoken_for(self.certain, self.expected, room)


@dataclass(slots=True)
class UnderWay:
    """`disk`: what is not written yet."""

    disk: IncomingOctets = field(default_factory=IncomingOctets)
    _domains: dict[Domain, IncomingOctets] = field(default_factory=dict)
    _unverified: dict[Domain, IncomingOctets] = field(default_factory=dict)
    _since_look: int = 0

    def of(self, domain: Domain) -> IncomingOctets:
        return self._domains.setdefault(domain, IncomingOctets())

    def unverified(self, domain: Domain) -> IncomingOctets:
        """For those of its addresses of which nothing is known."""
        return self._unverified.setdefault(domain, IncomingOctets())

    def judge_growth(self, octets: int, free: Callable[[], int]) -> Verdict:
        """More has come. Whether the disk has room for all is looked at now and then, and each time while it
        has none.
        """
        self._since_look += octets
        if self._since_look <= LOOK_OCTETS:
            return ACCEPT
        octets_free = free()
        verdict = judge_size(0, octets_free, self.disk.spoken_for(octets_free))
        if isinstance(verdict, Accept):
            self._since_look = 0
        return verdict


class Part:
    """One message's part in what is under way. `declared`: octets, 0 when the client did not say.

    Of the disk it counts what is not written; in the other places, all of it. Plain numbers: this is done
    for every message.
    """

    __slots__ = ("_certain", "_declared", "_disk", "_expected", "_places", "_size", "_whole")

    def __init__(self, under_way: UnderWay, declared: int) -> None:
        self._disk = under_way.disk
        self._declared = declared
        self._certain = 0
        self._expected = 0
        self._places: list[IncomingOctets] = []
        self._size = 0  # as the places have it
        self._whole = False

    def begin(self) -> None:
        """MAIL was taken."""
        self._count_on_disk(0, self._declared)
        self._size = self._declared

    def count_in(self, place: IncomingOctets) -> None:
        """From now on. Before the body comes."""
        if place not in self._places:
            self._places.append(place)
            place.expected += self._size

    def grow(self, size: int, saved: int) -> None:
        """So many octets have come, and so many of them are in a file."""
        self._count_on_disk(size - saved, max(self._declared - size, 0))
        if size > self._size:
            for place in self._places:
                place.expected += size - self._size
            self._size = size

    def become_whole(self, size: int, saved: int) -> None:
        """Nothing more is to come: it is on its way into the store."""
        self._count_on_disk(size - saved, 0)
        for place in self._places:
            place.expected -= self._size
            place.certain += size
        self._size = size
        self._whole = True

    def end(self) -> None:
        """It is in the store, or never will be. Once more does no harm."""
        self._count_on_disk(0, 0)
        for place in self._places:
            if self._whole:
                place.certain -= self._size
            else:
                place.expected -= self._size
        self._places.clear()

    def _count_on_disk(self, certain: int, expected: int) -> None:
        self._disk.certain += certain - self._certain
        self._disk.expected += expected - self._expected
        self._certain, self._expected = certain, expected
