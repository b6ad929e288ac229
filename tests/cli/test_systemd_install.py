"""secondpost systemd --install where it cannot work."""

import os

import pytest

from secondpost.cli.command import Exit
from secondpost.world.real import systemd
from tests.cli.newspaper import Newspaper


@pytest.mark.parametrize(
    ("user", "is_booted", "version", "said"),
    [
        (1000, True, "systemd 252 (252.39-1~deb12u2)", "only root can use --install"),
        (0, False, "systemd 252 (252.39-1~deb12u2)", "systemd does not run this machine"),
        (0, True, "systemd 247 (247.3-7)", "this machine has systemd 247, and the units need 249 or later"),
        (0, True, "unknown", "systemd says of its version: unknown"),
    ],
)
def test_a_machine_that_cannot_have_the_units_gets_the_reason_and_no_file(
    paper: Newspaper, monkeypatch: pytest.MonkeyPatch, user: int, is_booted: bool, version: str, said: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(systemd, "is_booted", lambda: is_booted)
    monkeypatch.setattr(systemd, "version", lambda: version)
    monkeypatch.setattr(systemd, "write_files", lambda files: pytest.fail("units were written"))
    result = paper.run("systemd", "--install", code=Exit.UNREACHABLE)
    assert said in result.stderr
