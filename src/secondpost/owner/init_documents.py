"""The JSON document of `secondpost init`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from secondpost.setup.next_steps import SetUp
from secondpost.setup.questions import Note
from secondpost.setup.records import WantedRecord


@dataclass(frozen=True, slots=True)
class WantedDocument:
    """A record to publish."""

    name: str
    type: str
    value: str
    zone_line: str
    why: str
    turn: int
    by: str
    optional: bool


@dataclass(frozen=True, slots=True)
class InitDocument:
    """The document of `init`."""

    config: str
    state: str
    kept: str | None
    store: str
    keys: list[str]
    notes: list[str]
    warnings: list[str]
    records: list[WantedDocument]
    missing: list[WantedDocument] | None
    proxy: str | None
    next: list[str]


def init_document(
    result: SetUp, notes: Sequence[Note], missing: Sequence[WantedRecord] | None
) -> InitDocument:
    """`missing`: the records that are not visible; None if they were not waited for."""
    return InitDocument(
        config=result.config.path,
        state=result.state,
        kept=result.kept,
        store=result.config.store,
        keys=list(result.keys),
        notes=[note.text for note in notes if not note.is_warning],
        warnings=[note.text for note in notes if note.is_warning],
        records=_records(result.records),
        missing=None if missing is None else _records(missing),
        proxy=None if result.proxy is None else result.proxy.text,
        next=[step.command for step in result.steps],
    )


def _records(records: Iterable[WantedRecord]) -> list[WantedDocument]:
    return [
        WantedDocument(
            name=record.name,
            type=record.type,
            value=record.value,
            zone_line=record.zone_line,
            why=record.why,
            turn=record.turn.number,
            by=record.by.value,
            optional=record.is_optional,
        )
        for record in records
    ]
