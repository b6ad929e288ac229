"""The log lines that the product wrote in a day, with their parsed fields."""

import re
from dataclasses import dataclass, field

KILL, POWER_CUT = "kill", "power-cut"
_WORD = re.compile(r'([a-z-]+)=("(?:[^"\\]|\\.)*"|\S*)')


@dataclass(frozen=True, slots=True)
class LogLine:
    seconds: float
    role: str
    what: str
    text: str

    def values(self) -> dict[str, str]:
        return {key: value.strip('"') for key, value in _WORD.findall(self.text)}


@dataclass(slots=True)
class DayLog:
    lines: list[LogLine] = field(default_factory=list)

    def note(self, seconds: float, role: str, text: str) -> None:
        self.lines.append(LogLine(seconds, role, text.partition(" ")[0], text))

    def of(self, what: str) -> list[LogLine]:
        return [line for line in self.lines if line.what == what]

    def deaths(self) -> list[LogLine]:
        """When a process was killed or the power was cut."""
        return [*self.of(KILL), *self.of(POWER_CUT)]
