"""Makes a snapshot of the store and of its configuration, while the service runs or not."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from secondpost import __version__
from secondpost.config.records import Config
from secondpost.mail.content import CONTENT_FOLDER
from secondpost.mail.size import size_text
from secondpost.mail.snapshot import (
    CONFIGURATION,
    FORMAT,
    NAMED_FOLDER,
    STORE_FOLDER,
    Manifest,
    SnapshotFault,
    is_member_name,
)
from secondpost.mail.store_rooms import StoreRoom
from secondpost.store.sqlite.copying import DatabaseCopy, copy_database
from secondpost.store.sqlite.leaving import CONTENT_HOLD
from secondpost.store.sqlite.schema import Database
from secondpost.world.ports import Held
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.snapshot_writer import SnapshotWriter
from secondpost.world.room_disk import RoomDisk

# What lies directly in these is saved; the answers to challenges, below `acme`, are not.
KEY_ROOMS = (StoreRoom.KEYS, StoreRoom.LINKS, StoreRoom.TLS, StoreRoom.ACME)
HOLD_SECONDS_MAX = 30.0  # for processes that are removing files, which takes milliseconds
HOLD_POLL_SECONDS = 0.05
SPARE_OCTETS = 64 * 1024 * 1024  # of the disk that takes the snapshot: heads, manifest, rounding

Progress = Callable[[int, int], None]  # octets done, and of how many


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """The configuration, and by path the files that it names, read while still root."""

    text: bytes
    files: Mapping[str, bytes]
    secrets: frozenset[str]


def need_room(folder: str, octets: int) -> None:
    """Raises SnapshotFault unless the disk of the folder has so much room."""
    free = shutil.disk_usage(folder).free
    if free < octets + SPARE_OCTETS:
        raise SnapshotFault(
            f"the disk of {folder} has {size_text(free)} free, and about {size_text(octets)} are needed; "
            "free some space, or name another disk"
        )


class SnapshotSaving:
    """`temporary` is a folder for copies of the databases; all of it is removed again."""

    def __init__(self, config: Config, named: NamedFiles, temporary: str, progress: Progress) -> None:
        self._config = config
        self._named = named
        self._temporary = temporary
        self._progress = progress
        self._rooms = {each: RoomDisk(RealDisk(config.store), each.room) for each in Database}
        self._databases = [each for each in Database if os.path.exists(self._path(each))]
        self._done, self._total = 0, 2 * self._database_octets()

    def _path(self, database: Database) -> str:
        return self._rooms[database].path(database.file_name)

    def octets(self) -> int:
        """About as many as the snapshot will have."""
        folders = [self._rooms[each].path(CONTENT_FOLDER) for each in self._databases]
        contents = sum(os.stat(path).st_size for folder in folders for path in _files_in(folder))
        return self._database_octets() + contents

    def _database_octets(self) -> int:
        return sum(os.stat(self._path(each)).st_size for each in self._databases)

    def _has_done(self, octets: int) -> None:
        self._done += octets
        self._progress(self._done, max(self._total, self._done))

    async def save(self, to: BinaryIO) -> Manifest:
        """Raises SnapshotFault and OSError."""
        if Database.MAIL not in self._databases:
            raise SnapshotFault(f"there is no mail.db in {self._config.store} yet: start the service once")
        need_room(self._temporary, self._database_octets())
        made_ms = RealClock().now_ms()
        writer = SnapshotWriter(to, made_ms, self._has_done)
        with tempfile.TemporaryDirectory(prefix=".secondpost-snapshot-", dir=self._temporary) as folder:
            # mail.db first: what happens between the two is then done again from mail.db, and counts
            # once in newsletter.db.
            copies = {each: await self._saved(each, folder, writer) for each in self._databases}
            for database, copy in copies.items():
                writer.add_file(f"{STORE_FOLDER}{database.path_name}", copy.path)
            self._add_keys(writer)
            self._add_configuration(writer)
            manifest = self._manifest(made_ms, copies, writer)
        writer.finish(manifest)
        return manifest

    async def _saved(self, database: Database, folder: str, writer: SnapshotWriter) -> DatabaseCopy:
        """Copy a database, and save the content files that the copy needs, which stay meanwhile."""
        room, copy = self._rooms[database], DatabaseCopy(os.path.join(folder, database.file_name), database)
        async with _content_held(room):
            copy_database(self._path(database), copy.path, self._has_done)
            needed = copy.content_files()
            self._total += sum(room.size(name) for name in needed)
            for name in needed:
                writer.add_file(f"{STORE_FOLDER}{database.room.folder}/{name}", room.path(name))
        return copy

    def _add_keys(self, writer: SnapshotWriter) -> None:
        for room in KEY_ROOMS:
            for path in _files_in(os.path.join(self._config.store, room.folder)):
                name = f"{STORE_FOLDER}{room.folder}/{os.path.basename(path)}"
                if is_member_name(name):
                    writer.add_file(name, path, is_secret=True)

    def _add_configuration(self, writer: SnapshotWriter) -> None:
        path = os.path.abspath(self._config.path)
        writer.add(CONFIGURATION, self._named.text, path=path)
        for n, (path, data) in enumerate(sorted(self._named.files.items()), 1):
            name = f"{NAMED_FOLDER}{n}"
            writer.add(name, data, is_secret=path in self._named.secrets, path=path)

    def _manifest(
        self, made_ms: int, copies: Mapping[Database, DatabaseCopy], writer: SnapshotWriter
    ) -> Manifest:
        return Manifest(
            format=FORMAT,
            version=__version__,
            hostname=str(self._config.hostname),
            made_ms=made_ms,
            store=os.path.abspath(self._config.store),
            identity=self._rooms[Database.MAIL].identity(Database.MAIL.file_name),
            schemas={each.file_name: copy.schema() for each, copy in copies.items()},
            counts={each.file_name: copy.counts() for each, copy in copies.items()},
            files=tuple(writer.files),
        )


@asynccontextmanager
async def _content_held(room: RoomDisk) -> AsyncIterator[None]:
    """No process removes content files while the body runs. Raises SnapshotFault."""
    held: Held | None = None
    for _ in range(int(HOLD_SECONDS_MAX / HOLD_POLL_SECONDS)):
        held = room.hold(CONTENT_HOLD)
        if held is not None:
            break
        await asyncio.sleep(HOLD_POLL_SECONDS)
    if held is None:
        raise SnapshotFault("another snapshot is being made; try again when it is done")
    try:
        yield
    finally:
        held.release()


def _files_in(folder: str) -> Iterator[str]:
    """The regular files directly in a folder, in order; none if it does not exist."""
    if os.path.isdir(folder):
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.is_file(follow_symlinks=False):
                yield entry.path
