"""Replacing a file of the owner's: in one step, with its mode, and through no stranger's link."""

import os
from pathlib import Path

import pytest

from secondpost.world.real.files import FileRefused, replace_file


def test_a_new_file_can_be_read_by_all(tmp_path: Path) -> None:
    path = tmp_path / "secondpost.toml"
    replace_file(str(path), b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(tmp_path) == ["secondpost.toml"]


def test_an_earlier_file_stays_under_its_new_name_with_its_mode(tmp_path: Path) -> None:
    path, kept = tmp_path / "secondpost.toml", tmp_path / "kept"
    path.write_bytes(b"old")
    path.chmod(0o640)
    replace_file(str(path), b"new", str(kept))
    assert (path.read_bytes(), kept.read_bytes()) == (b"new", b"old")
    assert path.stat().st_mode & 0o777 == 0o640


def test_nothing_is_overwritten_by_what_is_kept(tmp_path: Path) -> None:
    path, kept = tmp_path / "secondpost.toml", tmp_path / "kept"
    path.write_bytes(b"old")
    kept.write_bytes(b"older")
    with pytest.raises(FileExistsError):
        replace_file(str(path), b"new", str(kept))
    assert (path.read_bytes(), kept.read_bytes()) == (b"old", b"older")
    assert sorted(os.listdir(tmp_path)) == ["kept", "secondpost.toml"]


def test_a_link_of_ones_own_is_followed_and_stays(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"old")
    link.symlink_to(real)
    replace_file(str(link), b"new")
    assert real.read_bytes() == b"new"
    assert link.is_symlink()


def test_a_link_of_another_user_is_refused(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"old")
    if os.geteuid() == 0:
        link.symlink_to(real)
        os.chown(link, 65_534, 65_534, follow_symlinks=False)
    else:
        link = Path("/proc/self")  # of root
    with pytest.raises(FileRefused, match="is a link of another user"):
        replace_file(str(link), b"new")
    assert real.read_bytes() == b"old"


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "it"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(FileRefused, match="is not a regular file"):
        replace_file(str(path), b"new")


def test_a_link_beside_the_file_is_not_written_through(tmp_path: Path) -> None:
    """Another user who may write in the folder could foresee the name of the unfinished file."""
    path, victim = tmp_path / "secondpost.toml", tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / f"secondpost.toml.{os.getpid()}").symlink_to(victim)
    with pytest.raises(FileExistsError):
        replace_file(str(path), b"new")
    assert victim.read_bytes() == b"precious"


def test_a_new_file_has_the_mode_that_was_asked_for(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    replace_file(str(secret), b"correct horse\n", new_mode=0o600)
    assert secret.stat().st_mode & 0o777 == 0o600
