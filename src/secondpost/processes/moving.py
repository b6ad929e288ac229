"""Moves a store that lies in one folder, as older versions left it, into its rooms.

Each step is a rename, or removes what nothing needs, and is done if its source is still there: after
a crash the next start goes on where this one ended (docs/store.md has the states). The databases go
last; before, the log of each is copied into it, so that it is one file.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress

from secondpost.config.records import Config
from secondpost.mail.content import CONTENT_FOLDER
from secondpost.mail.store_rooms import StoreRoom
from secondpost.processes.instance import SecondInstance, hold_service, older_instance
from secondpost.processes.user import UserRefused
from secondpost.store.ports import StoreUnavailable
from secondpost.store.sqlite.flat_file import settle_database
from secondpost.store.sqlite.schema import Database
from secondpost.store.verbs.workers import WORKERS_FOLDER
from secondpost.world.ports import DiskFailed
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.files import sync_folder
from secondpost.world.room_disk import make_rooms

FLAT_LINK_KEYS = "keys/links.keys"
# Files of older versions that mean nothing to another process.
FLAT_LOCKS = ("deliver.lock", "publish.lock", "fetch.lock")
FLAT_SOCKETS = ("deliver.socket", "deliver.hints", "alarms.socket", "fetch.socket", "posts.socket")
DATABASES = (Database.NEWSLETTER, Database.MAIL)


def settle_in(config: Config) -> bool:
    """As the store's owner: move what lies flat, and make missing rooms. Whether anything was moved.

    Raises as `move_flat_store` does.
    """
    is_moved = move_flat_store(config)
    make_rooms(RealDisk(config.store))
    return is_moved


def lies_flat(store: str) -> bool:
    """Whether anything is left to move."""
    return any(os.path.lexists(os.path.join(store, name)) for name in _flat_names(store))


def move_flat_store(config: Config) -> bool:
    """Move what still lies flat; whether there was anything. For the store's owner, before anything is
    opened.

    Raises UserRefused, SecondInstance if a service of an older version works with it, StoreRefused,
    StoreFull, DiskFull and DiskFailed.
    """
    if not lies_flat(config.store):
        return False
    disk = RealDisk(config.store)
    with ExitStack() as held:
        held.callback(hold_service(disk, config).release)
        _hold_older_locks(disk, config, held)
        try:
            make_rooms(disk)
            _move(disk, config)
        except StoreUnavailable:
            raise SecondInstance(older_instance(config)) from None
        except OSError as error:
            raise DiskFailed(f"moving the store {config.store} into its rooms: {error.strerror}") from error
    return True


def _flat_names(store: str) -> Iterator[str]:
    yield from (CONTENT_FOLDER, WORKERS_FOLDER, FLAT_LINK_KEYS, *FLAT_LOCKS, *FLAT_SOCKETS)
    with suppress(FileNotFoundError, PermissionError):
        yield from (name for name in os.listdir(store) if _database_of(name) is not None)


def _database_of(name: str) -> Database | None:
    """The database to which a flat file belongs: itself, or what SQLite and we have beside it."""
    for database in DATABASES:
        if name == database.file_name or name.startswith(f"{database.file_name}-"):
            return database
    return None


def _hold_older_locks(disk: RealDisk, config: Config, held: ExitStack) -> None:
    """Take the locks of an older version: each of its running roles and workers holds one of them."""
    workers = [f"{WORKERS_FOLDER}/{name}" for name in disk.names(WORKERS_FOLDER)]
    for name in (*FLAT_LOCKS, *workers):
        if os.path.lexists(disk.path(name)):
            lock = disk.hold(name)
            if lock is None:
                raise SecondInstance(older_instance(config))
            held.callback(lock.release)


def _move(disk: RealDisk, config: Config) -> None:
    for name in (*FLAT_SOCKETS, *FLAT_LOCKS):
        disk.remove(name)
    _remove_workers(disk)
    _rename(disk, config, FLAT_LINK_KEYS, f"{StoreRoom.LINKS.folder}/links.keys")
    _move_content(disk, config)
    for database in DATABASES:
        _move_database(disk, config, database)


def _remove_workers(disk: RealDisk) -> None:
    """Their locks are not needed to sweep what dead workers left: a missing lock is free."""
    for name in disk.names(WORKERS_FOLDER):
        disk.remove(f"{WORKERS_FOLDER}/{name}")
    with suppress(FileNotFoundError):
        os.rmdir(disk.path(WORKERS_FOLDER))


def _move_content(disk: RealDisk, config: Config) -> None:
    target = f"{StoreRoom.MAIL.folder}/{CONTENT_FOLDER}"
    disk.make_folder(target)
    for name in disk.names(CONTENT_FOLDER):
        _rename(disk, config, f"{CONTENT_FOLDER}/{name}", f"{target}/{name}", synced=False)
    disk.sync_folder(target)
    with suppress(FileNotFoundError):
        os.rmdir(disk.path(CONTENT_FOLDER))


def _move_database(disk: RealDisk, config: Config, database: Database) -> None:
    flat = database.file_name
    if os.path.lexists(disk.path(flat)):
        if os.path.lexists(disk.path(database.path_name)):
            raise UserRefused(_both_there(disk, flat, database.path_name))
        settle_database(disk, flat)
    for name in disk.names(""):
        if _database_of(name) is database and name != flat:
            # Of the log only an empty file may be left, or one that a power cut brought back.
            if name.endswith(("-wal", "-shm", "-journal")):
                disk.remove(name)
            else:
                _rename(disk, config, name, f"{database.room.folder}/{name}")
    _rename(disk, config, flat, database.path_name)


def _rename(disk: RealDisk, config: Config, source: str, target: str, *, synced: bool = True) -> None:
    """Does nothing if the source is not there any more."""
    if not os.path.lexists(disk.path(source)):
        return
    if os.path.lexists(disk.path(target)):
        raise UserRefused(_both_there(disk, source, target))
    os.rename(disk.path(source), disk.path(target))
    if synced:
        sync_folder(os.path.dirname(disk.path(target)))
        sync_folder(os.path.dirname(disk.path(source)))


def _both_there(disk: RealDisk, source: str, target: str) -> str:
    return (
        f"{disk.path(source)} of an older version and {disk.path(target)} are both there; "
        "move away the one that you do not need"
    )
