"""Whether the MX addresses can be reached on port 25 from networks of other countries."""

from dataclasses import dataclass
from enum import StrEnum


class ReachSource(StrEnum):
    """A service that is asked about the MX addresses, in the words of the configuration."""

    GLOBALPING = "globalping"  # its probes try to connect
    ATLAS = "atlas"  # RIPE Atlas: other probes, asked to confirm
    REGISTER = "z-i"  # a public copy of the Russian register of blocked addresses: context
    OONI = "ooni"  # web measurements of volunteers: context

    @property
    def named(self) -> str:
        return REACH_TITLES[self]


REACH_TITLES = {
    ReachSource.GLOBALPING: "Globalping",
    ReachSource.ATLAS: "RIPE Atlas",
    ReachSource.REGISTER: "the register copy z-i",
    ReachSource.OONI: "OONI",
}


class ReachFinding(StrEnum):
    """What one probe, or all of one network, found."""

    PASSES = "passes"
    FAILS = "fails"
    UNKNOWN = "unknown"  # the probe itself failed, or has not finished


class ReachVerdict(StrEnum):
    """What is to be thought of one address as seen from one country."""

    OPEN = "open"
    SUSPECTED = "suspected"  # two networks failed, in one round so far
    BLOCKED = "blocked"
    UNKNOWN = "unknown"  # no network was heard lately


class Confirmation(StrEnum):
    """What RIPE Atlas says of a block that Globalping sees."""

    NOT_ASKED = "not asked"
    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class ReachTarget:
    """An address of an MX host."""

    address: str
    host: str
    domains: tuple[str, ...]  # whose MX it is; empty for our own host alone


@dataclass(frozen=True, slots=True)
class ProbeNetwork:
    """The network in which a probe is: its AS number, and the name that the source gives it."""

    asn: int
    name: str = ""

    def __str__(self) -> str:
        return f"AS{self.asn} {self.name}".rstrip()


@dataclass(frozen=True, slots=True)
class ProbeLook:
    """One probe's attempt to connect."""

    country: str  # ISO 3166-1, two capitals
    network: ProbeNetwork
    finding: ReachFinding


@dataclass(frozen=True, slots=True)
class NetworkView:
    """One network's record for one address. A network counts as blocked after two failures in a row,
    and as open again after two passes.
    """

    network: ProbeNetwork
    failed: int  # rounds in a row, up to the last look
    passed: int  # the same; one of the two is 0
    is_blocked: bool
    since_ms: int | None  # the first failure of the row, or of the block
    looked_ms: int


@dataclass(frozen=True, slots=True)
class ReachView:
    """One address as seen from one country."""

    target: ReachTarget
    country: str
    verdict: ReachVerdict = ReachVerdict.UNKNOWN
    since_ms: int = 0  # of the verdict
    looked_ms: int = 0  # the last round in which a network was heard; 0: none yet
    confirmation: Confirmation = Confirmation.NOT_ASKED
    confirmed_ms: int = 0  # when RIPE Atlas was last asked
    networks: tuple[NetworkView, ...] = ()

    @property
    def blocked(self) -> tuple[NetworkView, ...]:
        return tuple(one for one in self.networks if one.is_blocked)

    @property
    def is_alarm(self) -> bool:
        return self.verdict is ReachVerdict.BLOCKED and self.confirmation is not Confirmation.CONTRADICTED


@dataclass(frozen=True, slots=True)
class ReachCount:
    """How many networks of one country found what, in one round."""

    at_ms: int
    address: str
    country: str
    passes: int
    fails: int
    unknown: int


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source stands: what was used of its quota, and how it answered last."""

    source: ReachSource
    used: int = 0  # units in the present window
    window_ms: int = 0  # when the window began
    rests_until_ms: int = 0  # it asked not to be asked before
    answered_ms: int = 0  # when it last answered well; 0: never
    failed_ms: int = 0  # when it last failed, after its last good answer; 0: it did not
    failure: str = ""
    found: str = ""  # what it says of itself, such as the register's date


@dataclass(frozen=True, slots=True)
class ReachContext:
    """What a source that does not decide says of an address or host."""

    source: ReachSource
    subject: str  # the address, or the host
    country: str
    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer as it came, for the owner to look at."""

    number: int
    at_ms: int
    source: ReachSource
    asked: str  # method and path
    status: int  # of HTTP; 0: there was no answer
    octets: int  # before it was cut
    body: bytes = b""  # its beginning; left out of lists
