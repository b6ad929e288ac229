"""What a list was recognised as: its service, the meaning of its columns and words, and what would
become of its lines.

Words in doubt stop the import until the owner says what they mean.
"""

from dataclasses import dataclass
from itertools import islice

from secondpost.subscribers.import_report import BAD_ROWS_NAMED_MAX
from secondpost.subscribers.list_columns import ListColumns
from secondpost.subscribers.list_document import ListPart
from secondpost.subscribers.list_rows import BadRow

UNCLEAR = "unclear"
# In place of a word: of a value in a column where any value counts, and of words beyond a bound.
ANY_VALUE = "any value"
OTHER_WORDS = "other words"
PLACEHOLDERS = (ANY_VALUE, OTHER_WORDS)


@dataclass(frozen=True, slots=True)
class WordCount:
    """A word of a column, the number of lines with it, and what those lines become if no other
    column says more.
    """

    word: str
    lines: int
    becomes: str
    leaves_out: bool = False  # unclear, and the only thing that some line says


@dataclass(frozen=True, slots=True)
class ColumnReport:
    name: str
    what: str  # "address", "name", "state", "date", "consent" or "kept"
    words: tuple[WordCount, ...] = ()  # only of a column of states
    doubts: tuple[WordCount, ...] = ()  # words that stop the import; only of other columns


@dataclass(frozen=True, slots=True)
class PartReport:
    """The report on one file of the list."""

    part: ListPart
    columns: ListColumns
    is_own: bool  # written by our own export
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
        """Whether a word is in doubt, so that nothing may be written."""
        return any(len(column.doubts) > 0 for part in self.parts for column in part.reports)
