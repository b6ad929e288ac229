"""The JSON document of `secondpost init`."""

from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.setup.next_steps import NextStep
from secondpost.setup.proxies import Snippet
from secondpost.setup.questions import Note


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
    proxy: str | None
    next: list[str]


def init_document(
    config: Config,
    state: str,
    kept: str | None,
    keys: Sequence[str],
    notes: Sequence[Note],
    before: Snippet | None,
    steps: Sequence[NextStep],
) -> InitDocument:
    return InitDocument(
        config=config.path,
        state=state,
        kept=kept,
        store=config.store,
        keys=list(keys),
        notes=[note.text for note in notes if not note.is_warning],
        warnings=[note.text for note in notes if note.is_warning],
        proxy=None if before is None else before.text,
        next=[step.command for step in steps],
    )
