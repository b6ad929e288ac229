"""Ways to make the store unsafe from outside: the suite must detect each of them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import apsw
import pytest

from simulation.disk.disk import RecordedDisk, RecordedOpenFile
from simulation.disk.recording import SyncTarget

Sabotage = Callable[[RecordedDisk], AbstractContextManager[None]]


@contextmanager
def nothing(disk: RecordedDisk) -> Iterator[None]:
    yield


def drop(kind: SyncTarget) -> Sabotage:
    """Syncs of this kind do nothing but report success."""

    @contextmanager
    def dropped(disk: RecordedDisk) -> Iterator[None]:
        disk.drop_sync(kind)
        yield

    return dropped


@contextmanager
def commits_are_not_synced(disk: RecordedDisk) -> Iterator[None]:
    """Like synchronous=NORMAL: SQLite syncs at checkpoints, but no commit is synced."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RecordedOpenFile, "sync", lambda self: None)
        yield


@contextmanager
def synchronous_is_off(disk: RecordedDisk) -> Iterator[None]:
    """Each new connection gets synchronous=OFF, and other settings are ignored."""

    def set_off(connection: apsw.Connection) -> None:
        if connection.open_vfs == disk.vfs:
            connection.pragma("synchronous", "OFF")

    disk.insist("synchronous", "OFF")
    apsw.connection_hooks.append(set_off)
    try:
        yield
    finally:
        apsw.connection_hooks.remove(set_off)
