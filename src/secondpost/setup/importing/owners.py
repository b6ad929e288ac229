"""The owner, as aliases(5) have him: where mail to postmaster and root goes. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from secondpost.config.addresses import mailbox
from secondpost.config.faults import Wrong
from secondpost.setup.importing.carried import OldPlace
from secondpost.setup.importing.own_names import is_own_name

ALIASES_DEEP_MAX = 10  # postmaster: root, root: me
OWNERS_MAX = 5
PEOPLE = ("postmaster", "root")
WHY_CARRIED = "It is where alarms and mail to postmaster go."

_BETWEEN = re.compile(r"[,\s]+")


@dataclass(frozen=True, slots=True)
class OldAlias:
    """`targets`: as written, separated by commas or blanks; `text`: the whole entry on one line."""

    name: str
    targets: str
    place: OldPlace
    text: str


@dataclass(frozen=True, slots=True)
class FoundOwner:
    """`addresses`: not empty, and none at a backup domain; `alias`: the one that led there first."""

    addresses: tuple[str, ...]
    alias: OldAlias


def aliases_of(text: str, path: str) -> Iterator[OldAlias]:
    """The entries of a file of aliases; a line that begins with white space goes on with the one before."""
    entry = ("", 0)
    for number, written in enumerate(text.split("\n"), start=1):
        line = written.strip()
        if len(line) == 0 or line.startswith("#"):
            continue
        if written[0].isspace() and entry[1] > 0:
            entry = (f"{entry[0]} {line}", entry[1])
            continue
        yield from _alias(*entry, path)
        entry = (line, number)
    yield from _alias(*entry, path)


def _alias(text: str, number: int, path: str) -> Iterator[OldAlias]:
    name, colon, targets = text.partition(":")
    if len(colon) > 0:
        yield OldAlias(name.strip().strip('"'), targets.strip(), OldPlace(path, number), text)


def owner_in(aliases: Iterable[OldAlias], relayed: frozenset[str], hostname: str) -> FoundOwner | None:
    """`relayed`: the backup domains, whose mail may wait here while an alarm is about them; `hostname`:
    the old machine's name.
    """
    by_name = {one.name.lower(): one for one in aliases}
    for person in PEOPLE:
        found = tuple(dict.fromkeys(_addresses(person, by_name, set(), 0)))[:OWNERS_MAX]
        outside = tuple(one for one in found if _is_outside(one, relayed, hostname))
        if len(outside) > 0:
            return FoundOwner(outside, by_name[person])
    return None


def _is_outside(address: str, relayed: frozenset[str], hostname: str) -> bool:
    domain = address.rpartition("@")[2]
    return domain not in relayed and not is_own_name(domain, hostname)


def _addresses(name: str, aliases: Mapping[str, OldAlias], seen: set[str], deep: int) -> Iterator[str]:
    """`seen`: the names that were followed already, since aliases may name each other."""
    name = name.lower()
    found = aliases.get(name)
    if found is None or name in seen or deep > ALIASES_DEEP_MAX:
        return
    seen.add(name)
    for target in _BETWEEN.split(found.targets):
        if "@" not in target:
            yield from _addresses(target, aliases, seen, deep + 1)
            continue
        try:
            yield str(mailbox(target.strip('"')))
        except Wrong:
            continue
