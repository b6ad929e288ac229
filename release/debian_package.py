"""`make deb`: the Debian package, built from the source archive in dist/ and the locked wheels.

The wheels are downloaded with their hashes before dpkg-buildpackage runs, which needs no network.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from email.utils import formatdate
from pathlib import Path

from secondpost import __version__

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
BUILD = ROOT / "build" / "deb"
WHEELS = ROOT / "build" / "wheels"
PYTHON = "/usr/bin/python3"  # Debian's: the package runs on it
REVISION = 1
MAINTAINER = "The maintainers of Secondpost <maintainers@secondpost.example>"


def build() -> Path:
    """The package, in dist/."""
    tree = unpacked_source()
    download_wheels(tree)
    (tree / "debian" / "changelog").write_text(changelog(), encoding="utf-8")
    _run(["dpkg-buildpackage", "--build=binary", "--no-sign"], tree)
    (made,) = BUILD.glob("secondpost_*.deb")
    return Path(shutil.copy(made, DIST))


def unpacked_source() -> Path:
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    with tarfile.open(DIST / f"secondpost-{__version__}.tar.gz") as archive:
        archive.extractall(BUILD, filter="data")
    return BUILD / f"secondpost-{__version__}"


def download_wheels(tree: Path) -> None:
    """Those of the lock into build/wheels; from there, with our own, into the folder wheels."""
    shutil.rmtree(WHEELS, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--python", PYTHON, "--quiet", "--disable-pip-version-check"]
    wanted = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", "requirements.install.lock"]
    _run([*pip, "download", *wanted, "--dest", str(WHEELS)], tree)
    shutil.copytree(WHEELS, tree / "wheels")
    shutil.copy(DIST / f"secondpost-{__version__}-py3-none-any.whl", tree / "wheels")


def changelog() -> str:
    """Of this version alone; the package has CHANGELOG.md beside it."""
    day = formatdate(int(os.environ["SOURCE_DATE_EPOCH"]))
    return (
        f"secondpost ({__version__}-{REVISION}) bookworm; urgency=medium\n\n"
        f"  * Version {__version__}; its changes are in changelog.gz.\n\n"
        f" -- {MAINTAINER}  {day}\n"
    )


def _run(command: list[str], folder: Path) -> None:
    """Print what it said only if it failed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout}{done.stderr}\n{' '.join(command)} failed, in {folder}")


if __name__ == "__main__":
    print(build().relative_to(ROOT))
