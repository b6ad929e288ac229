"""What `subscribers import --json` prints."""

from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.subscribers.import_report import ImportReport
from secondpost.subscribers.list_report import ListReport, PartReport, WordCount


@dataclass(frozen=True, slots=True)
class BadRowDocument:
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class ListWordDocument:
    word: str
    lines: int
    becomes: str


@dataclass(frozen=True, slots=True)
class ListColumnDocument:
    name: str
    what: str
    words: list[ListWordDocument]
    doubts: list[ListWordDocument]


@dataclass(frozen=True, slots=True)
class ListFileDocument:
    name: str
    service: str
    form: str
    unsaid: str
    lines: int
    bad: int
    becomes: dict[str, int]
    columns: list[ListColumnDocument]


@dataclass(frozen=True, slots=True)
class ImportDocument:
    """The document of `subscribers import`."""

    newsletter: str
    written: bool
    stops: bool
    files: list[ListFileDocument]
    lines: int
    added: int
    confirmed: int
    known: int
    suppressed: int
    left: int
    gone: int
    unclear: int
    hashes: int
    bad: int
    asked: int
    bad_rows: list[BadRowDocument]


def import_document(newsletter: str, found: ListReport, report: ImportReport | None) -> ImportDocument:
    """`report` is None if nothing was written."""
    done = ImportReport() if report is None else report
    return ImportDocument(
        newsletter=newsletter,
        written=report is not None,
        stops=found.stops,
        files=[_list_file(part) for part in found.parts],
        lines=found.lines,
        added=done.added,
        confirmed=done.confirmed,
        known=done.known,
        suppressed=done.suppressed,
        left=done.left,
        gone=done.gone,
        unclear=done.unclear,
        hashes=done.hashes,
        bad=found.bad if report is None else report.bad_count,
        asked=done.asked,
        bad_rows=[
            BadRowDocument(row.line, row.why) for row in (found.bad_rows if report is None else report.bad)
        ],
    )


def _list_file(part: PartReport) -> ListFileDocument:
    return ListFileDocument(
        name=part.part.name,
        service=part.service,
        form=part.holds,
        unsaid=part.unsaid,
        lines=part.lines,
        bad=part.bad,
        becomes=part.becomes,
        columns=[
            ListColumnDocument(
                column.name, column.what, _list_words(column.words), _list_words(column.doubts)
            )
            for column in part.reports
        ],
    )


def _list_words(words: Sequence[WordCount]) -> list[ListWordDocument]:
    return [ListWordDocument(one.word, one.lines, one.becomes) for one in words]
