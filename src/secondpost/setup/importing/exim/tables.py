"""Tables in files that Exim looks keys up in: lsearch and its kin. Pure.

Specification, chapter 9, "File and database lookups". Tables in DBM or CDB form, and those in
databases, are not read: their contents are known only by a text from which they were made.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from secondpost.setup.importing.old_files import NotRead, OldFiles

ENTRIES_MAX = 1_000_000
LIST, FOLDER = "list", "dsearch"
PARTIAL_LEAST = 2  # components that a partial search leaves, unless it says another number

_TYPE = re.compile(r"(partial(\d*)(\([^)]*\)|)-)?(\w+)(\*@|\*)?(?:,[\w,=]*)?", re.ASCII)
_KEY = re.compile(r'"((?:\\.|[^"\\])*)"|([^\s:]+)')
# Classes within a set, sets that Python warns of, nested repetitions, and escapes that only Perl has.
_OF_PERL = re.compile(r"\[[^\]]*\[[:.=]|\[\^?\[|--|&&|~~|\|\||[*+}]\)[*+{]|\\[QEzhHRKXGCL]|\(\?[^:=!i]")
PATTERN_CHARACTERS_MAX = 2_000
_COMMENT = re.compile(r"(?:^|\s)#.*")
_FILES = ("lsearch", "wildlsearch", "nwildlsearch")


@dataclass(frozen=True, slots=True)
class TableRow:
    key: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class LookupTable:
    """The entries of a file; keys in small letters, as they are compared."""

    path: str
    entries: Mapping[str, TableRow]
    patterns: tuple[TableRow, ...] = ()  # in a wildlsearch, in order


@dataclass(frozen=True, slots=True)
class UnreadTable:
    """A table that cannot be read; `why` continues a sentence that begins with the table."""

    why: str


@dataclass(frozen=True, slots=True)
class Search:
    """How keys are looked up: `partial-lsearch*@` and the like."""

    kind: str
    partial_least: int | None = None  # None: the whole key only
    affix: str = "*."
    default: str = ""  # "*" or "*@"


def parse_search(text: str) -> Search | None:
    """None: the text is no kind of search."""
    match = _TYPE.fullmatch(text.strip())
    if match is None:
        return None
    least = None
    if match[1] is not None:
        least = int(match[2]) if len(match[2]) > 0 and len(match[2]) < 4 else PARTIAL_LEAST
    affix = match[3][1:-1] if match[3] is not None and len(match[3]) > 0 else "*."
    return Search(match[4], least, affix, match[5] or "")


@dataclass(slots=True)
class Tables:
    """Each file is read once. `read`: by path and how it is read, the kind of search or LIST."""

    files: OldFiles
    read: dict[tuple[str, str], LookupTable | UnreadTable] = field(default_factory=dict)
    texts: dict[str, str | NotRead] = field(default_factory=dict)

    def find(self, search: Search, path: str, key: str) -> TableRow | UnreadTable | None:
        """The entry of a key; None if the table has none."""
        table = self.table(search.kind, path)
        if isinstance(table, UnreadTable):
            return table
        if search.kind == FOLDER:
            return table.entries.get(key)
        for one in _keys(search, key.lower()):
            found = _in_table(table, one)
            if found is not None:
                return found
        return None

    def table(self, kind: str, path: str) -> LookupTable | UnreadTable:
        """`kind`: of a search, or LIST for a file whose lines are the items of a list."""
        if (path, kind) not in self.read:
            self.read[path, kind] = self._table(kind, path)
        return self.read[path, kind]

    def _table(self, kind: str, path: str) -> LookupTable | UnreadTable:
        if kind == FOLDER:
            names = self.files.names(path)
            if isinstance(names, NotRead):
                return UnreadTable(names.reason)
            return LookupTable(path, {name: TableRow(name, name, 0) for name in names})
        if kind not in (*_FILES, LIST):
            return UnreadTable(f"is searched by {kind}, which is not read here")
        text = self.text(path)
        if isinstance(text, NotRead):
            return UnreadTable(text.reason)
        return read_list(path, text) if kind == LIST else read_table(path, text, kind != "lsearch")

    def text(self, path: str) -> str | NotRead:
        if path not in self.texts:
            self.texts[path] = self.files.text(path)
        return self.texts[path]

    def exists(self, path: str) -> bool:
        """Whether there is a file or a folder of this name."""
        return not isinstance(self.text(path), NotRead) or not isinstance(self.files.names(path), NotRead)


def read_list(path: str, text: str) -> LookupTable:
    """§10.5, "File names in lists": an item on each line, and comments after a #."""
    rows = dict[str, TableRow]()
    for number, line in enumerate(text.split("\n"), start=1):
        item = _COMMENT.sub("", line).strip()
        if len(item) > 0:
            rows.setdefault(item, TableRow(item, "", number))
    return LookupTable(path, rows)


def read_table(path: str, text: str, has_patterns: bool) -> LookupTable | UnreadTable:
    """An lsearch file: a key, then white space or a colon, then its value; white space goes on."""
    entries, patterns = dict[str, TableRow](), list[TableRow]()
    key, value, begun = "", list[str](), 0

    def end() -> None:
        if begun > 0:
            entry = TableRow(key, " ".join(value).strip(), begun)
            if has_patterns and key.startswith(("*", "^")):
                patterns.append(entry)
            entries.setdefault(key.lower(), entry)

    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith("#") or len(line.strip()) == 0:
            continue
        if line[0] in " \t":
            value.append(line.strip())
            continue
        end()
        match = _KEY.match(line)
        if match is None:
            begun = 0
            continue
        key = re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else match[2]
        rest = line[match.end() :].lstrip(" \t")
        value, begun = [rest.removeprefix(":").strip()], number
        if len(entries) >= ENTRIES_MAX:
            return UnreadTable(f"has more than {ENTRIES_MAX} entries")
    end()
    return LookupTable(path, entries, tuple(patterns))


def _in_table(table: LookupTable, key: str) -> TableRow | None:
    found = table.entries.get(key)
    if found is not None:
        return found
    return next((entry for entry in table.patterns if _fits(entry.key, key)), None)


def _fits(pattern: str, key: str) -> bool:
    if pattern.startswith("^"):
        return matches(pattern, key) is True
    return key.endswith(pattern[1:].lower())


def matches(pattern: str, text: str) -> bool | None:
    r"""Whether a regular expression fits; None if it cannot be said. `\N` takes no part in it.

    Exim's are those of Perl: what Python reads otherwise, such as [[:alpha:]], is not tried.
    """
    pattern = pattern.replace("\\N", "")
    if len(pattern) > PATTERN_CHARACTERS_MAX or _OF_PERL.search(pattern) is not None:
        return None
    try:
        return re.search(pattern, text, re.IGNORECASE) is not None
    except (re.error, RecursionError, OverflowError):
        return None


def _keys(search: Search, key: str) -> tuple[str, ...]:
    """The keys that are tried, in order (§9.6, "Default values"; §9.7, "Partial matching")."""
    keys = [key]
    if search.partial_least is not None:
        parts = key.split(".")
        keys.append(search.affix + key)
        for dropped in range(1, len(parts) - max(search.partial_least, 1) + 1):
            keys.append(search.affix + ".".join(parts[dropped:]))
        if search.partial_least == 0:
            keys.append(search.affix.removesuffix("."))
    if search.default == "*@" and "@" in key:
        keys.append(f"*@{key.rpartition('@')[2]}")
    if len(search.default) > 0:
        keys.append("*")
    return tuple(keys)
