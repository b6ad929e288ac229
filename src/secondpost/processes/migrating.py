"""Brings the databases up to date before anything opens them, or takes them back to an older schema.

Both need every process of the service to have ended. Only `serve` and `systemd --prepare-store` do the
first by themselves, and `secondpost upgrade --migrate`; a command that meets an older schema refuses.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.mail.kept_copy import KeptCopy
from secondpost.mail.size import size_text
from secondpost.processes.instance import SecondInstance
from secondpost.store.ports import StoreNewer, StoreRefused
from secondpost.store.sqlite.migrating import (
    keep_copy,
    migrate_database,
    room_for,
    schema_of,
    sweep_copies,
)
from secondpost.store.sqlite.schema import Database, newest_schema
from secondpost.store.verbs.workers import WORKERS_FOLDER
from secondpost.world.ports import DiskFull
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.room_disk import RoomDisk

# newsletter.db first: it refers to mail.db, never the other way round.
DATABASES = (Database.NEWSLETTER, Database.MAIL)
MIGRATING = "migrating.lock"
END_SECONDS_MAX = 10.0  # roles whose supervisor was killed need a moment to notice
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class MigratedDatabase:
    """`kept` is None if the owner went on without a copy."""

    database: Database
    old_schema: int
    schema: int
    kept: KeptCopy | None
    seconds: float  # of the migration, without the copy


def room_of(config: Config, database: Database) -> RoomDisk:
    return RoomDisk(RealDisk(config.store), database.room)


def older_databases(config: Config, *, passes_unreadable: bool) -> dict[Database, int]:
    """Their schemas, of those that this program would migrate. A file that is no database is passed over if
    `passes_unreadable`. Raises StoreNewer, StoreRefused, StoreUnavailable and DiskFailed.
    """
    found = {}
    for each in DATABASES:
        try:
            schema = schema_of(room_of(config, each), each)
        except StoreNewer:
            raise
        except StoreRefused:
            if not passes_unreadable:
                raise
            continue
        if 0 < schema < newest_schema(each):
            found[each] = schema
    return found


def migrate_store(
    config: Config,
    *,
    keeps_copy: bool = True,
    passes_unreadable: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> tuple[MigratedDatabase, ...]:
    """Migrate what is older than this program; a copy of each database is kept first.

    For the store's owner, before anything is opened. With `passes_unreadable`, a file that is no database
    is left to the roles that open it, so that the others can serve. `say` gets what is done now. Raises
    StoreNewer, StoreRefused, StoreUnavailable, SecondInstance while a process of the service works with it,
    DiskFull and DiskFailed.
    """
    if len(older_databases(config, passes_unreadable=passes_unreadable)) == 0:
        _sweep(config)
        return ()
    with store_to_itself(config):
        older = older_databases(
            config, passes_unreadable=passes_unreadable
        )  # another process may have done it meanwhile
        if keeps_copy:
            need_room_for_copies(config, older)
        migrated = tuple(_migrated(config, each, older[each], keeps_copy, say) for each in older)
        _sweep(config)
        return migrated


def need_room_for_copies(config: Config, older: dict[Database, int], copies: int = 1) -> None:
    """Raises DiskFull, with the ways out, if the disk has no room for so many copies of each, beyond the
    reserve.
    """
    sizes = [room_of(config, each).size(each.file_name) for each in older]
    needed = room_for(sizes * copies)
    free = RealDisk(config.store).free_octets() - config.reserve
    if free < needed:
        raise DiskFull(
            f"a new version changes the store {config.store}, and keeping a copy of it first needs about "
            f"{size_text(needed)}, but {size_text(max(free, 0))} are free beyond the reserve of "
            f"{size_text(config.reserve)}; free some space, install the older version again, or go on "
            "without a copy: secondpost upgrade --migrate --without-copy"
        )


def _migrated(
    config: Config, database: Database, schema: int, keeps_copy: bool, say: Callable[[str], None]
) -> MigratedDatabase:
    room, now_ms = room_of(config, database), RealClock().now_ms()
    name, newest = database.file_name, newest_schema(database)
    kept: KeptCopy | None = None
    if keeps_copy:
        total, done = room.size(name), 0

        def copied(octets: int) -> None:
            nonlocal done
            done = min(done + octets, total)
            say(f"keeping a copy of {name} first: {size_text(done)} of {size_text(total)}")

        kept = keep_copy(room, database, schema, now_ms, copied)
    say(f"bringing {name} from schema {schema} to {newest}")
    taken = migrate_database(
        room,
        database,
        now_ms,
        lambda migration, took: say(f"{name} has schema {migration.number} of {newest}"),
    )
    return MigratedDatabase(database, schema, newest, kept, taken.seconds)


def _sweep(config: Config) -> None:
    for each in DATABASES:
        sweep_copies(room_of(config, each), each, RealClock().now_ms())


@contextmanager
def store_to_itself(config: Config) -> Iterator[None]:
    """No worker of the service, of any version, has a database open while the body runs. Waits for
    those that are ending. Raises SecondInstance, DiskFull and DiskFailed.
    """
    polls = int(END_SECONDS_MAX / POLL_SECONDS)
    with ExitStack() as held:
        for database in DATABASES:
            room = room_of(config, database)
            if room.size(database.file_name) == 0:
                continue
            names = [MIGRATING, *(f"{WORKERS_FOLDER}/{name}" for name in room.names(WORKERS_FOLDER))]
            for name in names:
                while (lock := room.hold(name)) is None:
                    if polls == 0:
                        raise SecondInstance(_refusal(config))
                    polls -= 1
                    threading.Event().wait(POLL_SECONDS)
                held.callback(lock.release)
        yield


def _refusal(config: Config) -> str:
    return (
        f"a service, or one of its commands, works with the store {config.store}; stop it first: "
        "its databases change their schema"
    )
