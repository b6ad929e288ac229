"""What came of the lines of a list: each is counted once."""

from collections.abc import Callable
from dataclasses import dataclass, field

from secondpost.subscribers.list_rows import BadRow

BAD_ROWS_NAMED_MAX = 1_000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Every line is counted once. `bad` names the first BAD_ROWS_NAMED_MAX of `bad_count`."""

    added: int = 0
    confirmed: int = 0  # were pending, and are readers now
    known: int = 0  # readers already, or twice in the list
    suppressed: int = 0  # were so before
    left: int = 0  # by the word of the list, and not mailed any more
    gone: int = 0  # bounced, complained or blocked by the word of the list: suppressed from now on
    unclear: int = 0  # the list says something of them that is not known: they stay out
    hashes: int = 0  # of our own export: suppressed, and no readers there
    bad_count: int = 0
    bad: tuple[BadRow, ...] = ()
    asked: int = 0  # beside that: a mail asks them to confirm

    @property
    def lines(self) -> int:
        return (
            self.added
            + self.confirmed
            + self.known
            + self.suppressed
            + self.left
            + self.gone
            + self.unclear
            + self.hashes
            + self.bad_count
        )


ImportProgress = Callable[[ImportReport], None]


@dataclass(slots=True)
class ImportTally:
    added: int = 0
    confirmed: int = 0
    known: int = 0
    suppressed: int = 0
    left: int = 0
    gone: int = 0
    unclear: int = 0
    hashes: int = 0
    bad_count: int = 0
    bad: list[BadRow] = field(default_factory=list)
    asked: int = 0

    def report(self) -> ImportReport:
        return ImportReport(
            self.added,
            self.confirmed,
            self.known,
            self.suppressed,
            self.left,
            self.gone,
            self.unclear,
            self.hashes,
            self.bad_count,
            tuple(self.bad),
            self.asked,
        )

    def count_bad(self, row: BadRow) -> None:
        self.bad_count += 1
        if len(self.bad) < BAD_ROWS_NAMED_MAX:
            self.bad.append(row)
