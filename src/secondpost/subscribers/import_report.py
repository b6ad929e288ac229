"""The result of an import: how many lines of the list became what."""

from collections.abc import Callable
from dataclasses import dataclass, field

from secondpost.subscribers.list_rows import BadRow

BAD_ROWS_NAMED_MAX = 1_000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Counts of an import; every line is in exactly one of them. `bad` names the first
    BAD_ROWS_NAMED_MAX.
    """

    added: int = 0
    confirmed: int = 0  # pending readers who are now active
    known: int = 0  # readers already, or twice in the list
    suppressed: int = 0  # suppressed before the import
    left: int = 0  # left, as the list says: they get no more mail
    gone: int = 0  # newly suppressed: bounced, complained or blocked, as the list says
    unclear: int = 0  # skipped: the list says something of them that is not understood
    hashes: int = 0  # hashes from our own export: suppressed addresses that are not readers
    bad_count: int = 0
    bad: tuple[BadRow, ...] = ()
    asked: int = 0  # confirmation mails sent; these readers are also in a count above

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
