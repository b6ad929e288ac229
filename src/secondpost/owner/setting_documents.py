"""The JSON documents of `secondpost config explain` and `secondpost config show`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ValueDocument:
    """A value that the file has for a key."""

    table: str
    key: str
    number: int | None
    value: str | None
    line: int | None
    origin: str


@dataclass(frozen=True, slots=True)
class KeyDocument:
    """What is said of a key."""

    table: str
    key: str
    says: str
    form: str
    default: str
    example: str | None
    before: list[str]
    asked_as: str | None
    values: list[ValueDocument]


@dataclass(frozen=True, slots=True)
class ExplainDocument:
    """The document of `config explain`."""

    config: str | None
    keys: list[KeyDocument]


@dataclass(frozen=True, slots=True)
class ShowDocument:
    """The document of `config show`."""

    config: str
    effective: bool
    values: list[ValueDocument]
