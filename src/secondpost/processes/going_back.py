"""Takes the store back to the schema of an older version, so that it can be installed again.

Where every migration since can be undone, the databases are changed back in place and nothing is lost.
Otherwise the copy that was kept before the migration takes the database's place, and the newer database
is set aside.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from secondpost.config.records import Config
from secondpost.mail.kept_copy import KeptCopy
from secondpost.mail.snapshot import SnapshotFault
from secondpost.owner.upgrade_documents import WentBackDocument
from secondpost.processes.held_store import take_store_back
from secondpost.processes.migrating import DATABASES, room_of, store_to_itself
from secondpost.store.ports import StoreRefused
from secondpost.store.sqlite.kept import kept_copies
from secondpost.store.sqlite.migrating import migrate_database_back, schema_of
from secondpost.store.sqlite.schema import Database, Migration, newest_schema, steps_back
from secondpost.store.sqlite.set_aside import SetAside, can_hold, finish, put_back
from secondpost.world.real.clock import RealClock


@dataclass(frozen=True, slots=True)
class UndoneInPlace:
    """The migrations are undone, newest first: everything stays but what they added."""

    database: Database
    present: int
    schema: int
    steps: Sequence[Migration]


@dataclass(frozen=True, slots=True)
class CopyPutBack:
    """The copy takes the database's place."""

    database: Database
    present: int
    schema: int
    copy: KeptCopy


WayBack = UndoneInPlace | CopyPutBack


@dataclass(frozen=True, slots=True)
class WentBack:
    way: WayBack
    set_aside: SetAside | None  # None: undone in place


def ways_back(config: Config, to: int | None) -> list[WayBack]:
    """How each database goes back to schema `to` at most; none if it need not. None: the schema of this
    program if a newer one wrote the store, else that of the latest copy, unless it went back already.

    An upgrade that was cut short while callers waited is taken back first. Raises StoreRefused if there
    is no way.
    """
    take_store_back(config)
    with store_to_itself(config):
        for each in DATABASES:
            finish(room_of(config, each), each)
    ways = []
    for each in DATABASES:
        present = schema_of(room_of(config, each), each, refuses_newer=False)
        wanted = _wanted(config, each, present) if to is None else to
        if present > wanted:
            ways.append(_way(config, each, present, wanted))
    return ways


def _copies(config: Config, database: Database) -> list[KeptCopy]:
    return kept_copies(room_of(config, database).path(database.file_name))


def _wanted(config: Config, database: Database, present: int) -> int:
    if present > newest_schema(database):
        return newest_schema(database)
    if present < newest_schema(database):
        return present  # it went back already: to repeat the command must not take it a version further
    older = [copy.schema for copy in _copies(config, database) if copy.schema < present]
    return present if len(older) == 0 else older[-1]


def _way(config: Config, database: Database, present: int, to: int) -> WayBack:
    steps = steps_back(database, present, to)
    if steps is not None:
        return UndoneInPlace(database, present, to, steps)
    copies = [copy for copy in _copies(config, database) if copy.schema <= to and can_hold(copy)]
    if len(copies) == 0:
        raise StoreRefused(
            f"{database.file_name} cannot go back from schema {present} to {to}: not every change since "
            "can be undone, and no usable copy was kept from before them; restore a "
            "snapshot made before the upgrade"
        )
    return CopyPutBack(database, present, copies[-1].schema, copies[-1])


def go_back(
    config: Config, ways: Sequence[WayBack], say: Callable[[str], None] = lambda text: None
) -> tuple[WentBack, ...]:
    """Take these ways, for the store's owner while the service is stopped; may be repeated after a crash.

    Raises SecondInstance while a process of the service runs, and what opening a store raises.
    """
    with store_to_itself(config):
        return tuple(_went(config, way, say) for way in ways)


def _went(config: Config, way: WayBack, say: Callable[[str], None]) -> WentBack:
    room, name = room_of(config, way.database), way.database.file_name
    say(f"taking {name} back from schema {way.present} to {way.schema}")
    match way:
        case UndoneInPlace():
            migrate_database_back(room, way.database, way.steps)
            return WentBack(way, None)
        case CopyPutBack():
            now_ms = RealClock().now_ms()
            try:
                return WentBack(way, put_back(room, way.database, way.copy, way.present, now_ms))
            except SnapshotFault as fault:
                raise StoreRefused(f"{name} cannot be set aside: {fault}") from None


def way_document(way: WayBack) -> WentBackDocument:
    """The way before it is taken."""
    copy = way.copy.path if isinstance(way, CopyPutBack) else None
    return WentBackDocument(way.database.file_name, way.present, way.schema, copy, None, None, None, None)


def went_document(went: WentBack) -> WentBackDocument:
    document, aside = way_document(went.way), went.set_aside
    if aside is None:
        return document
    return replace(
        document,
        set_aside=aside.folder,
        sent_log=aside.sent_log,
        messages=aside.messages,
        left_readers=aside.left_readers,
    )
