"""What became of each line of Postfix's files, collected while they are read."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from secondpost.config.positions import KeyPath
from secondpost.mail.printable import printable
from secondpost.setup.importing.carried import Fate, OldPlace, ReportLine
from secondpost.setup.importing.postfix.remarks import remark_on
from secondpost.setup.importing.postfix.services import NotService, OldService
from secondpost.setup.importing.postfix.settings import DEFAULTS
from secondpost.setup.importing.postfix.statements import MainStatement, NotMainStatement
from secondpost.setup.importing.postfix.tables import TableValue

ENTRIES_SHOWN_MAX = 20  # lines of one table that are reported one by one
WHYS_SHOWN_MAX = 12  # of one line
TEXT_CHARACTERS_MAX = 300

_SECRET_NAME = re.compile(r"pass|_pw\b|_pw$|secret|token|credential", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"pass\w*\s*=|secret\s*=|token\s*=|_pw\s*=|sasl_password_maps", re.IGNORECASE)
_NAMED = re.compile(r"\$[{(]?\s*([A-Za-z0-9_]+)")
_IS_FILE = re.compile(r"(?:proxy:)?(?:[a-z]+:)?/[^\s{}=]*(?:[,\s]+(?:proxy:)?(?:[a-z]+:)?/[^\s{}=]*)*")


@dataclass(frozen=True, slots=True)
class PostfixMark:
    fate: Fate
    why: str = ""
    becomes: tuple[KeyPath, ...] = ()


@dataclass(frozen=True, slots=True)
class TableLine:
    """A line of a table that has a fate of its own; line 0 is the whole table."""

    place: OldPlace
    text: str
    marks: list[PostfixMark]


@dataclass(slots=True)
class PostfixLedger:
    """`path`: that of main.cf."""

    path: str
    marks: dict[str, dict[PostfixMark, None]] = field(default_factory=dict)  # by parameter, in order
    table_lines: dict[str, dict[int, TableLine]] = field(default_factory=dict)

    def carried(self, name: str, *becomes: KeyPath, why: str = "") -> None:
        self._mark(name, PostfixMark(Fate.CARRIED, why, becomes))

    def changed(self, name: str, why: str, *becomes: KeyPath) -> None:
        self._mark(name, PostfixMark(Fate.CHANGED, why, becomes))

    def not_carried(self, name: str, why: str) -> None:
        self._mark(name, PostfixMark(Fate.NOT_CARRIED, why))

    def table(self, entry: TableValue, fate: Fate, why: str, *becomes: KeyPath) -> None:
        """Say it of a line of a table; what stands in main.cf itself is reported there."""
        if entry.place.path == self.path and fate is Fate.CARRIED:
            return
        lines = self.table_lines.setdefault(entry.place.path, {})
        marks = lines.setdefault(entry.place.line, TableLine(entry.place, shown(entry.text), [])).marks
        mark = PostfixMark(fate, why, becomes)
        if mark not in marks:
            marks.append(mark)

    def _mark(self, name: str, mark: PostfixMark) -> None:
        self.marks.setdefault(name, {})[mark] = None

    def report(
        self,
        read: Sequence[MainStatement | NotMainStatement],
        services: Sequence[OldService | NotService],
        scope: str,
    ) -> tuple[ReportLine, ...]:
        """`scope`: the name of the service whose own parameters were asked."""
        named = {one.name for one in read if isinstance(one, MainStatement)}
        of_scope = next((one for one in services if isinstance(one, OldService) and one.name == scope), None)
        own = frozenset() if of_scope is None else frozenset(of_scope.own)
        lines = [*self._unset(named | own), *self._statements(read, own)]
        lines += self._services(services, scope)
        for path in sorted(self.table_lines):
            lines += _shown_lines([self.table_lines[path][line] for line in sorted(self.table_lines[path])])
        return tuple(lines)

    def _unset(self, named: frozenset[str] | set[str]) -> Iterator[ReportLine]:
        """What is said of parameters that are not in the files, whose defaults counted."""
        for name, marks in self.marks.items():
            said = [mark for mark in marks if mark.fate is not Fate.CARRIED]
            if name not in named and not name.startswith("service ") and len(said) > 0:
                yield _line(OldPlace(self.path, 0), f"{name} (not in the file)", said)

    def _statements(
        self, read: Sequence[MainStatement | NotMainStatement], own: frozenset[str]
    ) -> Iterator[ReportLine]:
        last = {one.name: one.place.line for one in read if isinstance(one, MainStatement)}
        values = [one.value for one in read if isinstance(one, MainStatement)]
        secrets = _named_by_secrets(read)
        for one in read:
            if isinstance(one, NotMainStatement):
                why = "Postfix does not start with this line: it is not NAME = VALUE."
                first, space, _ = one.text.partition(" ")
                text = f"{first} (not shown)" if len(space) > 0 else first  # it may be a login
                yield _line(one.place, shown(text), (PostfixMark(Fate.NOT_CARRIED, why),))
                continue
            text = f"{one.name} = (not shown)" if one.name in secrets else text_of(one.name, one.value)
            yield _line(one.place, text, self._said_of(one, last, values, own))

    def _said_of(
        self, one: MainStatement, last: dict[str, int], values: Sequence[str], own: frozenset[str]
    ) -> Sequence[PostfixMark]:
        if one.place.line != last[one.name]:
            return (
                PostfixMark(Fate.CARRIED, f"Line {last[one.name]} says it again, and the last one counts."),
            )
        if one.name in own:
            return (
                PostfixMark(Fate.CARRIED, "The service on port 25 has a value of its own, which counts."),
            )
        if one.name in self.marks:
            return tuple(self.marks[one.name])
        if len(one.value) == 0:
            return (PostfixMark(Fate.CARRIED, "It is empty."),)
        remark = remark_on(one.name)
        if remark is not None:
            return (PostfixMark(remark.fate, remark.why),)
        if any(f"${one.name}" in value or f"${{{one.name}" in value for value in values):
            return (PostfixMark(Fate.CARRIED, "It was put in wherever other lines name it."),)
        return (
            PostfixMark(
                Fate.NOT_CARRIED, "It is not known here; look up in postconf(5) whether you need it."
            ),
        )

    def _services(self, services: Sequence[OldService | NotService], scope: str) -> Iterator[ReportLine]:
        """A line for each service that others reach or that has parameters of its own, one for the rest."""
        rest = list[OldService]()
        for one in services:
            is_usual = isinstance(one, OldService) and one.kind != "inet" and len(one.own) == 0
            if is_usual and f"service {one.place.line}" not in self.marks and isinstance(one, OldService):
                rest.append(one)
            else:
                yield self._service(one, scope)
        if len(rest) > 0:
            why = f"These are processes of Postfix's own ({len(rest)}); there is nothing to do."
            names = shown(", ".join(one.name for one in rest))
            yield ReportLine(OldPlace(rest[0].place.path, 0), names, Fate.NOT_CARRIED, why)

    def _service(self, one: OldService | NotService, scope: str) -> ReportLine:
        if isinstance(one, NotService):
            why = "It is not a service: master(5) wants eight columns."
            return _line(one.place, shown(one.text), (PostfixMark(Fate.NOT_CARRIED, why),))
        marks = list(self.marks.get(f"service {one.place.line}", {}))
        for name in one.own if one.name == scope else ():
            marks += (PostfixMark(mark.fate, mark.why, mark.becomes) for mark in self.marks.get(name, {}))
        if len(marks) == 0:
            marks.append(
                PostfixMark(Fate.NOT_CARRIED, "It is a process of Postfix's own; there is nothing to do.")
            )
        return _line(one.place, shown(one.text), marks)


def _line(place: OldPlace, text: str, marks: Sequence[PostfixMark]) -> ReportLine:
    """One line of all marks: changed if they differ."""
    fates = {mark.fate for mark in marks}
    fate = marks[0].fate if len(fates) == 1 else Fate.CHANGED
    whys = list(dict.fromkeys(mark.why for mark in marks if len(mark.why) > 0))
    becomes = list(dict.fromkeys(place for mark in marks for place in mark.becomes))
    more = len(whys) - WHYS_SHOWN_MAX
    said = [*whys[:WHYS_SHOWN_MAX], *([f"There are {more} more remarks of these kinds."] if more > 0 else [])]
    return ReportLine(place, text, fate, " ".join(said), tuple(becomes))


def _shown_lines(lines: Sequence[TableLine]) -> Iterator[ReportLine]:
    for one in lines[:ENTRIES_SHOWN_MAX]:
        yield _line(one.place, one.text, one.marks)
    rest = lines[ENTRIES_SHOWN_MAX:]
    if len(rest) > 0:
        numbers = ", ".join(str(one.place.line) for one in rest[:ENTRIES_SHOWN_MAX])
        more = "" if len(rest) <= ENTRIES_SHOWN_MAX else " and more"
        fates = {mark.fate for one in rest for mark in one.marks}
        fate = rest[0].marks[0].fate if len(fates) == 1 else Fate.CHANGED
        why = f"The same kinds of changes as above apply to {len(rest)} more lines: {numbers}{more}."
        yield ReportLine(OldPlace(rest[0].place.path, rest[0].place.line), rest[0].text, fate, why)


def text_of(name: str, value: str) -> str:
    """A statement as it is shown: without what may be a password."""
    if _SECRET_NAME.search(name) is not None and _IS_FILE.fullmatch(value) is None:
        return shown(f"{name} = (not shown)")
    return shown(f"{name} = {value}")


def shown(text: str) -> str:
    """A text of the old server on one line, cut if it is long, and not at all if it may have a password."""
    if _SECRET_VALUE.search(text) is not None and "(not shown)" not in text and not _names_a_file(text):
        text = f"{text.split(None, 1)[0].partition('=')[0]} (not shown)"
    text = printable(text)
    return text if len(text) <= TEXT_CHARACTERS_MAX else f"{text[:TEXT_CHARACTERS_MAX]}…"


def _named_by_secrets(read: Sequence[MainStatement | NotMainStatement]) -> frozenset[str]:
    """The owner's own parameters that are put in where a password stands, also by way of another."""
    said = [one for one in read if isinstance(one, MainStatement)]
    secret = {one.name for one in said if text_of(one.name, one.value).endswith("(not shown)")}
    found = set[str]()
    while len(secret) > 0:
        named = {name for one in said if one.name in secret for name in _NAMED.findall(one.value)}
        secret = {name for name in named - found if name not in DEFAULTS and remark_on(name) is None}
        found |= secret
    return frozenset(found)


def _names_a_file(text: str) -> bool:
    """`smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd` has no password in it."""
    name, equals, value = text.partition(" = ")
    return len(equals) > 0 and " " not in name and _IS_FILE.fullmatch(value) is not None
