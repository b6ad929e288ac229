"""The faults of a day, each with its start and end: data, drawn before the day begins."""

from dataclasses import dataclass

from simulation.internet.blog import Trouble
from simulation.internet.dns import Lie
from simulation.internet.net import Weather
from simulation.internet.primaries import Character


@dataclass(frozen=True, slots=True)
class PrimaryDown:
    server: int
    refuses: bool  # True: connections are refused; False: packets are dropped


@dataclass(frozen=True, slots=True)
class Blocked:
    network_a: str
    network_b: str


@dataclass(frozen=True, slots=True)
class Moody:
    server: int
    character: Character


@dataclass(frozen=True, slots=True)
class NamesLie:
    viewpoint: str
    name: str
    lie: Lie


@dataclass(frozen=True, slots=True)
class Storm:
    weather: Weather


@dataclass(frozen=True, slots=True)
class TlsBroken:
    server: int
    how: str  # "fails" or "hangs"


@dataclass(frozen=True, slots=True)
class NoRoom:
    """The disk is full: down to the reserve, or completely."""

    to_the_last_octet: bool


@dataclass(frozen=True, slots=True)
class ClockWrong:
    """The wall clock is stepped, and reset at the end."""

    step_ms: int


@dataclass(frozen=True, slots=True)
class Crash:
    """kill -9 and restart of one role, shortly after its n-th next write to another machine."""

    role: str
    words: int
    later_seconds: float


@dataclass(frozen=True, slots=True)
class PowerCut:
    """The machine loses power for a while, shortly after the n-th next write of receive."""

    words: int
    later_seconds: float
    dark_seconds: float


@dataclass(frozen=True, slots=True)
class Restart:
    """SIGTERM and restart of one role."""

    role: str


# -- of the newsletter


@dataclass(frozen=True, slots=True)
class InboxDown:
    """A server of readers is down."""

    server: int
    refuses: bool  # True: connections are refused; False: packets are dropped


@dataclass(frozen=True, slots=True)
class InboxMoody:
    server: int
    character: Character


@dataclass(frozen=True, slots=True)
class FeedWrong:
    """The blog answers with something other than its feed."""

    trouble: Trouble


@dataclass(frozen=True, slots=True)
class CrashAtStep:
    """kill -9 of a role, or a power cut, during one of its operations on newsletter.db."""

    role: str
    verb: str  # method of the store
    calls: int  # the crash comes shortly after this many calls
    later_seconds: float
    dark_seconds: float | None  # None: the process is killed, the power stays on


What = (
    PrimaryDown
    | Blocked
    | Moody
    | NamesLie
    | Storm
    | TlsBroken
    | NoRoom
    | ClockWrong
    | Crash
    | PowerCut
    | Restart
    | InboxDown
    | InboxMoody
    | FeedWrong
    | CrashAtStep
)


@dataclass(frozen=True, slots=True)
class InjectedFault:
    what: What
    start: float
    end: float

    def __str__(self) -> str:
        return f"{_clock(self.start)}-{_clock(self.end)} {self.what}"


def _clock(seconds: float) -> str:
    return f"{int(seconds // 3600):02}:{int(seconds // 60) % 60:02}:{seconds % 60:04.1f}"
