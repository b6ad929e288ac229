"""The files that a supervisor opens for a role, and no others."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from secondpost.config.files import OpenToRead
from secondpost.config.reading import parse_config
from secondpost.config.records import Config
from secondpost.processes.named_files import (
    NAMED_FILES,
    FilesForRole,
    files_pair,
    inherited_files,
    named_files,
)
from secondpost.world.real.dns_servers import RESOLV_CONF
from secondpost.world.real.package_files import PACKAGE_FILES

CONFIG = """\
version  = 3
hostname = "mx2.example.net"
store    = "/var/lib/secondpost"
owner    = ["me@elsewhere.example"]

[tls]
certificate = "/etc/mx.pem"
key         = "/etc/mx.key"

[[route]]
domain = "*"
lane   = "own"
host   = "smtp.example:587"
username = "me"
password_file = "/etc/secondpost/password"

[[backup]]
domain     = "example.net"
recipients = ["file:/etc/secondpost/recipients", "learn"]
"""
PAIR = {"/etc/mx.pem", "/etc/mx.key"}


@pytest.fixture
def config() -> Config:
    return parse_config(CONFIG.encode(), "/etc/secondpost/secondpost.toml", are_files_checked=False)


def test_each_role_is_handed_what_it_uses(config: Config) -> None:
    assert named_files(config, "receive") == PAIR | {"/etc/secondpost/recipients"}
    assert named_files(config, "deliver") == PAIR | {"/etc/secondpost/password", RESOLV_CONF}
    assert named_files(config, "web") == PAIR
    assert named_files(config, "publish") == frozenset()
    assert named_files(config, "fetch") == {RESOLV_CONF}


def test_the_packages_of_the_machine_are_read_only_to_look_for_holes(config: Config) -> None:
    watching = replace(config, watch=replace(config.watch, advisories=True))
    assert named_files(watching, "deliver") - named_files(config, "deliver") == set(PACKAGE_FILES)
    assert named_files(watching, "fetch") == named_files(config, "fetch")


def asked(config: Config, allowed: frozenset[str], ask: Callable[[OpenToRead], None]) -> None:
    """Run `ask` in a thread, as a role would be another process."""

    async def story() -> None:
        ours, theirs = files_pair()
        desk = FilesForRole(ours, allowed)
        with theirs:
            files = inherited_files({NAMED_FILES: str(os.dup(theirs.fileno()))}, config)
        assert files is not None
        await asyncio.to_thread(ask, files.open)
        desk.close()
        with pytest.raises(OSError, match="Broken pipe"):
            await asyncio.to_thread(files.open, "/etc/hostname")
        files.close()

    asyncio.run(story())


def test_a_file_is_read_by_its_name_also_once_it_is_another(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "recipients"
    path.write_text("old")

    def ask(open_file: OpenToRead) -> None:
        for text in ("old", "new"):
            path.with_suffix(".new").write_text(text)
            path.with_suffix(".new").rename(path)
            with open(open_file(str(path))) as file:
                assert file.read() == text
        path.unlink()
        with pytest.raises(FileNotFoundError):
            open_file(str(path))

    asked(config, frozenset({str(path)}), ask)


def test_no_other_file_is_opened_by_whatever_name(config: Config, tmp_path: Path) -> None:
    path, secret = tmp_path / "recipients", tmp_path / "secret"
    path.touch()
    secret.touch()

    def ask(open_file: OpenToRead) -> None:
        others = (
            f"{secret}",
            f"{path}/../secret",
            f"{path}\n{secret}",
            f"{path}/",
            "/etc/shadow",
            "x" * 9_000,
        )
        for name in others:
            with pytest.raises(PermissionError):
                open_file(name)
        os.close(open_file(str(path)))

    asked(config, frozenset({str(path)}), ask)


def test_a_file_in_the_store_is_opened_by_the_role_itself(config: Config, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ours")

    def ask(open_file: OpenToRead) -> None:
        with open(open_file(f"{tmp_path}/key")) as file:
            assert file.read() == "ours"

    asked(replace(config, store=str(tmp_path)), frozenset(), ask)


def test_without_a_supervisor_there_is_no_such_desk(config: Config) -> None:
    assert inherited_files({}, config) is None
