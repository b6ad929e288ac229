"""Lookup tables by their names, such as hash:/etc/postfix/relay (postconf(5), DATABASE_README).

Of hash: and its like, the text is read from which postmap(1) made them. A table that lies in a database
or on another machine is OpaqueTable: its answers are not known.
"""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from secondpost.setup.importing.carried import OldPlace
from secondpost.setup.importing.old_files import NotRead, OldFiles
from secondpost.setup.importing.postfix.patterns import (
    RuleNotUnderstood,
    RuleTable,
    named_addresses,
    named_domains,
    network_table,
    pattern_table,
)
from secondpost.setup.importing.postfix.statements import logical_lines
from secondpost.setup.importing.postfix.words import unbraced, words

INDEXED = frozenset({"hash", "btree", "lmdb", "cdb", "dbm", "sdbm", "texthash"})
# In databases and other programs.
ELSEWHERE = frozenset(
    {
        *("ldap", "mysql", "pgsql", "sqlite", "memcache", "tcp", "socketmap"),
        *("nis", "nisplus", "netinfo", "unix", "environ", "internal", "randmap"),
    }
)
TABLES_DEEP_MAX = 5  # unionmap: within pipemap: within …


@dataclass(frozen=True, slots=True)
class TableValue:
    """`text`: the entry as it stands there."""

    value: str
    place: OldPlace
    text: str = ""


@dataclass(frozen=True, slots=True)
class Unknowable:
    """What the table says cannot be found out from files."""

    reason: str  # a sentence


TableResult = TableValue | Unknowable | None


@dataclass(frozen=True, slots=True)
class ListedTable:
    """A table that can be listed. Keys are in lower case, as postmap(1) writes them."""

    name: str
    entries: Mapping[str, TableValue]

    def lookup(self, key: str) -> TableResult:
        return self.entries.get(key.lower())


@dataclass(frozen=True, slots=True)
class PatternTable:
    """A table of regular expressions, or of networks."""

    name: str
    path: str
    rules: RuleTable

    def lookup(self, key: str) -> TableResult:
        result = self.rules.lookup(key)
        if isinstance(result, RuleNotUnderstood):
            place = f"{self.path}, line {result.line}"
            return Unknowable(f"The pattern in {place} is not understood here.")
        return (
            None
            if result is None
            else TableValue(result.value, OldPlace(self.path, result.line), result.text)
        )


@dataclass(frozen=True, slots=True)
class ConstantTable:
    """static: the same answer to everything."""

    name: str
    value: str
    place: OldPlace

    def lookup(self, key: str) -> TableResult:
        return TableValue(self.value, self.place, self.name)


@dataclass(frozen=True, slots=True)
class OpaqueTable:
    name: str
    reason: str

    def lookup(self, key: str) -> TableResult:
        return Unknowable(self.reason)


@dataclass(frozen=True, slots=True)
class CombinedTable:
    """unionmap: asks each table; pipemap: each the answer of the one before (`is_pipe`)."""

    name: str
    tables: "tuple[OldTable, ...]"
    is_pipe: bool

    def lookup(self, key: str) -> TableResult:
        return self._through(key) if self.is_pipe else self._together(key)

    def _through(self, key: str) -> TableResult:
        result: TableResult = None
        for table in self.tables:
            result = table.lookup(key)
            if not isinstance(result, TableValue):
                return result
            key = result.value
        return result

    def _together(self, key: str) -> TableResult:
        results = [table.lookup(key) for table in self.tables]
        unknown = next((one for one in results if isinstance(one, Unknowable)), None)
        found = [one for one in results if isinstance(one, TableValue)]
        if unknown is not None or len(found) == 0:
            return unknown
        return TableValue(", ".join(one.value for one in found), found[0].place, found[0].text)


OldTable = ListedTable | PatternTable | ConstantTable | OpaqueTable | CombinedTable


