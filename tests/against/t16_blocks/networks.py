"""The networks of the small internet.

The addresses are public ones, which exist only in there: Secondpost treats those that are reserved for
documentation as private.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final


class Way(StrEnum):
    """How a network is cut off from the primary. Each has a network of its own, of that name."""

    DROP = "drop"
    REJECT = "reject"
    RESET = "reset"
    POISON = "poison"


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace, the first 24 bits of its addresses, and its host's address; the router has .1."""

    name: str
    prefix: str

    @property
    def address(self) -> str:
        return f"{self.prefix}.10"

    @property
    def namespace(self) -> Path:
        return Path("/run/netns") / self.name


@dataclass(frozen=True, slots=True)
class Network:
    """A network of senders: its autonomous system, and the domains whose mail it sends."""

    way: Way
    place: Place
    number: int

    @property
    def word(self) -> str:
        return f"AS{self.number}"

    @property
    def name(self) -> str:
        return f"{self.word} {self.way.upper()}-NET (XA)"

    @property
    def line(self) -> str:
        """Of a table as iptoasn.com has it."""
        first, last = f"{self.place.prefix}.0", f"{self.place.prefix}.255"
        return f"{first}\t{last}\t{self.number}\tXA\t{self.way.upper()}-NET\n"

    @property
    def authors(self) -> tuple[str, str]:
        return f"{self.way}-friends.example", f"{self.way}-works.example"


NETWORKS: Final = tuple(
    Network(way, Place(way, f"5.45.{100 + number}"), 64500 + number) for number, way in enumerate(Way, 1)
)
PROVIDER: Final = Place("provider", "5.45.110")
OURS: Final = Place("ours", "5.45.111")
PLACES: Final = (*(network.place for network in NETWORKS), PROVIDER, OURS)
