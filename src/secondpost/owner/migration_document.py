"""What `secondpost config migrate` did to a configuration: in sentences, and as a JSON document."""

from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.config.keys import header
from secondpost.config.migrating import (
    MigratedText,
    MigrationStep,
    MovedKey,
    OldComment,
    RaisedVersion,
    RewordedValue,
)
from secondpost.config.records import Config
from secondpost.config.section import key_text
from secondpost.config.versions import VERSION, WHY


@dataclass(frozen=True, slots=True)
class MigrationStepDocument:
    """One thing that changed; of a comment, what it should say. `line` is that of the new file."""

    kind: str
    line: int
    was: str
    now: str
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class MigrationDocument:
    """The document of `config migrate`."""

    config: str
    state: str
    was: int
    now: int
    kept: str | None
    steps: list[MigrationStepDocument]
    difference: list[str]


def migration_document(
    config: Config, result: MigratedText, state: str, kept: str | None, difference: Sequence[str]
) -> MigrationDocument:
    """`kept`: where the earlier file is now; `difference`: the lines of a unified difference."""
    return MigrationDocument(
        config=config.path,
        state=state,
        was=config.version,
        now=VERSION,
        kept=kept,
        steps=[_step_document(step) for step in result.steps],
        difference=list(difference),
    )


def why_text(step: MigrationStep) -> str:
    """The reason for a step, as the beginning of a sentence; "" if it needs none."""
    match step:
        case MovedKey() | OldComment():
            return WHY[step.new[0]]
        case RewordedValue():
            return WHY[str(step.place[0])]
    return ""


def step_text(step: MigrationStep) -> str:
    """A step as one sentence."""
    match step:
        case RaisedVersion():
            return f"The version, line {step.line}, is now {VERSION}; it was {step.old}."
        case MovedKey():
            old, new = _key(step.old), _key(step.new)
            return f"{old}, line {step.old_line}, is now {new}, line {step.line}."
        case RewordedValue():
            return f'{key_text(step.place)}, line {step.line}, is now "{step.new}"; it was "{step.old}".'
        case OldComment():
            old, new = _key(step.old), _key(step.new)
            return f"The comment in line {step.line} stays, but {old} is now {new}."


def _step_document(step: MigrationStep) -> MigrationStepDocument:
    match step:
        case RaisedVersion():
            kind, was, now = "version", str(step.old), str(VERSION)
        case MovedKey():
            kind, was, now = "moved", key_text(step.old), key_text(step.new)
        case RewordedValue():
            kind, was, now = "reworded", step.old, step.new
        case OldComment():
            kind, was, now = "comment", key_text(step.old), key_text(step.new)
    return MigrationStepDocument(
        kind=kind, line=step.line, was=was, now=now, text=step_text(step), why=why_text(step)
    )


def _key(place: tuple[str, str]) -> str:
    return f"{place[1]} of {header(place[0])}"
