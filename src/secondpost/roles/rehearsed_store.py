"""The copy of a store on which a version is rehearsed: made, migrated, examined, and removed."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from secondpost.mail.size import size_text
from secondpost.owner.rehearsal_documents import MigrationTimeDocument, RehearsedDatabaseDocument
from secondpost.store.sqlite.copying import DatabaseCopy, copy_database
from secondpost.store.sqlite.migrating import migrate_database
from secondpost.store.sqlite.schema import Database, Migration, newest_schema
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.room_disk import RoomDisk

PREFIX = ".secondpost-rehearsal-"  # of the copy's folder; the number of the process follows


@dataclass(frozen=True, slots=True)
class RehearsedStore:
    """`store` is only read; `folder` gets the copy."""

    store: str
    folder: str
    say: Callable[[str], None]
    _clock: RealClock = field(default_factory=RealClock)

    def databases(self) -> list[Database]:
        """Those that are there, mail.db first, as a snapshot copies them."""
        return [each for each in Database if os.path.exists(self._path(each))]

    def octets(self, database: Database) -> int:
        return os.stat(self._path(database)).st_size

    def _path(self, database: Database) -> str:
        """In its room, or where versions before rooms had it."""
        flat = os.path.join(self.store, database.file_name)
        return flat if os.path.exists(flat) else os.path.join(self.store, database.path_name)

    def copied(self, database: Database) -> float:
        """Copy it while the service uses it, durably; returns the seconds. Raises SnapshotFault, OSError,
        DiskFull and DiskFailed.
        """
        room = RoomDisk(RealDisk(self.folder), database.room)
        room.make_folder("")
        total, done = self.octets(database), 0

        def progress(octets: int) -> None:
            nonlocal done
            done = min(done + octets, total)
            self.say(f"copying {database.file_name}: {size_text(done)} of {size_text(total)}")

        began = self._clock.now_ms()
        copy_database(self._path(database), room.path(database.file_name), progress)
        copied = room.open(database.file_name)
        try:
            copied.sync()  # what keeping a copy takes as well
        finally:
            copied.close()
        return (self._clock.now_ms() - began) / 1000

    def migrated(self, database: Database, copy_seconds: float) -> RehearsedDatabaseDocument:
        """Migrate the copy as the store would be, and examine it. Raises what opening a store raises, and
        SnapshotFault.
        """
        room = RoomDisk(RealDisk(self.folder), database.room)
        copy = DatabaseCopy(room.path(database.file_name), database)
        schema, writer, octets = copy.schema(), copy.writer(), room.size(database.file_name)
        times: list[MigrationTimeDocument] = []

        def applied(migration: Migration, seconds: float) -> None:
            times.append(MigrationTimeDocument(migration.number, migration.name, round(seconds, 3)))
            self.say(f"{database.file_name} has schema {migration.number}")

        taken = migrate_database(room, database, self._clock.now_ms(), applied)
        self.say(f"examining {database.file_name}")
        copy.examine()
        return RehearsedDatabaseDocument(
            name=database.file_name,
            writer=writer,
            schema=schema,
            new_schema=newest_schema(database),
            octets=octets,
            copy_seconds=round(copy_seconds, 3),
            migrations=tuple(times),
            migration_seconds=round(taken.seconds, 3),
            log_octets=taken.log_octets,
            growth=room.size(database.file_name) - octets,
        )


@contextmanager
def copy_folder(folder: str) -> Iterator[str]:
    path = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=folder)  # mode 0700
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def sweep_copies(folder: str) -> None:
    """Remove what our rehearsals left in the folder whose process was killed. Raises OSError."""
    for entry in list(os.scandir(folder)):
        number = re.fullmatch(rf"{re.escape(PREFIX)}(\d+)-\w+", entry.name)
        if number is None or not entry.is_dir(follow_symlinks=False):
            continue
        if entry.stat(follow_symlinks=False).st_uid == os.geteuid() and not _lives(int(number[1])):
            shutil.rmtree(entry.path)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
