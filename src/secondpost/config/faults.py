"""Faults of a configuration, all reported at once, each with key, line, reason and remedy."""

from dataclasses import dataclass

from secondpost.mail.printable import printable

VALUE_CHARACTERS_MAX = 60
REASON_CHARACTERS_MAX = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """`key` is written like backup[1].keep, counting from 1; "" means the file itself. `line`
    counts from 1; 0 means no particular line.
    """

    key: str
    line: int
    reason: str
    hint: str = ""

    def text(self, path: str) -> str:
        where = f"{path}:{self.line}" if self.line > 0 else path
        about = f"{self.key}: " if len(self.key) > 0 else ""
        advice = f"; {self.hint}" if len(self.hint) > 0 else ""
        return f"{where}: {about}{self.reason}{advice}"


class ConfigFaults(Exception):
    """The configuration cannot be used. `faults` is not empty, and in the order of the file."""

    def __init__(self, path: str, faults: tuple[Fault, ...]) -> None:
        self.path = path
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line, fault.key, fault.reason)))
        super().__init__("\n".join(self.texts()))

    def texts(self) -> tuple[str, ...]:
        """One line per fault."""
        return tuple(fault.text(self.path) for fault in self.faults)


class Wrong(ValueError):
    """A value is not valid for its key."""

    def __init__(self, reason: str, hint: str = "", more: tuple["Wrong", ...] = ()) -> None:
        super().__init__(reason)
        self.reason = cut(reason, REASON_CHARACTERS_MAX)
        self.hint = hint
        self.more = more  # further faults of the same value


def quoted(value: str) -> str:
    """A value as shown in a fault: one line, no control characters, bounded."""
    return f'"{cut(printable(value), VALUE_CHARACTERS_MAX)}"'


def cut(text: str, characters_max: int) -> str:
    return text if len(text) <= characters_max else text[: characters_max - 1] + "…"
