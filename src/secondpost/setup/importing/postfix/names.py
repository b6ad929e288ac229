"""Lists of domains and hosts such as relay_domains: names, files, tables, and ! before what is excluded
(match_list(3), match_ops(3)). The first entry that applies counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses

from secondpost.setup.importing.carried import OldPlace
from secondpost.setup.importing.old_files import NotRead
from secondpost.setup.importing.postfix.lookups import parents
from secondpost.setup.importing.postfix.statements import logical_lines
from secondpost.setup.importing.postfix.tables import (
    CombinedTable,
    ConstantTable,
    ListedTable,
    OldTable,
    OpaqueTable,
    TableReader,
    TableValue,
    Unknowable,
    keys_of,
)
from secondpost.setup.importing.postfix.words import words

FILES_DEEP_MAX = 10  # a file of names may name another


@dataclass(frozen=True, slots=True)
class NameEntry:
    """A name, or a table that is asked; `place`: the line that has it."""

    what: str | OldTable
    is_excluded: bool
    place: OldPlace


@dataclass(frozen=True, slots=True)
class NameList:
    """`takes_below`: parent_domain_matches_subdomains names the parameter, so that example.net also
    means every name below it. `places`: of each plain name, its first place among the entries. A file
    that cannot be read is a table of which nothing is known.
    """

    entries: tuple[NameEntry, ...]
    takes_below: bool
    places: Mapping[str, int]
    tables: tuple[int, ...]  # the places of entries that are tables

    def match(self, name: str) -> bool | Unknowable:
        """Whether the list has the name; Unknowable if a table that cannot be read could change that."""
        name = name.lower()
        unknown = dict[bool, Unknowable]()  # by what the entry would answer
        above = parents(name, with_dot=not self.takes_below)
        plain = min((self.places[one] for one in (name, *above) if one in self.places), default=-1)
        for place in self.tables:
            if 0 <= plain < place:
                break
            entry = self.entries[place]
            applies = False if isinstance(entry.what, str) else self._asked(entry.what, name)
            answer = not entry.is_excluded
            if isinstance(applies, Unknowable):
                unknown[answer] = applies
            elif applies:
                return unknown.get(not answer, answer)
        if plain >= 0:
            answer = not self.entries[plain].is_excluded
            return unknown.get(not answer, answer)
        return unknown.get(True, False)

    def _asked(self, table: OldTable, name: str) -> bool | Unknowable:
        key = name
        while True:
            result = table.lookup(key)
            if isinstance(result, Unknowable):
                return result
            if isinstance(result, TableValue):
                return True
            dot = key.find(".", 1)
            if dot < 0 or not isinstance(table, ListedTable | ConstantTable | CombinedTable):
                return False  # only listed names are asked for parent domains
            key = key[dot + 1 :] if self.takes_below else key[dot:]

    def names(self) -> Iterator[str]:
        """The names that are listed, or named by a pattern, apart from what is excluded."""
        for entry in self.entries:
            if isinstance(entry.what, str):
                if not entry.is_excluded:
                    yield entry.what
            else:
                yield from keys_of(entry.what)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Why some names cannot be known."""
        asked = (entry.what.lookup("") for entry in self.entries if not isinstance(entry.what, str))
        return tuple(one.reason for one in asked if isinstance(one, Unknowable))


def name_list(text: str, place: OldPlace, reader: TableReader, *, takes_below: bool) -> NameList:
    entries = tuple(_entries(text, place, reader, 0))
    places = dict[str, int]()
    tables = list[int]()
    for number, entry in enumerate(entries):
        if isinstance(entry.what, str):
            places.setdefault(entry.what, number)
        else:
            tables.append(number)
    return NameList(entries, takes_below, places, tuple(tables))


def _entries(text: str, place: OldPlace, reader: TableReader, deep: int) -> Iterator[NameEntry]:
    for word in words(text):
        name = word.lstrip("!")
        is_excluded = (len(word) - len(name)) % 2 == 1
        if name.startswith("/"):
            yield from _of_file(name, is_excluded, place, reader, deep)
        elif ":" in name and not name.startswith("["):
            yield NameEntry(reader.table(name, place), is_excluded, place)
        elif len(name) > 0:
            yield NameEntry(name.lower(), is_excluded, place)


def _of_file(
    path: str, is_excluded: bool, place: OldPlace, reader: TableReader, deep: int
) -> Iterator[NameEntry]:
    text = reader.files.text(path)
    if isinstance(text, NotRead):
        yield NameEntry(OpaqueTable(path, f"{path} {text.reason}."), is_excluded, place)
        return
    if deep >= FILES_DEEP_MAX:
        reason = f"{path} names files that name each other."
        yield NameEntry(OpaqueTable(path, reason), is_excluded, place)
        return
    for logical in logical_lines(text):
        inner = _entries(logical.text, OldPlace(path, logical.line), reader, deep + 1)
        yield from (NameEntry(one.what, one.is_excluded != is_excluded, one.place) for one in inner)


def has_all_addresses(networks: Sequence[str]) -> bool:
    """Whether a list such as mynetworks has every address of IPv4, in one piece or in several."""
    found = [one for one in map(_ipv4_network, networks) if one is not None]
    return any(one.prefixlen == 0 for one in collapse_addresses(found))


def _ipv4_network(written: str) -> IPv4Network | None:
    try:
        return IPv4Network(written, strict=False)
    except ValueError:
        return None
