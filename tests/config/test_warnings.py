"""Warnings that depend on this machine; their texts are in cases/."""

import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from secondpost.config.faults import Wrong
from secondpost.config.files import can_read, others_can_read, permits, read_password
from secondpost.config.reading import parse_config, warnings
from secondpost.config.warnings import user_exists


def test_users_of_this_machine() -> None:
    assert user_exists(pwd.getpwuid(os.geteuid()).pw_name)
    assert not user_exists("nobody-has-this-name")


def test_secrets_that_others_can_read(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("correct horse\n")
    for mode, readable in ((0o600, False), (0o640, False), (0o644, True), (0o604, True)):
        secret.chmod(mode)
        assert others_can_read(str(secret)) is readable
    assert not others_can_read(str(tmp_path / "missing"))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder into which every user may look; that of pytest is in one of its own."""
    with tempfile.TemporaryDirectory(prefix="secondpost-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_secrets_that_the_user_of_the_service_can_read(open_folder: Path) -> None:
    secret = open_folder / "password"
    secret.write_text("correct horse\n")
    ours = pwd.getpwuid(os.geteuid()).pw_name
    for mode, readable in ((0o600, False), (0o640, False), (0o604, True)):
        secret.chmod(mode)
        assert can_read("nobody", str(secret)) is readable
        assert can_read(ours, str(secret))
    assert can_read("nobody", str(open_folder / "missing"))
    open_folder.chmod(0o700)
    assert not can_read("nobody", str(secret))
    assert can_read("nobody-has-this-name", str(secret))


def test_the_bits_of_the_owner_count_before_those_of_the_group() -> None:
    person = pwd.struct_passwd(("secondpost", "x", 100, 200, "", "/", "/bin/false"))

    def file(mode: int, owner: int, group: int) -> os.stat_result:
        return os.stat_result((mode, 0, 0, 1, owner, group, 0, 0, 0, 0))

    assert permits(person, file(0o400, 100, 0), 0o4)
    assert not permits(person, file(0o044, 100, 200), 0o4)
    assert permits(person, file(0o640, 0, 200), 0o4)
    assert not permits(person, file(0o604, 0, 200), 0o4)
    assert permits(person, file(0o604, 0, 0), 0o4)


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"correct horse\n", "correct horse"),
        (b"correct horse", "correct horse"),
        (b"correct horse \r\na note\n", "correct horse "),
        ("\ufeffcorrect h\u00f6rse\n".encode(), "correct h\u00f6rse"),
    ],
)
def test_a_password_is_the_first_line_of_its_file(tmp_path: Path, content: bytes, password: str) -> None:
    (tmp_path / "password").write_bytes(content)
    assert read_password(str(tmp_path / "password")) == password


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\ncorrect horse\n", "is empty"),
        (b"correct\0horse", "contains a control character"),
        (b"correct\x1b horse", "contains a control character"),
        (b"correct h\xf6rse", "is not UTF-8 text"),
        (b"correct horse" * 100, "has more than 1000 octets"),
    ],
)
def test_a_file_without_a_password_is_not_quoted(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "password").write_bytes(content)
    with pytest.raises(Wrong) as fault:
        read_password(str(tmp_path / "password"))
    assert fault.value.reason == f'"{tmp_path}/password" {why}'


def test_a_password_is_read_from_a_regular_file_only(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Wrong, match="is not a regular file"):
        read_password(str(tmp_path / "pipe"))
    with pytest.raises(Wrong, match="cannot be read: No such file or directory"):
        read_password(str(tmp_path / "missing"))


def test_a_missing_user_is_only_a_warning() -> None:
    text = b"""version = 3
hostname = "mx2.example.net"
store = "/var/lib/secondpost"
owner = ["me@elsewhere.example"]
user = "nobody-has-this-name"
"""
    told = [warning for warning in warnings(parse_config(text, "x.toml")) if warning.key == "user"]
    assert len(told) == 1
    assert "has no user nobody-has-this-name" in told[0].text
