"""Where versions of the program that were installed from wheels lie, and the link that says which is used.

    /opt/secondpost/                    the first version, a virtual environment
    /opt/secondpost/bin/secondpost      the command: a link into one of the versions below, or its own
    /opt/secondpost/bin/secondpost-first  its own command, once the link has taken its name
    /opt/secondpost/versions/0.2/       a later version, a virtual environment

No file of a version is changed after it was installed, so that processes which still run it find what
they were started with.
"""

import os
import shutil
import sys
from dataclasses import dataclass

from secondpost.world.real.files import sync_folder
from secondpost.world.real.locked_libraries import copy_libraries
from secondpost.world.real.programs import output_of
from secondpost.world.real.wheel_file import WheelFile

VERSIONS = "versions"
COMPLETE = "complete"  # the file in a version's folder that says that all of it was installed
COMMAND = os.path.join("bin", "secondpost")
INSTALL_SECONDS_MAX = 1800.0
PLAIN_MASK = 0o022  # every user may run the program


@dataclass(frozen=True, slots=True)
class ProgramPlace:
    """`root`: the folder of the first version."""

    root: str

    @classmethod
    def here(cls) -> "ProgramPlace":
        """That of the version that runs now."""
        prefix = os.path.abspath(sys.prefix)
        folder, versions = os.path.dirname(prefix), os.path.basename(os.path.dirname(prefix))
        return cls(os.path.dirname(folder) if versions == VERSIONS else prefix)

    @property
    def versions(self) -> str:
        return os.path.join(self.root, VERSIONS)

    @property
    def command(self) -> str:
        return os.path.join(self.root, COMMAND)

    def folder(self, version: str) -> str:
        return os.path.join(self.versions, version)

    def is_installed(self, version: str) -> bool:
        return os.path.exists(os.path.join(self.folder(version), COMPLETE))

    def install(self, wheel: WheelFile, wheels: str | None) -> str:
        """Install it beside the others; returns its interpreter. `wheels`: a folder with libraries, from
        which alone they are taken. Raises ProgramFailed and OSError.
        """
        place = self.folder(wheel.version)
        python = interpreter_of(place)
        if self.is_installed(wheel.version):
            return python
        shutil.rmtree(place, ignore_errors=True)  # of an installation that was cut short
        mask = os.umask(PLAIN_MASK)
        try:
            os.makedirs(self.versions, exist_ok=True)
            output_of(sys.executable, "-m", "venv", place, seconds_max=INSTALL_SECONDS_MAX)
            modules = os.path.join(place, "lib", f"python3.{sys.version_info.minor}", "site-packages")
            copy_libraries(wheel.lock, modules)
            self._install_with_pip(python, place, wheel, wheels)
            _write_durably(os.path.join(place, COMPLETE), wheel.version)
        finally:
            os.umask(mask)
        return python

    def _install_with_pip(self, python: str, place: str, wheel: WheelFile, wheels: str | None) -> None:
        lock = os.path.join(place, "requirements.lock")
        with open(lock, "wb") as file:
            file.write(wheel.lock)
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
        offline = () if wheels is None else ("--no-index", "--find-links", wheels)
        locked = ("--require-hashes", "--only-binary", ":all:", "-r", lock)
        output_of(*pip, *offline, *locked, seconds_max=INSTALL_SECONDS_MAX)
        output_of(*pip, "--no-index", wheel.path, seconds_max=INSTALL_SECONDS_MAX)

    def used(self) -> str:
        """The folder of the version that the command leads to."""
        return os.path.dirname(os.path.dirname(os.path.realpath(self.command)))

    def use(self, folder: str) -> None:
        """Let the command lead to the version in this folder, in one step. Raises OSError."""
        own = self._own_command()
        target = own if folder == self.root else os.path.join(folder, COMMAND)
        unfinished = f"{self.command}~"
        if os.path.lexists(unfinished):
            os.unlink(unfinished)
        os.symlink(os.path.relpath(target, os.path.dirname(self.command)), unfinished)
        os.replace(unfinished, self.command)
        sync_folder(os.path.dirname(self.command))

    def _own_command(self) -> str:
        """The first version's own command, kept under another name."""
        kept = f"{self.command}-first"
        if not os.path.lexists(kept):
            os.link(self.command, kept)
        return kept


def interpreter_of(place: str) -> str:
    return os.path.join(place, "bin", "python")


def _write_durably(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(os.path.dirname(path))
