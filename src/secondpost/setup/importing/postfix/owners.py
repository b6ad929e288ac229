"""The owner, as aliases(5) have him: where mail to postmaster and root goes."""

from collections.abc import Iterator, Mapping

from secondpost.config.addresses import mailbox
from secondpost.config.faults import Wrong
from secondpost.setup.importing.carried import Fate, OldPlace
from secondpost.setup.importing.old_files import NotRead, OldFiles
from secondpost.setup.importing.postfix.ledger import PostfixLedger
from secondpost.setup.importing.postfix.statements import logical_lines
from secondpost.setup.importing.postfix.tables import INDEXED, TableValue
from secondpost.setup.importing.postfix.words import words

ALIASES_DEEP_MAX = 10  # postmaster: root, root: me
OWNERS_MAX = 5
_PEOPLE = ("postmaster", "root")


def owners(files: OldFiles, maps: str, relayed: frozenset[str], ledger: PostfixLedger) -> tuple[str, ...]:
    """Addresses outside the domains that are backed up; empty if the aliases name none.

    `maps`: the expanded alias_maps.
    """
    for name in words(maps):
        kind, _, path = name.partition(":")
        text = files.text(path) if kind in INDEXED and path.startswith("/") else NotRead("")
        if isinstance(text, NotRead):
            continue
        aliases = dict(_aliases(text, path))
        for person in _PEOPLE:
            found = tuple(dict.fromkeys(_addresses(person, aliases, 0)))[:OWNERS_MAX]
            outside = tuple(one for one in found if one.rpartition("@")[2] not in relayed)
            if len(outside) > 0:
                why = "It is where alarms and mail to postmaster go."
                ledger.table(aliases[person], Fate.CARRIED, why, ("owner",))
                return outside
    return ()


def _aliases(text: str, path: str) -> Iterator[tuple[str, TableValue]]:
    for logical in logical_lines(text):
        name, colon, value = logical.text.partition(":")
        if len(colon) > 0:
            yield (
                name.strip().strip('"').lower(),
                TableValue(value.strip(), OldPlace(path, logical.line), logical.text),
            )


def _addresses(name: str, aliases: Mapping[str, TableValue], deep: int) -> Iterator[str]:
    found = aliases.get(name.lower())
    if found is None or deep > ALIASES_DEEP_MAX:
        return
    for target in words(found.value):
        if "@" not in target:
            yield from _addresses(target, aliases, deep + 1)
            continue
        try:
            yield str(mailbox(target.strip('"')))
        except Wrong:
            continue
