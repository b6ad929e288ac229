"""Read through a list before anything is written, and count what each line would become."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from secondpost.mail.address import Domain
from secondpost.subscribers.event_files import refuse_events
from secondpost.subscribers.import_report import BAD_ROWS_NAMED_MAX
from secondpost.subscribers.list_checks import check_columns_named, check_file_name, check_words_met
from secondpost.subscribers.list_columns import OWN_SERVICE, ListColumn, ListColumns, OwnersWord, columns_of
from secondpost.subscribers.list_document import ListPart
from secondpost.subscribers.list_json import BETWEEN_VALUES
from secondpost.subscribers.list_report import (
    ANY_VALUE,
    OTHER_WORDS,
    PLACEHOLDERS,
    UNCLEAR,
    ColumnReport,
    ListReport,
    PartReport,
    WordCount,
)
from secondpost.subscribers.list_rows import BadRow, OwnRow, RowVerdict, checked
from secondpost.subscribers.list_verdicts import (
    CELLS_REMEMBERED_MAX,
    REMEMBERED_CHARACTERS_MAX,
    Judge,
    is_no,
    is_suspect_name,
    is_wanting_name,
    says_no,
    states_in,
    suspects_in,
)
from secondpost.subscribers.meanings import AtLeast, Moment, Plain, folded
from secondpost.subscribers.own_export import OwnColumns
from secondpost.subscribers.typed import check_reader

WORDS_COUNTED_MAX = 1_000  # distinct words, per column
LINES_BETWEEN_LOOKS = 5_000
OWNERS_COLUMNS = frozenset({"tag", "tags", "label", "labels", "group", "groups", "segment", "segments"})

# Matches nearly all addresses; one that matches needs no further check.
_PLAIN_ADDRESS = re.compile(
    r"(?![^@]{65})[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,50}[A-Za-z0-9])?\.){1,4}[A-Za-z]{2,30})"
)
_WHAT = {
    Plain.ADDRESS: "address",
    Plain.NAME: "name",
    Plain.CREATED: "date",
    Plain.AGREED_AT: "consent",
    Plain.AGREED_WHERE: "consent",
    Plain.AGREED_FROM: "consent",
    Plain.KEPT: "kept",
}

LookProgress = Callable[[int], None]


def look_through(
    parts: Sequence[ListPart], word: OwnersWord, own: frozenset[Domain], progress: LookProgress
) -> ListReport:
    """Read the whole list once and report on it. Raises NoList.

    `own` are this server's domains, which have no readers; `progress` is called with the number of
    lines read so far.
    """
    check_columns_named(parts, word)
    reports, lines = [], 0
    met: set[str] = set()
    for part in parts:
        columns = columns_of(part, word)
        refuse_events(part, columns, word)
        check_file_name(part, columns, word)
        is_own = columns.form is not None and columns.form.service == OWN_SERVICE and word == OwnersWord()
        looking = _OwnLooking(part, columns, own) if is_own else _Looking(columns, word, own)
        for record in part.records():
            lines += 1
            if lines % LINES_BETWEEN_LOOKS == 0:
                progress(lines)
            looking.found.lines += 1
            if isinstance(record, BadRow):
                looking.found.count_bad(record)
            else:
                looking.look(*record)
        found, bad_rows = looking.found, tuple(looking.found.bad_rows)
        reports.append(
            PartReport(
                part, columns, is_own, found.lines, found.bad, bad_rows, found.counts(), looking.reports()
            )
        )
        met.update(*(judge.met for _, judge in columns.judges))
    report = ListReport(tuple(reports))
    if report.lines > 0:
        check_words_met(word, met, _words_about_people(report))
    return report


def _words_about_people(report: ListReport) -> list[str]:
    counts = [
        one
        for part in report.parts
        for column in part.reports
        for one in (*column.doubts, *column.words)
        if one.word not in ("", *PLACEHOLDERS)
    ]
    return [one.word for one in sorted(counts, key=lambda one: one.becomes != UNCLEAR)]


@dataclass(slots=True)
class _Found:
    lines: int = 0
    bad: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    becomes: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[RowVerdict] = field(default_factory=Counter)

    def count_bad(self, row: BadRow) -> None:
        self.bad += 1
        if len(self.bad_rows) < BAD_ROWS_NAMED_MAX:
            self.bad_rows.append(row)

    def counts(self) -> dict[str, int]:
        by_verdict = {becomes_of(verdict): lines for verdict, lines in self.verdicts.items()}
        return {**by_verdict, **self.becomes}


class _Looking:
    """Counts the lines of one file, column by column."""

    def __init__(self, columns: ListColumns, word: OwnersWord, own: frozenset[Domain]) -> None:
        self.found = _Found()
        self._columns = columns
        self._own = own
        self._own_names = {domain.name for domain in own}
        judged = dict(columns.judges)
        self._counts = {
            column.number: _Words(judged[column.number])
            for column in columns.columns
            if column.number in judged and not _is_kept(column)
        }
        self._watches = {
            column.number: _Watch(column, word) for column in columns.columns if _is_watched(column)
        }

    def look(self, line: int, cells: list[str]) -> None:
        fault = self._fault(cells)
        if fault != "":
            self.found.count_bad(BadRow(line, fault))
            return
        verdict = self._columns.verdict(cells)
        if cells[self._columns.address].startswith("(") and verdict < RowVerdict.LEFT:
            verdict = RowVerdict.LEFT
        self.found.verdicts[verdict] += 1
        present = len(cells)
        is_left_out = verdict is RowVerdict.UNCLEAR
        for number, words in self._counts.items():
            words.count(cells[number] if number < present else "", is_left_out)
        for number, watch in self._watches.items():
            if number < present:
                watch.look(cells[number])

    def _fault(self, cells: list[str]) -> str:
        """Why a line names no reader; "" if it does."""
        number = self._columns.address
        is_whole = number < len(cells) <= len(self._columns.columns)
        if is_whole and (self._columns.has_head or len(cells) == 1):
            plain = _PLAIN_ADDRESS.fullmatch(cells[number])
            if plain is not None and plain[1].lower() not in self._own_names:
                return ""
        try:
            check_reader(self._columns.person(cells).mailbox, self._own)
        except ValueError as fault:
            return str(fault)
        return ""

    def reports(self) -> tuple[ColumnReport, ...]:
        return tuple(
            self._report(column)
            for column in self._columns.columns
            if column.has_name
            or column.is_given
            or column.number == self._columns.address
            or self._doubts(column)
        )

    def _report(self, column: ListColumn) -> ColumnReport:
        words = self._counts[column.number].counts() if column.number in self._counts else ()
        return ColumnReport(column.name, _what(column), words, self._doubts(column))

    def _doubts(self, column: ListColumn) -> tuple[WordCount, ...]:
        watch = self._watches.get(column.number)
        return () if watch is None else watch.counts()


class _OwnLooking:
    """Counts the lines of our own export, which states each reader's whole record."""

    def __init__(self, part: ListPart, columns: ListColumns, own: frozenset[Domain]) -> None:
        self.found = _Found()
        self._columns = columns
        self._own = own
        self._lines = OwnColumns.of("", part.head)  # counting does not depend on the newsletter
        self._states: dict[str, int] = {}

    def look(self, line: int, cells: list[str]) -> None:
        match row := checked(self._lines.row(line, cells, 0), self._own):
            case BadRow():
                self.found.count_bad(row)
            case OwnRow(state=state):
                self.found.becomes[state.value] += 1
                self._states[state.value] = self._states.get(state.value, 0) + 1
            case _:
                self.found.becomes["hashes"] += 1

    def reports(self) -> tuple[ColumnReport, ...]:
        states = tuple(WordCount(state, lines, state) for state, lines in self._states.items())
        return tuple(
            ColumnReport(
                column.name, OWN_COLUMNS.get(column.name, "kept"), states if column.name == "state" else ()
            )
            for column in self._columns.columns
        )


