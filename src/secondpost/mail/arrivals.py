"""Where mail for backup domains comes from, and what the watch over arrivals makes of it.

A *network* is the prefix of an address (mail/network.site_prefix); its *origin* is the autonomous
system it belongs to ("AS64500"), or the network itself where that is not known. An *author* is the
domain of From, without what stands below the name that was registered: its holder has as many names
below his domain as he likes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from secondpost.mail.address import Domain
from secondpost.mail.authentication import Authentication
from secondpost.mail.queue_id import QueueId

SHORT_LABEL_CHARACTERS = 3  # of a name under which others register theirs, below a country's
OTHERS = ""  # networks, or authors, beyond the bound of an hour, together


def registered_name(domain: str) -> str:
    """The part of a domain that was registered, as far as its form shows: without a list, names such
    as `co.uk` and `com.br` are known by two short labels.
    """
    labels = domain.split(".")
    is_under_two = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= SHORT_LABEL_CHARACTERS
    return ".".join(labels[-3:] if is_under_two else labels[-2:])


@dataclass(frozen=True, slots=True)
class NotedMail:
    """One accepted message with recipients in backup domains, as receive notes it."""

    id: QueueId
    arrived_ms: int
    peer_address: str
    authentication: Authentication | None  # None: it was not evaluated
    known: frozenset[Domain]  # backup domains, of each of which at least one recipient is known to exist
    unknown: frozenset[Domain] = frozenset()  # the other backup domains of its recipients

    @property
    def author(self) -> str:
        """The author, if DMARC passes; otherwise ""."""
        found = self.authentication
        return registered_name(found.dmarc.domain) if found is not None and found.is_aligned_pass else ""


@dataclass(frozen=True, slots=True)
class CameFrom:
    """One message for one backup domain. With an author it is authenticated and to a recipient who exists."""

    id: QueueId
    domain: Domain
    arrived_ms: int
    hour_ms: int  # when its hour began
    network: str
    author: str


@dataclass(frozen=True, slots=True)
class HourCount:
    """Messages of one hour, network and author.

    `good`: authenticated, to a recipient who exists, taken by the primary within an hour, of an
    author whose mail it had taken before. `fresh`: the same of an author's first mail. `other`: the rest.
    """

    domain: Domain
    hour_ms: int
    network: str  # OTHERS
    author: str  # OTHERS; always so of other mail
    good: int
    fresh: int
    other: int


@dataclass(frozen=True, slots=True)
class PrimaryHour:
    """Whether the primary let us in at every look in an hour."""

    domain: Domain
    hour_ms: int
    is_up: bool


@dataclass(frozen=True, slots=True)
class NetworkOrigin:
    """The autonomous system of a network, by what routers announce."""

    number: int  # 0: in none
    name: str  # "" if unknown
    country: str  # two letters, or ""

    @property
    def word(self) -> str:
        return f"AS{self.number}"

    def __str__(self) -> str:
        name = self.word if len(self.name) == 0 else f"{self.word} {self.name}"
        return name if len(self.country) == 0 else f"{name} ({self.country})"


def origin_of(network: str, origins: Mapping[str, NetworkOrigin]) -> str:
    """The word by which networks are grouped."""
    found = origins.get(network)
    return network if found is None or found.number == 0 else found.word


@dataclass(frozen=True, slots=True)
class BlockedNetwork:
    """A network whose good mail comes here although the primary is up for us."""

    domain: Domain
    origin: str
    since_ms: int  # of the first good mail that showed it
    found_ms: int
    last_ms: int  # of the last good mail
    good: int
    authors: int  # different ones
    ended_ms: int | None = None
