"""The text of a unit, and of the other files that systemd reads."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from secondpost.setup.unit_walls import Directive

QUOTED = frozenset(" \t\"'")


@dataclass(frozen=True, slots=True)
class SystemdFile:
    """`place`: below /etc."""

    place: str
    text: str

    @property
    def unit(self) -> str | None:
        """The unit's name; None if it is none."""
        folder, _, name = self.place.rpartition("/")
        return name if folder == UNITS else None


UNITS = "systemd/system"


def unit_file(name: str, sections: Iterable[tuple[str, Iterable[Directive]]]) -> SystemdFile:
    texts = [_section(title, directives) for title, directives in sections]
    return SystemdFile(f"{UNITS}/{name}", "\n".join(text for text in texts if len(text) > 0))


def _section(title: str, directives: Iterable[Directive]) -> str:
    lines = [f"{name}={value}\n" for name, value in directives]
    return "" if len(lines) == 0 else f"[{title}]\n{''.join(lines)}"


def section_of(text: str, title: str) -> str | None:
    """The directives of a section of a unit; None if it has no such section."""
    lines = text.splitlines()
    if f"[{title}]" not in lines:
        return None
    found = itertools.takewhile(lambda line: not line.startswith("["), lines[lines.index(f"[{title}]") + 1 :])
    return "\n".join(line for line in found if line != "")


def word(text: str) -> str:
    """A path or argument as one word of a directive (systemd.syntax(7)): `%` begins a specifier."""
    safe = text.replace("\\", "\\\\").replace("%", "%%")
    return '"' + safe.replace('"', '\\"') + '"' if not QUOTED.isdisjoint(text) else safe


def bound(path: str, *, is_optional: bool = False) -> str:
    """A path of BindPaths= or BindReadOnlyPaths=, in which a colon separates."""
    return word(("-" if is_optional else "") + path.replace(":", "\\:"))
