"""Warnings that depend on this machine; their texts are in cases/."""

import os
import pwd
from pathlib import Path

from secondpost.config.files import others_can_read
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


def test_a_missing_user_is_only_a_warning() -> None:
    text = b"""version = 1
hostname = "mx2.example.net"
store = "/var/lib/secondpost"
owner = ["me@elsewhere.example"]
user = "nobody-has-this-name"
"""
    told = [warning for warning in warnings(parse_config(text, "x.toml")) if warning.key == "user"]
    assert len(told) == 1
    assert "has no user nobody-has-this-name" in told[0].text
