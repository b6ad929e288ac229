"""Counts octets coming in, so that messages that would fit one by one also fit together.

A message counts from MAIL until it is stored or forgotten, however its connection ends. Each
receiving process counts its own; a quota can be exceeded by messages that are complete in other
processes and not yet committed, which takes some milliseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from secondpost.mail.address import Domain
from secondpost.mail.verdict import ACCEPT, Accept, Verdict
from secondpost.policy.room import judge_size, spoken_for

LOOK_OCTETS = 1024 * 1024  # of all bodies together, between two looks at the disk


@dataclass(slots=True, eq=False)
class IncomingOctets:
    """Octets coming in for a domain or for the disk. `certain`: received octets that will need the
    room; `expected`: octets only declared and, for a domain, those of incomplete bodies.
    """

    certain: int = 0
    expected: int = 0

    def spoken_for(self, room: int) -> int:
        return spoken_for(self.certain, self.expected, room)


@dataclass(slots=True)
class UnderWay:
    """`disk`: octets not written yet."""

    disk: IncomingOctets = field(default_factory=IncomingOctets)
    _domains: dict[Domain, IncomingOctets] = field(default_factory=dict)
    _unverified: dict[Domain, IncomingOctets] = field(default_factory=dict)
    _since_look: int = 0

    def of(self, domain: Domain) -> IncomingOctets:
        return self._domains.setdefault(domain, IncomingOctets())

    def unverified(self, domain: Domain) -> IncomingOctets:
        """For the domain's unverified addresses."""
        return self._unverified.setdefault(domain, IncomingOctets())

    def judge_growth(self, octets: int, free: Callable[[], int]) -> Verdict:
        """Judge whether the disk has room, after `octets` more. The disk is looked at once per
        LOOK_OCTETS, and on each call while it is full.
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
    """One message's part of the octets under way. `declared`: octets, 0 if the client did not say.

    It counts for the disk with what is not written yet, for the other places with all of it. Plain
    numbers, as this runs for every message.
    """

    __slots__ = ("_certain", "_declared", "_disk", "_expected", "_places", "_size", "_whole")

    def __init__(self, under_way: UnderWay, declared: int) -> None:
        self._disk = under_way.disk
        self._declared = declared
        self._certain = 0
        self._expected = 0
        self._places: list[IncomingOctets] = []
        self._size = 0  # as counted in the places
        self._whole = False

    def begin(self) -> None:
        """Count the message from now on: MAIL was accepted."""
        self._count_on_disk(0, self._declared)
        self._size = self._declared

    def count_in(self, place: IncomingOctets) -> None:
        """Count the message in `place` from now on. Must be called before the body comes."""
        if place not in self._places:
            self._places.append(place)
            place.expected += self._size

    def grow(self, size: int, saved: int) -> None:
        """Update the count: `size` octets received, `saved` of them written to a file."""
        self._count_on_disk(size - saved, max(self._declared - size, 0))
        if size > self._size:
            for place in self._places:
                place.expected += size - self._size
            self._size = size

    def become_whole(self, size: int, saved: int) -> None:
        """Count the complete message, on its way into the store."""
        self._count_on_disk(size - saved, 0)
        for place in self._places:
            place.expected -= self._size
            place.certain += size
        self._size = size
        self._whole = True

    def end(self) -> None:
        """Stop counting: the message is stored or dropped. May be called again."""
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
