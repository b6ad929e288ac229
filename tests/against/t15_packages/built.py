"""What `make deb` made: the wheel, the wheels of its libraries, and the Debian package."""

import re
import subprocess
from pathlib import Path

from bench.peers import PROJECT, PeerMissing
from release.debian_package import WHEELS

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
    tree = folder / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", deb, tree], check=True)
    control = tree / "DEBIAN" / "control"
    text, count = re.subn(r"(?m)^(Version: .*)$", r"\1+later", control.read_text())
    assert count == 1
    control.write_text(text)
    later = folder / "secondpost_later.deb"
    build = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(later)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    return later
