"""What the service's user must be able to run and read, before a single role is started."""

from pathlib import Path

import pytest

from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.processes.user import SystemUser, UserRefused, need_what_is_named

PERSON = SystemUser("post", 4711, 4711)
TEXT = """\
version = 3
hostname = "mx2.example.net"
store = "{folder}/store"
owner = ["me@elsewhere.example"]

[[backup]]
domain = "example.net"
recipients = ["file:{folder}/recipients"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "recipients").write_text("me\n")
    (tmp_path / "secondpost.toml").write_text(TEXT.format(folder=tmp_path))
    return read_config(str(tmp_path / "secondpost.toml"))


def test_what_can_be_run_and_read_is_no_fault(config: Config) -> None:
    need_what_is_named(config, PERSON)


def test_a_python_that_the_user_may_not_run_is_refused_at_once(config: Config, tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("")
    with pytest.raises(UserRefused, match=f"the user post may not run {program}"):
        need_what_is_named(config, PERSON, program=str(program))


def test_a_file_that_the_user_cannot_read_is_refused_at_once(config: Config, tmp_path: Path) -> None:
    (tmp_path / "recipients").unlink()
    with pytest.raises(UserRefused, match=r"toml:8: backup\[1\]\.recipients.*runs as post"):
        need_what_is_named(config, PERSON)
