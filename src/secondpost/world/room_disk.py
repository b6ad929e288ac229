"""A room of the store as a disk of its own, and the making of all rooms."""

from secondpost.mail.store_rooms import StoreRoom
from secondpost.world.ports import Disk, DiskFile, Held, OpenFile


def make_rooms(disk: Disk) -> None:
    """Make the folders of all rooms, synced; existing ones are kept. Raises DiskFull and DiskFailed."""
    for room in StoreRoom:
        disk.make_folder(room.folder)


class RoomDisk:
    """The Disk port for names in one room of the store, on the disk of the whole store."""

    def __init__(self, store: Disk, room: StoreRoom) -> None:
        self._store = store
        self._folder = room.folder

    @property
    def vfs(self) -> str | None:
        return self._store.vfs

    def path(self, name: str) -> str:
        return self._store.path(self._below(name))

    def make_folder(self, name: str) -> None:
        self._store.make_folder(self._below(name))

    def create(self, name: str) -> DiskFile:
        return self._store.create(self._below(name))

    def open(self, name: str) -> OpenFile:
        return self._store.open(self._below(name))

    def sync_database(self, name: str) -> None:
        self._store.sync_database(self._below(name))

    def sync_folder(self, name: str) -> None:
        self._store.sync_folder(self._below(name))

    def read(self, name: str, offset: int, octets: int) -> bytes:
        return self._store.read(self._below(name), offset, octets)

    def size(self, name: str) -> int:
        return self._store.size(self._below(name))

    def names(self, folder: str) -> list[str]:
        return self._store.names(self._below(folder))

    def remove(self, name: str) -> None:
        self._store.remove(self._below(name))

    def free_octets(self) -> int:
        return self._store.free_octets()

    def identity(self, name: str) -> str:
        return self._store.identity(self._below(name))

    def hold(self, name: str) -> Held | None:
        return self._store.hold(self._below(name))

    def _below(self, name: str) -> str:
        return self._folder if len(name) == 0 else f"{self._folder}/{name}"
