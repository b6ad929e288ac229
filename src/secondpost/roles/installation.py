"""What is installed here: version and commit, the libraries that matter, and how it was installed."""

import sysconfig
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path

import msgspec

from secondpost import __version__
from secondpost.store.sqlite.connection import library_version
from secondpost.world.real.machine import library_versions

_DEBIAN = "debian"  # what the Debian package writes into INSTALLER, where pip writes "pip"


class InstalledAs(StrEnum):
    DEBIAN = "Debian package"
    WHEEL = "wheel"
    CHECKOUT = "checkout"


@dataclass(frozen=True, slots=True)
class Installation:
    version: str
    commit: str | None  # None if it is not known
    installed_as: InstalledAs
    folder: str  # of the virtual environment, or of the checkout
    libraries: dict[str, str]  # name to version


def this_installation() -> Installation:
    package = files("secondpost")
    commit = package / "commit.txt"
    installed_as = _installed_as()
    return Installation(
        version=__version__,
        commit=commit.read_text(encoding="ascii").strip() if commit.is_file() else None,
        installed_as=installed_as,
        folder=str(Path(str(package)).parent.parent)
        if installed_as is InstalledAs.CHECKOUT
        else sysconfig.get_path("data"),
        libraries={"SQLite": library_version(), **library_versions()},
    )


def _installed_as() -> InstalledAs:
    try:
        installed = distribution("secondpost")
    except PackageNotFoundError:  # `python -m secondpost` in the folder src
        return InstalledAs.CHECKOUT
    if _is_editable(installed):
        return InstalledAs.CHECKOUT
    by = installed.read_text("INSTALLER")
    return InstalledAs.DEBIAN if by is not None and by.strip() == _DEBIAN else InstalledAs.WHEEL


class _Folder(msgspec.Struct, frozen=True):
    editable: bool = False


class _Origin(msgspec.Struct, frozen=True):
    """direct_url.json: PEP 610."""

    dir_info: _Folder = _Folder()


def _is_editable(installed: Distribution) -> bool:
    text = installed.read_text("direct_url.json")
    return text is not None and msgspec.json.decode(text, type=_Origin).dir_info.editable
