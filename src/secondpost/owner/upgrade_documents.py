"""The JSON documents of `secondpost upgrade --migrate` and `--back`."""

from dataclasses import dataclass

from secondpost.mail.kept_copy import KeptCopy


@dataclass(frozen=True, slots=True)
class MigratedDatabaseDocument:
    """`copy`: the path of the database as it was, or null."""

    database: str
    old_schema: int
    schema: int
    copy: str | None


@dataclass(frozen=True, slots=True)
class MigratedDocument:
    """The document of `upgrade --migrate`: the databases that were older."""

    databases: list[MigratedDatabaseDocument]


@dataclass(frozen=True, slots=True)
class WentBackDocument:
    """A database on its way back. The last four are null if its changes are undone in place."""

    database: str
    old_schema: int
    schema: int
    copy: str | None  # the path of the one that is put back
    set_aside: str | None  # the folder of the newer database, a store of its own
    sent_log: str | None
    messages: int | None  # that came since, and wait in the newer database
    left_readers: int | None  # who left since, and are active in the copy


@dataclass(frozen=True, slots=True)
class BackDocument:
    """The document of `upgrade --back`: the databases that went back."""

    databases: list[WentBackDocument]


def migrated_document(
    database: str, old_schema: int, schema: int, kept: KeptCopy | None
) -> MigratedDatabaseDocument:
    return MigratedDatabaseDocument(database, old_schema, schema, None if kept is None else kept.path)
