"""The store while a new program that changes its schema is looked at, before it takes or sends any mail.

    nothing           the schema is that of the program that runs
    copies            being made: the databases are as they were
    copies, marker    the databases may be migrated; nothing was accepted or sent since the copies
    copies            the new program was kept, or the copies are back: they are not needed any more

Whichever program starts and finds the marker puts the copies back first. So a crash, or a power cut,
at any moment leaves a store that both programs can work with, and no mail is lost or sent twice. A new
program that is started so goes on to migrate as at any start.
"""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from secondpost.config.records import Config
from secondpost.mail.store_rooms import UPGRADE_COPY_ENDING, UPGRADE_HELD
from secondpost.processes.migrating import (
    DATABASES,
    MigratedDatabase,
    migrate_store,
    need_room_for_copies,
    older_databases,
    room_of,
    store_to_itself,
)
from secondpost.processes.own_rooms import is_anything_left
from secondpost.store.sqlite.held_copy import copy_held, put_held_back
from secondpost.store.sqlite.schema import Database
from secondpost.world.ports import DiskFailed
from secondpost.world.real.files import sync_folder

BESIDE = ("", "-wal", "-shm", "-journal")  # of a copy
COPIES = 2  # of each database: this one, and the one that every migration keeps


def is_schema_to_change(config: Config) -> bool:
    """Whether this program would migrate the store. Raises as `migrate_store` does."""
    return len(older_databases(config, passes_unreadable=True)) > 0


def hold_store(config: Config) -> tuple[MigratedDatabase, ...]:
    """Copy the databases that this program migrates, and migrate them; until `let_go` a start puts them
    back. Raises as `migrate_store` does.
    """
    with store_to_itself(config), _disk_faults(config):
        older = older_databases(config, passes_unreadable=True)
        _remove_copies(config)
        need_room_for_copies(config, older, copies=COPIES)
        for path in _paths(config, older):
            copy_held(path, f"{path}{UPGRADE_COPY_ENDING}")
            sync_folder(os.path.dirname(path))
        marker = _marker(config)
        os.close(os.open(marker, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        sync_folder(os.path.dirname(marker))
    return migrate_store(config, passes_unreadable=True)


def take_store_back(config: Config) -> bool:
    """Put the copies back if the store is held; whether it was. Raises as `migrate_store` does."""
    if not is_anything_left(config.store):
        return False
    with store_to_itself(config):
        was_held = os.path.exists(_marker(config))
        with _disk_faults(config):
            for path in _paths(config, DATABASES):
                copy = f"{path}{UPGRADE_COPY_ENDING}"
                if was_held and os.path.exists(copy):
                    put_held_back(copy, path)
        let_go(config)  # a copy without the marker is one that was being made, or is not needed any more
    return was_held


def let_go(config: Config) -> None:
    """The databases stay as they are now: mail may be taken. Raises DiskFailed."""
    with _disk_faults(config):
        marker = _marker(config)
        with suppress(FileNotFoundError):
            os.unlink(marker)
        sync_folder(os.path.dirname(marker))
        _remove_copies(config)


def _marker(config: Config) -> str:
    return os.path.join(config.store, UPGRADE_HELD)


def _paths(config: Config, databases: Collection[Database]) -> Iterator[str]:
    for database in databases:
        yield room_of(config, database).path(database.file_name)


def _remove_copies(config: Config) -> None:
    for path in _paths(config, DATABASES):
        for ending in BESIDE:
            with suppress(FileNotFoundError):
                os.unlink(f"{path}{UPGRADE_COPY_ENDING}{ending}")


@contextmanager
def _disk_faults(config: Config) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskFailed(f"holding the store {config.store}: {error.strerror}") from error
