"""Tables of smtpd.conf: lists and mappings in the file itself or in a file of their own (table(5))."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from secondpost.setup.importing.carried import OldPlace
from secondpost.setup.importing.old_files import NotRead, OldFiles

_FIRST_BLANK = re.compile(r"[ \t]+")
# What stands between an alias and its targets (aliases(5)).
_ALIAS = re.compile(r"^([^:\s]+|\"[^\"]*\")[ \t]*:[ \t]*(.*)$")


@dataclass(frozen=True, slots=True)
class TableEntry:
    """`value`: None in a list."""

    key: str
    value: str | None
    place: OldPlace


@dataclass(frozen=True, slots=True)
class SmtpdTable:
    """A table, or a string in place of one. `written`: how a statement names it, as in smtpd.conf.

    `reason`: why its entries are not known, continuing a sentence that begins with "It"; "" if they are.
    """

    written: str
    entries: tuple[TableEntry, ...]
    place: OldPlace
    name: str | None = None
    reason: str = ""

    @property
    def is_known(self) -> bool:
        return len(self.reason) == 0

    def value_of(self, key: str) -> str | None:
        """Of the entry with this key, in any letter case."""
        return next((one.value for one in self.entries if one.key.lower() == key.lower()), None)


def table_from_file(files: OldFiles, name: str, source: str, place: OldPlace) -> SmtpdTable:
    """`source`: /PATH or TYPE:PATH. Of a database only the text beside it can be read, from which
    makemap(8) or newaliases(8) made it.
    """
    kind, colon, path = source.partition(":")
    if source.startswith("/"):
        kind, path = "file", source
    elif len(colon) == 0:
        kind, path = source, ""
    if kind not in ("file", "static", "db"):
        return SmtpdTable(f"<{name}>", (), place, name, f"is kept by {kind}, which cannot be asked here")
    if kind == "db":
        path = path.removesuffix(".db")
    text = files.text(path)
    if isinstance(text, NotRead):
        return SmtpdTable(f"<{name}>", (), place, name, f"lies in {path}, which {text.reason}")
    return SmtpdTable(f"<{name}>", tuple(entries_of(text, path)), place, name)


def entries_of(text: str, path: str) -> Iterator[TableEntry]:
    """The lines of a table file: a key, and behind blanks or, as in aliases(5), a colon its value."""
    key: TableEntry | None = None
    for number, written in enumerate(text.split("\n"), start=1):
        line = (
            written.partition("#")[0].rstrip() if not written.lstrip().startswith('"') else written.rstrip()
        )
        if len(line.strip()) == 0:
            continue
        if line[0] in " \t" and key is not None and key.value is not None:
            key = TableEntry(key.key, f"{key.value} {line.strip()}", key.place)  # aliases(5): goes on
            continue
        if key is not None:
            yield key
        key = _entry(line.strip(), OldPlace(path, number))
    if key is not None:
        yield key


def _entry(line: str, place: OldPlace) -> TableEntry:
    alias = _ALIAS.match(line)
    if (
        alias is not None
        and "@" not in alias[1].partition("@")[0]
        and not _is_address_like(alias[1], alias[2])
    ):
        return TableEntry(alias[1].strip('"'), alias[2], place)
    parts = _FIRST_BLANK.split(line, maxsplit=1)
    return TableEntry(parts[0].rstrip(":"), parts[1].strip() if len(parts) > 1 else None, place)


def _is_address_like(key: str, rest: str) -> bool:
    """Of an IPv6 address such as ::1 or 2001:db8::/32, the colon separates nothing."""
    return re.fullmatch(r"[0-9a-fA-F]*", key) is not None and re.match(r"[0-9a-fA-F:]", rest) is not None


def domain_matches(domain: str, pattern: str) -> bool:
    """Whether a domain is meant by an entry, which may begin with a * for any part (hostname_match)."""
    domain, pattern = domain.lower(), pattern.lower()
    if "*" not in pattern:
        return domain == pattern
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), domain) is not None
