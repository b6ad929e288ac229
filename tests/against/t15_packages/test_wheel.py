"""The wheel in a fresh environment, with the locked libraries, without the checkout."""

import subprocess
from pathlib import Path

import pytest

from secondpost import __version__
from tests.against.t15_packages.built import PYTHON, library_wheels, wheel

DEMO_SECONDS_MAX = 240


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("fresh") / "venv"
    subprocess.run([PYTHON, "-m", "venv", place], check=True)
    offline = ["--no-index", "--find-links", str(library_wheels())]
    subprocess.run([place / "bin" / "pip", "install", "--quiet", *offline, wheel()], check=True)
    return place / "bin" / "secondpost"


def test_it_says_that_it_is_a_wheel(program: Path) -> None:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    first, commit, installed, *_ = said.splitlines()
    assert first == f"secondpost {__version__}"
    assert commit.split()[0] == "commit"
    assert installed == f"installed  as wheel, in {program.parent.parent}"


def test_the_demo_passes_in_an_empty_folder(program: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [program, "demo", "--fast"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        timeout=DEMO_SECONDS_MAX,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
