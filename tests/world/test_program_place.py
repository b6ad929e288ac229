"""Wheels are looked at before they are installed; versions lie side by side, and a link leads to one."""

import os
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from secondpost.world.real.locked_libraries import copy_libraries, locked
from secondpost.world.real.program_place import ProgramPlace
from secondpost.world.real.wheel_file import LOCK, WheelRefused, read_wheel

METADATA = "secondpost-9.dist-info/METADATA"
GOOD = {METADATA: b"Metadata-Version: 2.4\nName: secondpost\nVersion: 9\n", LOCK: b"click==8 \\\n"}


def wheel(folder: Path, members: dict[str, bytes]) -> str:
    path = folder / "it.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, octets in members.items():
            archive.writestr(name, octets)
    return str(path)


def test_a_wheel_says_its_version_and_its_libraries(tmp_path: Path) -> None:
    read = read_wheel(wheel(tmp_path, GOOD))
    assert (read.version, read.lock) == ("9", GOOD[LOCK])


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({}, "no metadata"),
        (GOOD | {METADATA: b"Name: other\nVersion: 9\n"}, "a wheel of other"),
        (GOOD | {METADATA: b"\xff\xfe"}, "without a name"),
        ({METADATA: GOOD[METADATA]}, "which libraries"),
        (GOOD | {"other.dist-info/METADATA": b""}, "no metadata"),
    ],
)
def test_what_is_not_ours_is_refused(members: dict[str, bytes], why: str, tmp_path: Path) -> None:
    with pytest.raises(WheelRefused, match=why):
        read_wheel(wheel(tmp_path, members))


def test_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = Path(wheel(tmp_path, GOOD))
    octets = path.read_bytes()
    path.write_bytes(octets.replace(b"click==8", b"click==9"))
    with pytest.raises(WheelRefused, match="is damaged"):
        read_wheel(str(path))
    path.write_bytes(octets[:-30])
    with pytest.raises(WheelRefused, match="is no wheel"):
        read_wheel(str(path))
    with pytest.raises(WheelRefused, match="cannot be read"):
        read_wheel(str(tmp_path))


def test_libraries_that_are_here_in_the_right_version_are_copied(tmp_path: Path) -> None:
    here = distribution("click").version
    text = f"# made\nclick=={here} \\\n    --hash=sha256:00\nrich==0.1\nnot-here==1 ; python_version < '3'\n"
    lock = text.encode()
    assert [name for name, _ in locked(lock)] == ["click", "rich", "not-here"]
    assert copy_libraries(lock, str(tmp_path)) == 1
    assert (tmp_path / "click" / "__init__.py").exists()
    assert not (tmp_path / "rich").exists()


def test_one_that_was_changed_is_left_to_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    lock = f"click=={distribution('click').version}\n".encode()
    copy_libraries(lock, str(first))
    (first / "click" / "core.py").write_text("# changed\n")
    monkeypatch.setattr(sys, "path", [str(first), *sys.path])
    assert copy_libraries(lock, str(second)) == 0
    assert not second.exists()


def test_the_command_leads_to_the_version_that_is_used_and_back(tmp_path: Path) -> None:
    place = ProgramPlace(str(tmp_path))
    for folder in (tmp_path, Path(place.folder("2"))):
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "secondpost").write_text(f"{folder}\n")
    command = tmp_path / "bin" / "secondpost"
    assert place.used() == str(tmp_path)
    for _ in range(2):
        place.use(place.folder("2"))
        assert place.used() == place.folder("2")
        assert command.read_text() == f"{place.folder('2')}\n"
        place.use(str(tmp_path))
        assert place.used() == str(tmp_path)
        assert command.read_text() == f"{tmp_path}\n"
    os.symlink("nowhere", f"{command}~")  # of a change that was cut short
    place.use(place.folder("2"))
    assert place.used() == place.folder("2")
