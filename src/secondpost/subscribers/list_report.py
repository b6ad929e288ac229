"""What a list is taken for: whose it is, what each column is, what its words mean, how many become what; and
what stops it until the owner says what it means.
"""

from dataclasses import dataclass
from itertools import islice

from secondpost.subscribers.import_report import BAD_ROWS_NAMED_MAX
from secondpost.subscribers.list_columns import ListColumns
from secondpost.subscribers.list_document import ListPart
from secondpost.subscribers.list_rows import BadRow


@dataclass(frozen=True, slots=True)
class WordCount:
    """A word of a column, in how many lines, and what becomes of those of which no other column says more."""

    word: str
    lines: int
    becomes: str


@dataclass(frozen=True, slots=True)
class ColumnReport:
    name: str
    what: str  # address, name, state, date, consent or kept
    words: tuple[WordCount, ...] = ()  # of a column of states
    doubts: tuple[WordCount, ...] = ()  # of any other: words that stop the import


@dataclass(frozen=True, slots=True)
class PartReport:
    """Of one file of the list."""

    part: ListPart
    columns: ListColumns
    is_own: bool  # our own export
    lines: int
    bad: int  # lines that cannot be read
    bad_rows: tuple[BadRow, ...]  # the first BAD_ROWS_NAMED_MAX of them
    becomes: dict[str, int]
    reports: tuple[ColumnReport, ...]

    @property
    def service(self) -> str:
        return "" if self.columns.form is None else self.columns.form.service

    @property
    def holds(self) -> str:
        return "" if self.columns.form is None else self.columns.form.what

    @property
    def unsaid(self) -> str:
        return "" if self.columns.form is None else self.columns.form.unsaid


@dataclass(frozen=True, slots=True)
class ListReport:
    parts: tuple[PartReport, ...]

    @property
    def lines(self) -> int:
        return sum(part.lines for part in self.parts)

    @property
    def bad(self) -> int:
        return sum(part.bad for part in self.parts)

    @property
    def bad_rows(self) -> tuple[BadRow, ...]:
        rows = (row for part in self.parts for row in part.bad_rows)
        return tuple(islice(rows, BAD_ROWS_NAMED_MAX))

    @property
    def becomes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for part in self.parts:
            for what, lines in part.becomes.items():
                found[what] = found.get(what, 0) + lines
        return found

    @property
    def stops(self) -> bool:
        """There is a word in doubt: nothing may be written."""
        return any(len(column.doubts) > 0 for part in self.parts for column in part.reports)
