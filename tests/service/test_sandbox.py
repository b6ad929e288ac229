"""The rights of a role, and the kinds of store on which the service works."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from secondpost.processes.accepted import ACCEPTED
from secondpost.processes.doors import DOORS_VARIABLE
from secondpost.processes.environment import PASSED_ON, cleared
from secondpost.processes.named_files import NAMED_FILES
from secondpost.processes.tether import TETHER
from tests.crash.postoffice import PostOffice
from tests.service.conftest import MakeOffice

UNREACHABLE = 4


def environment_of(pid: int) -> dict[str, str]:
    variables = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(variable.split("=", 1) for variable in variables if len(variable) > 0)


def test_roles_get_a_short_environment_and_never_more_rights(
    make_office: MakeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_SHELL", "hunter2")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    monkeypatch.setenv("LC_TIME", "C.UTF-8")
    monkeypatch.setenv("TZ", "Europe/Oslo")
    office = make_office()
    office.start()
    office.wait_for_roles()
    for pid in office.processes().values():
        given = environment_of(pid)
        assert given["TZ"] == "Europe/Oslo"
        assert given["LC_TIME"] == "C.UTF-8"
        known = (*PASSED_ON, ACCEPTED, DOORS_VARIABLE, NAMED_FILES, TETHER)
        assert {name for name in given if not name.startswith(("LC_", "PYTHON"))} <= set(known)
    for pid in (office.supervisor, *office.processes().values()):
        assert "NoNewPrivs:\t1" in Path(f"/proc/{pid}/status").read_text()
    assert office.stop() == 0


def test_a_cleared_environment_keeps_what_the_interpreter_needs() -> None:
    given = {
        "PATH": "/bin",
        "PYTHONPATH": "/x",
        "LANG": "C",
        "HOME": "/root",
        "LD_PRELOAD": "/evil.so",
        "PS1": "$",
    }
    assert cleared(given) == {"PATH": "/bin", "PYTHONPATH": "/x", "LANG": "C"}


# ---------------------------------------------------------------- the store's folder


def a_link(store: Path) -> str:
    real = store.with_name("real")
    real.mkdir(mode=0o700)
    store.symlink_to(real)
    return f'{store} is a link; write store = "{real}" in '


def a_file(store: Path) -> str:
    store.touch()
    return f"{store} should be a folder and is not; move it away, or set another store"


def open_to_its_group(store: Path) -> str:
    store.mkdir(mode=0o700)
    store.chmod(0o770)
    return f"others may write in {store}; type: chmod 700 {store}"


def open_to_all(store: Path) -> str:
    store.mkdir(mode=0o700)
    store.chmod(0o1777)
    return f"others may write in {store}; type: chmod 700 {store}"


def with_open_keys(store: Path) -> str:
    keys = store / "keys"
    keys.mkdir(mode=0o700, parents=True)
    store.chmod(0o700)
    keys.chmod(0o777)
    return f"others may write in {keys}; type: chmod 700 {keys}"


def with_mail_elsewhere(store: Path) -> str:
    elsewhere = store.with_name("elsewhere")
    elsewhere.mkdir(mode=0o700)
    store.mkdir(mode=0o700)
    (store / "mail").symlink_to(elsewhere)
    return f"{store}/mail is a link; type: rm {store}/mail && mv {elsewhere} {store}/mail"


@pytest.mark.parametrize(
    "made",
    [a_link, a_file, open_to_its_group, open_to_all, with_open_keys, with_mail_elsewhere],
    ids=lambda made: made.__name__,
)
def test_a_store_that_is_not_ours_alone_is_refused_with_the_line_to_type(
    make_office: MakeOffice, made: Callable[[Path], str]
) -> None:
    office = make_office()
    said = made(office.store)
    for words in (("serve",), ("serve", "--single"), ("serve", "--role", "receive"), ("queue", "list")):
        done = typed(office, *words)
        assert done.returncode == UNREACHABLE, done.stderr
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not (office.store / "mail" / "mail.db").exists()


def typed(office: PostOffice, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "secondpost", "--config", str(office.config), *words],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "COLUMNS": "400"},
    )


def test_others_may_look_at_the_folder_s_name_and_no_more(make_office: MakeOffice) -> None:
    """A folder made by package managers, readable for its group: its content must stay private."""
    office = make_office()
    office.store.mkdir(mode=0o755)
    office.store.chmod(0o755)
    office.start()
    office.wait_for_roles()
    assert (office.store / "mail" / "mail.db").stat().st_mode & 0o077 == 0
    assert office.stop() == 0