def keys_of(table: OldTable) -> Iterator[str]:
    """The keys that can be listed, and the texts that patterns name."""
    match table:
        case ListedTable():
            yield from table.entries
        case PatternTable():
            for rule in table.rules.rules:
                yield from named_addresses(rule.written)
                yield from named_domains(rule.written)
        case CombinedTable():
            for one in table.tables:
                yield from keys_of(one)


@dataclass(slots=True)
class TableReader:
    """Reads each table once. `folder`: where relative paths begin."""

    files: OldFiles
    folder: str
    tables: dict[str, OldTable] = field(default_factory=dict)

    def table(self, name: str, place: OldPlace) -> OldTable:
        """The table of a name as it stands in a list, such as hash:/etc/aliases or inline:{…}."""
        if name not in self.tables:
            self.tables[name] = self._table(unbraced(name), place, 0)
        return self.tables[name]

    def _table(self, name: str, place: OldPlace, deep: int) -> OldTable:
        kind, colon, rest = name.partition(":")
        if kind == "proxy":
            return self._table(rest, place, deep)
        if len(colon) == 0 or deep > TABLES_DEEP_MAX:
            return OpaqueTable(name, "A table is named here without its type.")
        if kind in INDEXED or kind in ("regexp", "pcre", "cidr"):
            return self._file(name, kind, self.path(rest), place)
        match kind:
            case "static":
                return ConstantTable(name, unbraced(rest), place)
            case "inline":
                return ListedTable(name, dict(_inline(unbraced(rest), place)))
            case "unionmap" | "pipemap":
                inner = tuple(self._table(unbraced(one), place, deep + 1) for one in words(unbraced(rest)))
                return CombinedTable(name, inner, kind == "pipemap")
            case "fail":
                return OpaqueTable(name, "The table fails always, by its type.")
        if kind not in ELSEWHERE:
            return OpaqueTable(name, "A table is named here whose type is not known.")  # it may be a password
        what = f"{kind}:" if "{" in rest else name
        return OpaqueTable(
            name,
            f"{what} cannot be read from files. Export what it says into a text file, write texthash: and "
            f"its path instead, and import again.",
        )

    def path(self, written: str) -> str:
        return posixpath.normpath(posixpath.join(self.folder, written))

    def _file(self, name: str, kind: str, path: str, place: OldPlace) -> OldTable:
        if kind in ("regexp", "pcre", "cidr") and path.endswith("}"):
            inside = unbraced(name.partition(":")[2])  # regexp:{{/pattern/ value}, …}, since Postfix 3.7
            text: str | NotRead = "\n".join(unbraced(one) for one in words(inside))
            path = place.path
        else:
            text = self.files.text(path)
        if isinstance(text, NotRead):
            return OpaqueTable(name, _not_read(path, text, is_indexed=kind in INDEXED))
        if kind in INDEXED:
            return ListedTable(name, dict(_entries(text, path)))
        return PatternTable(name, path, network_table(text) if kind == "cidr" else pattern_table(text))


def _not_read(path: str, not_read: NotRead, *, is_indexed: bool) -> str:
    hint = f" `postmap -s` writes it from {path}.db." if is_indexed else ""
    return f"{path} {not_read.reason}.{hint}"


def _entries(text: str, path: str) -> Iterator[tuple[str, TableValue]]:
    """Key, white space, value; a line without a value is left out. Of the same key twice, the first counts
    (postmap(1)).
    """
    found = dict[str, TableValue]()
    for logical in logical_lines(text):
        parts = logical.text.split(None, 1)
        if len(parts) == 2:
            found.setdefault(
                parts[0].strip('"').lower(),
                TableValue(parts[1], OldPlace(path, logical.line), " ".join(parts)),
            )
    yield from found.items()


def _inline(text: str, place: OldPlace) -> Iterator[tuple[str, TableValue]]:
    """key=value, or { key = value }."""
    for word in words(text):
        key, equals, value = unbraced(word).partition("=")
        if len(equals) > 0:
            yield key.strip().lower(), TableValue(value.strip(), place, unbraced(word))
