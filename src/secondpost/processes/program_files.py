"""The versions of the program on this machine, for an upgrade."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from secondpost import __version__
from secondpost.processes.upgrade_talk import Upgrade
from secondpost.processes.upgrading import ProgramFiles
from secondpost.protocols.osv.version_orders import VersionUnreadable, python_order
from secondpost.roles.installation import InstalledAs, this_installation
from secondpost.world.real.program_place import ProgramPlace, interpreter_of
from secondpost.world.real.wheel_file import WheelFile, WheelRefused, read_wheel

FOLDER_MODE = 0o755


class InstallRefused(Exception):
    """This file cannot be installed here. The text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class NewPackage:
    """`is_newer`: than the version that runs this command."""

    version: str
    is_newer: bool


class NewFiles(ProgramFiles, Protocol):
    """`rehearsed`: the interpreter of the new version, before the service takes it."""

    @property
    def rehearsed(self) -> str: ...

    def forget(self) -> None:
        """It is not taken."""


class InstalledPrograms(Protocol):
    """`folder` has the journal and the lock; a version is known by its own folder."""

    @property
    def folder(self) -> str: ...

    def read(self, path: str) -> NewPackage:
        """Raises InstallRefused."""

    def folder_of(self, version: str) -> str: ...

    def install(self, wheels: str | None) -> NewFiles:
        """The package that was read, beside what runs. Raises InstallRefused, ProgramFailed and OSError."""

    def is_used(self, folder: str) -> bool:
        """Whether the command leads to the version in this folder."""

    def use(self, folder: str) -> None:
        """Let the command lead to the version in this folder. Raises OSError."""


@contextmanager
def installed_programs() -> Iterator[InstalledPrograms]:
    """As this command itself was installed. Raises InstallRefused and OSError."""
    here = this_installation()
    match here.installed_as:
        case InstalledAs.CHECKOUT:
            raise InstallRefused(
                f"Secondpost runs from a checkout in {here.folder}: get the new version there, and restart it"
            )
        case InstalledAs.WHEEL:
            yield WheelPrograms(ProgramPlace.here())
        case InstalledAs.DEBIAN:
            raise InstallRefused(
                "Secondpost is installed as a Debian package here: use the new version's secondpost_*.deb"
            )


class WheelPrograms:
    def __init__(self, place: ProgramPlace) -> None:
        self._place = place
        self._wheel: WheelFile | None = None
        self.folder = place.versions
        os.makedirs(self.folder, mode=FOLDER_MODE, exist_ok=True)

    def read(self, path: str) -> NewPackage:
        try:
            self._wheel = wheel = read_wheel(path)
            return NewPackage(wheel.version, python_order(wheel.version, __version__) > 0)
        except (WheelRefused, VersionUnreadable) as refused:
            raise InstallRefused(str(refused)) from None

    def folder_of(self, version: str) -> str:
        here = os.path.abspath(sys.prefix)
        return here if version == __version__ else self._place.folder(version)

    def install(self, wheels: str | None) -> "WheelFiles":
        assert self._wheel is not None  # it was read before
        if self._wheel.version == __version__:
            raise InstallRefused(f"version {__version__} is installed already, in {sys.prefix}")
        self._place.install(self._wheel, wheels)
        return WheelFiles(self._place, self.folder_of(__version__), self.folder_of(self._wheel.version))

    def is_used(self, folder: str) -> bool:
        return self._place.used() == os.path.realpath(folder)

    def use(self, folder: str) -> None:
        if not self.is_used(folder):
            self._place.use(folder)


class WheelFiles:
    """`old`, `new`: the folders of the two versions."""

    def __init__(self, place: ProgramPlace, old: str, new: str) -> None:
        self._place = place
        self._old = old
        self._new = new
        self.rehearsed = interpreter_of(new)
        self.interpreters = Upgrade(interpreter_of(new), interpreter_of(old))

    def use_new(self) -> None:
        self._place.use(self._new)

    def use_old(self) -> None:
        if self._place.used() != os.path.realpath(self._old):
            self._place.use(self._old)

    def forget(self) -> None:
        """It stays installed beside the others: the next upgrade finds it."""
