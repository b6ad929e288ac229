"""Other versions of the program for tests: this tree's source with another version number, and where a
test wants it with something changed; as an installed program, or as a wheel.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import secondpost

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "secondpost"
OF_A_BUILD = ("pyproject.toml", "README.md", "LICENSE", "requirements.install.lock", "release")
# By file below the package: what is replaced by what. A file that is not there yet is made.
Changes = Mapping[str, tuple[str, str]]
WITHOUT_CACHES = shutil.ignore_patterns("__pycache__")


def make_program(place: Path, version: str, changes: Changes | None = None) -> str:
    """Install it in `place`; returns its interpreter."""
    libraries = _environment(place, "--without-pip")
    package = libraries / "secondpost"
    shutil.copytree(SOURCE, package)  # with its bytecode, which is valid where the source is the same
    _change(package, version, changes)
    subprocess.run([place / "bin" / "python", "-m", "compileall", "-q", package], check=True)
    return str(place / "bin" / "python")


def make_wheel(folder: Path, version: str, changes: Changes | None = None) -> Path:
    """Build it as `make dist` does, in `folder`."""
    tree = folder / f"tree-{version}"
    tree.mkdir()
    for name in OF_A_BUILD:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=WITHOUT_CACHES)
        else:
            shutil.copy(ROOT / name, tree / name)
    shutil.copytree(SOURCE, tree / "src" / "secondpost", ignore=WITHOUT_CACHES)
    _change(tree / "src" / "secondpost", version, changes)
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=tree, check=True, capture_output=True)
    return folder / f"secondpost-{version}-py3-none-any.whl"


def install_wheel(place: Path, wheel: Path) -> Path:
    """Install it in an environment with pip, as docs/install.md does; returns its command."""
    _environment(place)
    python = str(place / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(pip, check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    return place / "bin" / "secondpost"


def _environment(place: Path, *words: str) -> Path:
    """A virtual environment in which the libraries are those that are tested here, without the tree
    itself: a path file leads to them. Returns the folder of its modules.
    """
    subprocess.run([sys.executable, "-m", "venv", *words, place], check=True)
    modules = place / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    (modules / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return modules


def _change(package: Path, version: str, changes: Changes | None) -> None:
    number = f'__version__ = "{secondpost.__version__}"'
    change_program_files(package, {"__init__.py": (number, f'__version__ = "{version}"'), **(changes or {})})


def change_program_files(package: Path, changes: Changes) -> None:
    for name, (old, new) in changes.items():
        file = package / name
        text = file.read_text() if file.exists() else ""
        assert old in text, name
        file.write_text(text.replace(old, new, 1) if len(old) > 0 else new + text)
