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
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from secondpost.config.records import Config
from secondpost.mail.store_rooms import UPGRADE_HELD
from secondpost.store.sqlite.held_copy import is_schema_older, keep, put_back
from secondpost.store.sqlite.schema import Database
from secondpost.world.ports import DiskFailed
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.files import sync_folder

COPY_ENDING = "-before-upgrade"
BESIDE = ("", "-wal", "-shm", "-journal")  # of a copy
DATABASES = (Database.NEWSLETTER, Database.MAIL)


def is_schema_to_change(config: Config) -> bool:
    """Whether this program would migrate the store. Raises StoreRefused, StoreFull and DiskFailed."""
    return any(is_schema_older(path, database) for database, path in _paths(config))


def is_held(config: Config) -> bool:
    return os.path.exists(os.path.join(config.store, UPGRADE_HELD))


def hold_store(config: Config) -> None:
    """Copy the databases; from here on a start puts them back. No process may have them open.

    Raises StoreRefused, StoreFull and DiskFailed.
    """
    with _disk_faults(config):
        _remove_copies(config)
        for _, path in _paths(config):
            if os.path.exists(path):
                keep(path, f"{path}{COPY_ENDING}")
                sync_folder(os.path.dirname(path))
        marker = os.path.join(config.store, UPGRADE_HELD)
        os.close(os.open(marker, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        sync_folder(os.path.dirname(marker))


def go_back(config: Config) -> bool:
    """Put the copies back if the store is held; whether it was. Raises as `hold_store` does."""
    if not is_held(config):
        return False
    with _disk_faults(config):
        for _, path in _paths(config):
            copy = f"{path}{COPY_ENDING}"
            if os.path.exists(copy):
                put_back(copy, path)
    let_go(config)
    return True


def let_go(config: Config) -> None:
    """The databases stay as they are now: mail may be taken. Raises DiskFailed."""
    with _disk_faults(config):
        marker = os.path.join(config.store, UPGRADE_HELD)
        with suppress(FileNotFoundError):
            os.unlink(marker)
        sync_folder(os.path.dirname(marker))
        _remove_copies(config)


def _paths(config: Config) -> Iterator[tuple[Database, str]]:
    for database in DATABASES:
        yield database, RealDisk(config.store).path(database.path_name)


def _remove_copies(config: Config) -> None:
    for _, path in _paths(config):
        for ending in BESIDE:
            with suppress(FileNotFoundError):
                os.unlink(f"{path}{COPY_ENDING}{ending}")


@contextmanager
def _disk_faults(config: Config) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskFailed(f"holding the store {config.store}: {error.strerror}") from error
