"""What `make deb` made: the wheel, the wheels of its libraries, and the Debian package."""

import re
import shutil
import subprocess
from pathlib import Path

from bench.peers import PROJECT, PeerMissing
from release.debian_package import WHEELS
from tests.service.programs import Changes, change_program_files

PYTHON = "/usr/bin/python3"


def built(pattern: str) -> Path:
    found = sorted((PROJECT / "dist").glob(pattern))
    if len(found) != 1:
        raise PeerMissing(f"dist/ has no {pattern}, or several: make deb")
    return found[0]


def wheel() -> Path:
    return built("secondpost-*.whl")


def package() -> Path:
    return built("secondpost_*.deb")


def library_wheels() -> Path:
    if not WHEELS.exists():
        raise PeerMissing("the wheels of the libraries are missing: make deb")
    return WHEELS


def next_version(deb: Path, folder: Path) -> Path:
    """The same package as a later version."""
    return changed_version(deb, folder, "later", {})


def changed_version(deb: Path, folder: Path, name: str, changes: Changes) -> Path:
    """The package as a later version of this name, with something changed in its program."""
    tree = folder / f"tree-{name}"
    subprocess.run(["dpkg-deb", "--raw-extract", deb, tree], check=True)
    control = tree / "DEBIAN" / "control"
    text, count = re.subn(r"(?m)^(Version: .*)$", rf"\1+{name}", control.read_text())
    assert count == 1
    control.write_text(text)
    (program,) = tree.glob("usr/lib/secondpost/lib/*/site-packages/secondpost")
    for caches in program.rglob("__pycache__") if len(changes) > 0 else ():
        shutil.rmtree(caches)  # never compared with the source
    change_program_files(program, changes)
    later = folder / f"secondpost_{name}.deb"
    build = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(later)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return later
