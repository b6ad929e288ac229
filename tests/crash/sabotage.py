"""Ways to make the store unsafe without touching it: the suite must find out each of them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import apsw

from simulation.disk import RecordedDisk
from simulation.recording import Kind

Sabotage = Callable[[RecordedDisk], AbstractContextManager[None]]


@contextmanager
def nothing(disk: RecordedDisk) -> Iterator[None]:
    yield


def drop(kind: Kind) -> Sabotage:
    """Syncs of this kind do nothing, and say that they did."""

    @contextmanager
    def dropped(disk: RecordedDisk) -> Iterator[None]:
        disk.drop_sync(kind)
        yield

    return dropped


@contextmanager
def synchronous_is_normal(disk: RecordedDisk) -> Iterator[None]:
    """Each new connection gets synchronous=NORMAL, and whoever sets something else is not heard."""

    def set_normal(connection: apsw.Connection) -> None:
        if connection.open_vfs == disk.vfs:
            connection.pragma("synchronous", "NORMAL")

    disk.insist("synchronous", "NORMAL")
    apsw.connection_hooks.append(set_normal)
    try:
        yield
    finally:
        apsw.connection_hooks.remove(set_normal)
