"""Install the project from a wheel as README says, without a network.

The libraries come from the environment of the tests: those that requirements.install.lock names.
Debian's own Python runs it, which any user of the machine may execute.
"""

import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parents[3]
PYTHON: Final = "/usr/bin/python3"


def install(folder: Path) -> Path:
    """Install below `folder`; return the folder of the command."""
    pip = [sys.executable, "-m", "pip"]
    quiet = ["-q", "--disable-pip-version-check", "--no-deps", "--no-index"]
    wheels = folder / "wheels"
    subprocess.run([*pip, "wheel", *quiet, "--no-build-isolation", "-w", wheels, PROJECT], check=True)
    (wheel,) = wheels.glob("secondpost-*.whl")
    place = folder / "opt"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", place], check=True)
    subprocess.run([*pip, "--python", place / "bin" / "python", "install", *quiet, wheel], check=True)
    (packages,) = (place / "lib").glob("python*/site-packages")
    _copy_libraries(packages)
    return place / "bin"


def _copy_libraries(packages: Path) -> None:
    lock = (PROJECT / "requirements.install.lock").read_text(encoding="utf-8")
    # A line with a marker may be for another platform.
    wanted = set(re.findall(r"^([A-Za-z0-9_.-]+)==", lock, re.MULTILINE))
    for distribution in metadata.distributions():
        if distribution.name.lower().replace("_", "-") in wanted:
            _copy(distribution, packages)


def _copy(distribution: metadata.Distribution, packages: Path) -> None:
    for file in distribution.files or ():
        source = Path(str(distribution.locate_file(file)))
        if ".." not in file.parts and source.exists():
            (packages / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, packages / file)
