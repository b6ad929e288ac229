"""The Debian package of this program: another version read, unpacked and installed, and the installed one
made a package again, for the way back.

dpkg keeps no package that it has installed, so the former one is built from what it knows of it: its
list of files, its fields and its scripts (dpkg-query(1)). Files that the machine left out stay out.
"""

import os
import shutil
from dataclasses import dataclass

from secondpost.world.real.programs import answer_of, output_of

PACKAGE = "secondpost"
FOLDER = "/var/cache/secondpost"  # removed with the package, when that is purged
INTERPRETER = "usr/lib/secondpost/bin/python3"
LEAVES_SERVICE_ALONE = "SECONDPOST_UPGRADE=1"  # debian/postinst neither writes units nor restarts
DPKG_SECONDS_MAX = 900.0
NOT_OF_A_PACKAGE = ("Status:", "Conffiles:")  # fields that only dpkg's own table has


class PackageRefused(Exception):
    """This file cannot be installed here. The text says why."""


@dataclass(frozen=True, slots=True)
class DebianPackage:
    """`is_newer`: than the one that is installed, in dpkg's order."""

    path: str
    version: str
    installed: str
    is_newer: bool


def read_package(path: str) -> DebianPackage:
    """Raises PackageRefused, and ProgramFailed without dpkg."""
    if not os.path.isfile(path):
        raise PackageRefused(f"{path} is no file")
    whole = os.path.abspath(path)
    said = answer_of("dpkg-deb", "--field", whole, "Package", "Version", "Architecture")
    if said.code != 0:
        raise PackageRefused(f"{path} is no Debian package: {' '.join(said.failure.split())}")
    fields = dict(line.split(": ", 1) for line in said.printed.splitlines() if ": " in line)
    name, version = fields.get("Package"), fields.get("Version", "")
    if name != PACKAGE:
        raise PackageRefused(f"{path} is the package {name}, not {PACKAGE}")
    here = output_of("dpkg", "--print-architecture").strip()
    if fields.get("Architecture") not in (here, "all"):
        raise PackageRefused(f"{path} is made for {fields.get('Architecture')}, and this machine is {here}")
    installed = output_of("dpkg-query", "--show", "--showformat=${Version}", PACKAGE).strip()
    _need_no_other_package(whole)
    order = answer_of("dpkg", "--compare-versions", version, "gt", installed)
    return DebianPackage(whole, version, installed, order.code == 0)


def _need_no_other_package(path: str) -> None:
    """Also refuses a package that is made for another release of Debian, whose Python is another."""
    words = ("apt-get", "--simulate", "--quiet", "--quiet", "--no-remove", "--no-install-recommends")
    said = answer_of(*words, "--allow-downgrades", "install", path)
    if said.code != 0:
        why = " ".join((said.failure or said.printed).split())
        raise PackageRefused(f"{path} cannot be installed on this release of Debian: {why}")
    names = [line.split()[1] for line in said.printed.splitlines() if line.startswith("Inst ")]
    others = [name for name in names if name != PACKAGE]
    if len(others) > 0:
        raise PackageRefused(f"{path} needs other packages first: apt install {' '.join(others)}")


def unpack(package: DebianPackage, folder: str) -> str:
    """Its files, without installing them; returns its interpreter. Raises ProgramFailed and OSError."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    output_of("dpkg-deb", "--extract", package.path, folder, seconds_max=DPKG_SECONDS_MAX)
    interpreter = os.path.join(folder, INTERPRETER)
    _lead_to_the_machine(interpreter)
    return interpreter


def _lead_to_the_machine(interpreter: str) -> None:
    """Packages have relative links (Debian Policy 10.5), and this one leads out of the package: to the
    machine's own Python, from where it will be installed.
    """
    if not os.path.islink(interpreter):
        return
    target = os.path.join("/", os.path.dirname(INTERPRETER), os.readlink(interpreter))
    os.unlink(interpreter)
    os.symlink(os.path.normpath(target), interpreter)


def rebuild_installed(folder: str) -> str:
    """Make what is installed a package again; returns its path. Raises ProgramFailed and OSError."""
    tree, package = os.path.join(folder, "former"), os.path.join(folder, "former.deb")
    shutil.rmtree(tree, ignore_errors=True)
    control = os.path.join(tree, "DEBIAN")
    os.makedirs(control)
    _copy_files(output_of("dpkg-query", "--listfiles", PACKAGE).splitlines(), tree)
    for script in output_of("dpkg-query", "--control-path", PACKAGE).splitlines():
        shutil.copy2(script, os.path.join(control, os.path.basename(script).partition(".")[2]))
    with open(os.path.join(control, "control"), "w", encoding="utf-8") as file:
        file.write(_fields(output_of("dpkg-query", "--status", PACKAGE)))
    unfinished = f"{package}~"
    build = ("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, unfinished)
    output_of(*build, seconds_max=DPKG_SECONDS_MAX)
    os.replace(unfinished, package)
    shutil.rmtree(tree)
    return package


def _copy_files(names: list[str], tree: str) -> None:
    folders = {os.path.dirname(name) for name in names}
    for name in names:
        place = f"{tree}{name}"
        if name in folders or (os.path.isdir(name) and not os.path.islink(name)):
            os.makedirs(place, exist_ok=True)
            shutil.copystat(name, place)
        elif os.path.lexists(name):
            shutil.copy2(name, place, follow_symlinks=False)


def _fields(status: str) -> str:
    kept: list[str] = []
    is_kept = True
    for line in status.splitlines():
        if not line.startswith(" "):
            is_kept = not line.startswith(NOT_OF_A_PACKAGE)
        if is_kept:
            kept.append(line)
    return "\n".join(kept) + "\n"


def install(path: str) -> None:
    """Have dpkg install the package, and leave the service as it is. Raises ProgramFailed."""
    words = ("dpkg", "--force-confold", "--install", path)
    output_of(
        "env", LEAVES_SERVICE_ALONE, "DEBIAN_FRONTEND=noninteractive", *words, seconds_max=DPKG_SECONDS_MAX
    )


def is_installed(version: str) -> bool:
    """Whether this version is installed, and whole as far as dpkg knows. Raises ProgramFailed."""
    said = answer_of("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", PACKAGE)
    return said.printed.strip() == f"installed {version}"


def running_unit() -> str | None:
    """What is to be restarted; None if no unit of the service runs. Raises ProgramFailed."""
    for unit in ("secondpost.target", "secondpost.service"):
        if answer_of("systemctl", "is-active", "--quiet", unit).code == 0:
            return unit
    return None
