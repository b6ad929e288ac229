"""What an upgrade has done so far, for the next one if it is killed; and the lock that there is only one."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum

import msgspec

from secondpost.world.real.files import replace_file, sync_folder

JOURNAL = "upgrade.json"
LOCK = "upgrade.lock"


class UpgradeStep(StrEnum):
    """What was under way."""

    INSTALLING = "installing"
    REHEARSING = "rehearsing"
    CHANGING = "changing"


class UpgradeUnderWay(msgspec.Struct, frozen=True):
    """`old_folder`, `new_folder`: where the two versions lie."""

    old: str
    new: str
    old_folder: str
    new_folder: str
    step: UpgradeStep


class SecondUpgrade(Exception):
    """Another upgrade goes on."""


class UpgradeJournal:
    """`folder` is there already, and its owner's alone to write in."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = os.path.join(folder, JOURNAL)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Raises SecondUpgrade and OSError."""
        lock = os.open(os.path.join(self._folder, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SecondUpgrade from None
            yield
        finally:
            os.close(lock)

    def read(self) -> UpgradeUnderWay | None:
        """What was not finished. A journal that makes no sense says nothing."""
        with suppress(FileNotFoundError, msgspec.DecodeError), open(self._path, "rb") as file:
            return msgspec.json.decode(file.read(), type=UpgradeUnderWay)
        return None

    def write(self, under_way: UpgradeUnderWay) -> None:
        """Durably. Raises OSError."""
        replace_file(self._path, msgspec.json.encode(under_way))

    def end(self) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._path)
            sync_folder(self._folder)
