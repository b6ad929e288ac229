"""What a rehearsal of this version on a copy of the store found: the document of `upgrade --check`."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class RehearsedPart(StrEnum):
    """What is tried, in this order."""

    CONFIGURATION = "configuration"
    CERTIFICATE = "certificate"
    KEYS = "keys"
    COPY = "copy"
    MIGRATION = "migration"
    OPENING = "opening"
    ROOM = "room"


@dataclass(frozen=True, slots=True)
class RehearsedStepDocument:
    part: RehearsedPart
    right: bool
    text: str
    remedy: str = ""  # empty if it is right


@dataclass(frozen=True, slots=True)
class MigrationTimeDocument:
    number: int
    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RehearsedDatabaseDocument:
    name: str
    writer: str  # the version that wrote its schema; "" if that is not known
    schema: int
    new_schema: int
    octets: int
    copy_seconds: float
    migrations: Sequence[MigrationTimeDocument]  # those that it still needs
    migration_seconds: float
    log_octets: int  # of the write-ahead log at the end of the migration
    growth: int  # octets, negative if it gets smaller


@dataclass(frozen=True, slots=True)
class NoticedChangeDocument:
    """What others notice of this version: readers, or primaries and senders ("others")."""

    whom: str
    text: str


@dataclass(frozen=True, slots=True)
class RehearsalDocument:
    """`ready`: every part is right."""

    version: str
    config: str
    ready: bool
    steps: Sequence[RehearsedStepDocument]
    databases: Sequence[RehearsedDatabaseDocument]
    needed_octets: int  # of the store's disk, while it is brought up to date
    free_octets: int  # of that disk, beyond the reserve
    pause_seconds: float  # about: between the end of the old service's roles and the start of the new one's
    reversible: bool  # whether going back to the present schema loses nothing
    changes: Sequence[NoticedChangeDocument]
