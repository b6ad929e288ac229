"""The services of master.cf (master(5)): what listens, what delivers, and their own parameters. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from secondpost.setup.importing.carried import OldPlace
from secondpost.setup.importing.postfix.statements import logical_lines
from secondpost.setup.importing.postfix.words import unbraced, words

FIELDS = 8  # name, type, private, unprivileged, chroot, wakeup, maxproc, command
PORTS: Mapping[str, int] = {"smtp": 25, "smtps": 465, "submissions": 465, "submission": 587, "ssmtp": 465}
SMTP_PORT = 25
SUBMISSION_PORTS = (465, 587)

_OVERRIDE = re.compile(r"\s*([A-Za-z0-9_]+)\s*=\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class OldService:
    """A line of master.cf. `own`: the parameters that it sets with -o."""

    name: str
    kind: str  # inet, unix, pass, fifo
    command: str
    own: Mapping[str, str]
    place: OldPlace
    text: str = field(compare=False)

    @property
    def address(self) -> str:
        """The address of an inet service; "" for all."""
        return self.name.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port of an inet service; 0 if it is not known by name here."""
        return port_number(self.name.rpartition(":")[2]) or 0

    @property
    def is_inside(self) -> bool:
        """Whether only this machine reaches it."""
        if self.address == "localhost":
            return True
        try:
            return ip_address(self.address).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class NotService:
    """A line that is not a service; Postfix does not start with it."""

    text: str
    place: OldPlace


def port_number(text: str) -> int | None:
    """A port by number or by its name in /etc/services."""
    if text.isascii() and text.isdigit() and 1 <= len(text) <= 5:
        number = int(text)
        return number if 1 <= number <= 65_535 else None
    return PORTS.get(text.lower())


def services(text: str, path: str) -> Iterator[OldService | NotService]:
    for logical in logical_lines(text):
        place = OldPlace(path, logical.line)
        parts = words(logical.text.replace(",", "\0"))  # here commas separate nothing
        fields = [part.replace("\0", ",") for part in parts]
        if len(fields) < FIELDS:
            yield NotService(logical.text, place)
            continue
        name, kind, command = fields[0], fields[1], fields[FIELDS - 1]
        yield OldService(name, kind, command, dict(_overrides(fields[FIELDS:])), place, logical.text)


def _overrides(arguments: list[str]) -> Iterator[tuple[str, str]]:
    """-o name=value, -oname=value, and -o { name = value }."""
    rest = iter(arguments)
    for argument in rest:
        written = next(rest, "") if argument == "-o" else argument[2:] if argument.startswith("-o") else ""
        override = _OVERRIDE.fullmatch(unbraced(written))
        if override is not None:
            yield override[1], override[2].strip()
