"""A whole Debian with systemd below .peers/, from which tests start machines of their own.

Two layers: `machine` is Debian with systemd and nothing else; `machine-python`, laid over it, has
Python too. The archives of `machine-python` stay in the lower layer's cache, so that inside a
machine, which has no network, `apt-get install` finds them.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

SUITE: Final = "bookworm"
BARE: Final = "machine"
WITH_PYTHON: Final = "machine-python"
BARE_PACKAGES: Final = ("systemd", "systemd-sysv", "dbus", "iproute2", "procps", "ca-certificates")
PYTHON_PACKAGES: Final = ("python3", "python3-venv")
# Not the caller's: a PATH with programs of a home folder would be looked up inside the root.
PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"


def bootstrap(peers: Path) -> None:
    """Make both layers, unless they are there."""
    if not (peers / BARE).exists():
        _make_bare(peers)
    if not (peers / WITH_PYTHON).exists():
        _make_with_python(peers)


def is_there(peers: Path) -> bool:
    return (peers / BARE).exists() and (peers / WITH_PYTHON).exists()


def _make_bare(peers: Path) -> None:
    half = _empty(peers / f"{BARE}.part")
    included = ",".join(BARE_PACKAGES)
    _run("debootstrap", "--variant=minbase", f"--include={included}", SUITE, str(half))
    _run("chroot", str(half), "apt-get", "-qq", "update")
    _apt(half, "--download-only", *PYTHON_PACKAGES)
    half.rename(peers / BARE)


def _make_with_python(peers: Path) -> None:
    """Install into an overlay, whose upper folder becomes the layer."""
    half = _empty(peers / f"{WITH_PYTHON}.part")
    upper, work, merged = (half / name for name in ("upper", "work", "merged"))
    for folder in (upper, work, merged):
        folder.mkdir()
    options = f"lowerdir={peers / BARE},upperdir={upper},workdir={work}"
    _run("mount", "-t", "overlay", "overlay", "-o", options, str(merged))
    try:
        _apt(merged, *PYTHON_PACKAGES)
    finally:
        _run("umount", str(merged))
    upper.rename(peers / WITH_PYTHON)
    shutil.rmtree(half)


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _apt(root: Path, *words: str) -> None:
    quiet = ("-qq", "-y", "-o", "Dpkg::Use-Pty=0")
    _run("chroot", str(root), "apt-get", *quiet, "--no-install-recommends", "install", *words)


def _run(*words: str) -> None:
    environment = {**os.environ, "PATH": PATH, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(words, check=True, env=environment, stdout=subprocess.DEVNULL)
