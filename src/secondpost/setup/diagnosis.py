"""What `secondpost check` finds: a catalogue of checks, and a value for each result."""

from dataclasses import dataclass
from enum import Enum, StrEnum


class Area(StrEnum):
    """The part of `secondpost check` to which a check belongs."""

    CONFIG = "config"
    DNS = "dns"
    SECURITY = "security"
    DELIVERY = "delivery"


class Grade(StrEnum):
    WELL = "well"  # looked at, and right
    NOTE = "note"  # worth knowing, or it cannot be seen from here
    WARNING = "warning"  # mail flows, but the next step is advisable
    FAULT = "fault"  # mail is lost, refused, delayed, or can be forged or read, until it is mended


class Check(Enum):
    """Everything that is checked: its word, its area, and why it matters. See docs/checks.md."""

    MX_MISSING = (
        "mx-missing",
        Area.DNS,
        "Senders find this server only if it is among the domain's MX records.",
    )

    def __init__(self, word: str, area: Area, why: str) -> None:
        self.word = word
        self.area = area
        self.why = why


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One result of a check."""

    check: Check
    subject: str  # the domain, host or file looked at; "" for the whole machine
    grade: Grade
    text: str  # what was found, in a sentence
    remedy: str = ""  # the exact record, line or command that mends it; "" if there is nothing to do
