"""Other versions of the program for tests: this tree's source in a place of its own, with a version
number, and where a test wants it with something changed.
"""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import secondpost

SOURCE = Path(secondpost.__file__).parent


def make_program(place: Path, version: str, changed: Mapping[str, tuple[str, str]] | None = None) -> str:
    """Install it in `place`; returns its interpreter. `changed`: by file, what is replaced by what; a
    file that is not there yet is made.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    libraries = place / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
    # A path file leads to the libraries that are tested here, without the tree itself.
    (libraries / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    package = libraries / "secondpost"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
    number = f'__version__ = "{secondpost.__version__}"'
    changes = {"__init__.py": (number, f'__version__ = "{version}"'), **(changed or {})}
    for name, (old, new) in changes.items():
        file = package / name
        text = file.read_text() if file.exists() else ""
        assert old in text, name
        file.write_text(text.replace(old, new, 1) if len(old) > 0 else new + text)
    subprocess.run([place / "bin" / "python", "-m", "compileall", "-q", package], check=True)
    return str(place / "bin" / "python")