OWN_COLUMNS = {
    "email": "address", "state": "state", "since": "date", "created": "date",
    "agreed_where": "consent", "agreed_how": "consent", "agreed_text": "consent", "agreed_at": "consent",
    "agreed_from": "consent",
    "suppressed": "state", "suppressed_at": "date", "suppressed_by": "state",
    "everywhere": "state", "everywhere_at": "date", "everywhere_by": "state",
    "hash": "state", "hash_key": "state",
}  # fmt: skip


class _Words:
    """Counts the words in a column of states; for dates and numbers, counts their verdicts."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._is_of_words = not isinstance(judge.meaning, Moment | AtLeast)
        self._lines: dict[tuple[str, RowVerdict], int] = {}
        self._left_out: set[tuple[str, RowVerdict]] = set()

    def count(self, cell: str, is_left_out: bool) -> None:
        """`is_left_out`: the whole line, as no column says clearly what it is."""
        verdict = self._judge.of(cell)
        is_word = self._is_of_words or verdict is RowVerdict.UNCLEAR
        word = cell if is_word else "" if cell == "" else ANY_VALUE
        if not self._is_of_words and verdict is RowVerdict.NOTHING:
            return
        counted = (word[:REMEMBERED_CHARACTERS_MAX], verdict)
        if counted not in self._lines and len(self._lines) >= WORDS_COUNTED_MAX:
            counted = (OTHER_WORDS, verdict)
        self._lines[counted] = self._lines.get(counted, 0) + 1
        if is_left_out and verdict is RowVerdict.UNCLEAR:
            self._left_out.add(counted)

    def counts(self) -> tuple[WordCount, ...]:
        """Most frequent first."""
        ordered = sorted(self._lines.items(), key=lambda each: -each[1])
        return tuple(
            WordCount(
                word.replace(BETWEEN_VALUES, ", "),
                lines,
                becomes_of(verdict),
                (word, verdict) in self._left_out,
            )
            for (word, verdict), lines in ordered
        )


class _Watch:
    """Looks through a column that is only kept, for words that may mean that no mail is wanted."""

    def __init__(self, column: ListColumn, word: OwnersWord) -> None:
        self._words = word.words
        self._is_wanting = column.meaning is None and is_wanting_name(column.name)
        self._is_suspect = column.meaning is None and is_suspect_name(column.name)
        self._suspects = suspects_in if column.meaning is None else states_in
        self._harmless: set[str] = set()
        self._lines: dict[str, int] = {}

    def look(self, cell: str) -> None:
        if cell in self._harmless:
            return
        found = [item for item in self._suspects(cell) if folded(item) not in self._words]
        if self._is_suspect and len(found) == 0 and not is_no(cell) and folded(cell) not in self._words:
            found = [ANY_VALUE]
        if self._is_wanting and says_no(cell) and folded(cell) not in self._words:
            found = [cell]
        for item in (each[:REMEMBERED_CHARACTERS_MAX] for each in found):
            known = item if item in self._lines or len(self._lines) < WORDS_COUNTED_MAX else OTHER_WORDS
            self._lines[known] = self._lines.get(known, 0) + 1
        is_short = len(cell) <= REMEMBERED_CHARACTERS_MAX
        if len(found) == 0 and is_short and len(self._harmless) < CELLS_REMEMBERED_MAX:
            self._harmless.add(cell)

    def counts(self) -> tuple[WordCount, ...]:
        ordered = sorted(self._lines.items(), key=lambda each: -each[1])
        return tuple(WordCount(word, lines, becomes_of(RowVerdict.UNCLEAR)) for word, lines in ordered)


def becomes_of(verdict: RowVerdict) -> str:
    return "says nothing" if verdict is RowVerdict.NOTHING else verdict.name.lower()


def _is_kept(column: ListColumn) -> bool:
    return column.meaning is None or isinstance(column.meaning, Plain)


def _is_watched(column: ListColumn) -> bool:
    """Whether to search a column for words that may mean no mail: unknown columns, and columns such
    as tags that the owner fills.
    """
    if column.is_given:
        return False
    return column.meaning is None or (column.meaning is Plain.KEPT and folded(column.name) in OWNERS_COLUMNS)


def _what(column: ListColumn) -> str:
    match column.meaning:
        case None:
            return "kept"
        case Plain():
            return _WHAT[column.meaning]
        case Moment():
            return "date"
        case _:
            return "state"
