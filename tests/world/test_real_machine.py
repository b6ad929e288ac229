"""Facts about this machine and its files, from the kernel."""

import os
import pwd
from pathlib import Path

from secondpost.setup.files import FileFacts
from secondpost.setup.known_bugs import examine_versions, known_bugs
from secondpost.store.sqlite.connection import library_version
from secondpost.world.real.machine import (
    all_file_facts,
    can_read,
    clock_facts,
    file_facts,
    library_versions,
    open_files_max,
)

ME = pwd.getpwuid(os.geteuid()).pw_name


def test_a_file_is_seen_with_its_mode_and_owner(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch()
    path.chmod(0o640)
    assert file_facts(str(path)) == FileFacts(str(path), 0o640, ME)
    assert file_facts(str(tmp_path / "none")) is None
    assert [one.path for one in all_file_facts((str(tmp_path / "none"), str(path)))] == [str(path)]


def test_what_another_user_can_read_is_tried_as_that_user(tmp_path: Path) -> None:
    if os.geteuid() != 0:  # only root can try as another user
        assert can_read("nobody", str(tmp_path / "none"))
        return
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    path = tmp_path / "key"
    path.touch()
    path.chmod(0o600)
    assert can_read("root", str(path))
    assert not can_read("nobody", str(path))
    path.chmod(0o604)
    assert can_read("nobody", str(path))
    assert can_read("no such user", str(path))  # that cannot be seen


def test_the_versions_of_the_libraries_can_be_compared() -> None:
    versions = {"SQLite": library_version(), **library_versions()}
    assert set(versions) == {bug.library for bug in known_bugs()}
    assert len(list(examine_versions(versions, known_bugs()))) >= len(versions)


def test_the_kernel_says_what_it_knows_of_its_clock_or_nothing() -> None:
    facts = clock_facts()
    assert facts is None or facts.error_ms >= 0
    assert open_files_max() > 0
