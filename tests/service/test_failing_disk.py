"""The real service on a failing disk: it ends at once, and acknowledges nothing more.

strace injects EIO into the system calls of one process, like a kernel whose disk is gone.
"""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import pytest

from secondpost.roles.parts import HINTS
from tests.crash.postoffice import RECIPIENT, PostOffice, Victim, free_port, roles_below
from tests.newsletter.writing import atom
from tests.service.conftest import Call, MakeOffice
from tests.service.newsroom import Newsroom, ask
from tests.service.primary import Client, Primary
from tests.service.test_hard_times import begin_data, message, until
from tests.world.web_server import WebServer, answer

DISK = 5  # processes/exits: the state of the disk is unknown
UNREACHABLE = 4
# It ends within a tenth of this; a drain would take six times as long, a restart would never end.
END_SECONDS_MAX = 5.0
WITH_A_STORE = ("receive", "deliver", "web", "publish")
SYNCS = "fsync,fdatasync"


@contextmanager
def failing(pid: int, calls: str, path: Path | None = None) -> Iterator[None]:
    """Make each of these calls of the process fail with EIO; with a path only on that file."""
    only = () if path is None else ("-P", str(path))
    inject = ("-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO")
    with subprocess.Popen(
        ["strace", "-f", "-p", str(pid), "-o", "/dev/null", *only, *inject], stderr=subprocess.PIPE, text=True
    ) as strace:
        assert strace.stderr is not None
        assert "attached" in strace.stderr.readline()
        try:
            yield
        finally:
            strace.terminate()


class Stream:
    """Good mail, one message after the other, until it is refused."""

    def __init__(self, office: PostOffice) -> None:
        self.acknowledged: list[bytes] = []
        self._office = office
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def _send(self) -> None:
        client = Client(self._office.port)
        with suppress(OSError):
            number = 0
            while not self._stopped.is_set():
                content = message(number := number + 1)
                if not client.send(content, RECIPIENT).startswith("250 "):
                    break
                self.acknowledged.append(content)
        client.close()

    def __enter__(self) -> "Stream":
        self._thread.start()
        until("mail is taken", lambda: len(self.acknowledged) > 10)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()


def time_of(line: str) -> datetime:
    return datetime.fromisoformat(line.split(" ")[0])


def lines_with(office: PostOffice, words: str) -> list[str]:
    return [line for line in office.log.read_text().splitlines() if words in line]


def assert_ended_at_once(office: PostOffice, role: str) -> None:
    assert office.wait(END_SECONDS_MAX) == DISK
    assert office.running() == []
    [failed] = lines_with(office, "alarm about=role-failed")
    assert f" {role} alarm" in failed
    assert "DiskFailed" in failed
    assert f"{role}: what the disk holds is unknown" in "".join(lines_with(office, "about=disk-failed"))
    assert lines_with(office, "role-died") == []
    for accepted in lines_with(office, " receive accepted "):
        assert (time_of(accepted) - time_of(failed)).total_seconds() < END_SECONDS_MAX


def assert_nothing_is_missing(office: PostOffice, stream: Stream, primary: Primary) -> None:
    primary.open()
    office.start()
    # Also what was stored and could not be acknowledged arrives: the number alone would say nothing.
    until("all has arrived", lambda: _subjects(stream.acknowledged) <= _subjects(primary.taken))


def _subjects(contents: Iterable[bytes]) -> set[bytes]:
    return {content.partition(b"Subject:")[2] for content in contents}


@pytest.fixture
def room(tmp_path: Path, primary: Primary) -> Iterator[Newsroom]:
    with WebServer({"/atom": answer("200 OK", atom(()))}).in_a_thread() as blog:
        room = Newsroom(tmp_path, blog, primary.port, {"atom": ""})
        config = room.config.read_text()
        room.config.write_text(
            re.sub(r'primary    = \["[^"]*"\]', f'primary = ["127.0.0.1:{primary.port}"]', config)
        )
        yield room
        room.end()


@pytest.mark.parametrize("role", WITH_A_STORE)
def test_a_failed_sync_of_one_role_ends_them_all_at_once(room: Newsroom, primary: Primary, role: str) -> None:
    """Although a silent primary and a client in mid-message would keep a drain waiting."""
    room.start()
    room.wait_for_roles()
    in_the_middle = Client(room.port)
    begin_data(in_the_middle)
    silent = socket.create_server(("127.0.0.1", primary.port))
    with silent, Stream(room) as stream, failing(room.processes()[role], "fdatasync"):
        if role == "web":
            with suppress(OSError):
                ask(f"{room.web}/atom/", "POST", "email=reader@example.org")
        assert_ended_at_once(room, role)
    in_the_middle.close()
    assert_nothing_is_missing(room, stream, primary)


@pytest.mark.parametrize("calls", ["pwrite64", "statfs", SYNCS])
def test_whatever_fails_of_the_store_s_disk_ends_the_service(
    make_office: MakeOffice, primary: Primary, calls: str
) -> None:
    office = make_office()
    office.start()
    office.wait_for_roles()
    with Stream(office) as stream, failing(office.processes()["receive"], calls):
        assert_ended_at_once(office, "receive")
    assert_nothing_is_missing(office, stream, primary)


def serve(config: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "secondpost", "--config", str(config), "serve", *words]


@pytest.mark.parametrize("calls", [SYNCS, "pwrite64", "mkdir"])
@pytest.mark.parametrize("role", [*WITH_A_STORE, "supervisor"])
def test_a_disk_that_fails_at_the_start_is_said_once(room: Newsroom, role: str, calls: str) -> None:
    """Also by the supervisor, which restarts no role in this case."""
    inject = ("-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO")
    words = () if role == "supervisor" else ("--role", role)
    done = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", *inject, *serve(room.config, *words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == DISK, done.stderr
    assert "Traceback" not in done.stderr
    assert "role-died" not in done.stderr
    causes = causes_in(done.stderr)
    assert len(causes) > 0, done.stderr
    if role != "supervisor":  # else several roles meet it
        assert len(causes) == 1, done.stderr


def causes_in(errors: str) -> list[str]:
    """The lines that say what failed."""
    said = ("nput/output error", "disk I/O error")
    return [line for line in errors.splitlines() if any(words in line for words in said)]


def test_a_database_that_cannot_be_opened_or_read_is_a_failed_disk(make_office: MakeOffice) -> None:
    office = make_office()
    office.start()
    office.wait_for_roles()
    assert office.stop() == 0
    for calls, name in (("pread64", "mail.db"), ("openat", "mail.db-wal"), ("openat", "mail.db-shm")):
        only = (
            "-P",
            str(office.store / "mail" / name),
            "-e",
            f"trace={calls}",
            "-e",
            f"inject={calls}:error=EIO",
        )
        done = subprocess.run(
            ["strace", "-f", "-o", "/dev/null", *only, *serve(office.config, "--role", "receive")],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == DISK, (calls, name, done.stderr)
        # A sentence of the supervisor, which opens it first, or an alarm of the role.
        path = str(office.store / "mail" / "mail.db")
        assert any(path in line for line in done.stderr.splitlines()), done.stderr


def test_all_roles_in_one_process_end_at_once_too(make_office: MakeOffice, primary: Primary) -> None:
    office = make_office()
    office.start("--single")
    until("it runs", lambda: len(lines_with(office, "role-started")) == 1)
    with Stream(office) as stream, failing(office.supervisor, "fdatasync"):
        assert office.wait(END_SECONDS_MAX) == DISK
    assert len(lines_with(office, "alarm about=role-failed")) == 1
    assert_nothing_is_missing(office, stream, primary)


@pytest.mark.parametrize("failed", ["receive", "deliver"])
def test_a_role_alone_ends_at_once_too(make_office: MakeOffice, call: Call, failed: str) -> None:
    """As in systemd units of their own. The other one meets the error at its next sync."""
    office = make_office()
    with serving(office.config, "--role", "deliver") as deliver:
        office.start("--role", "receive")
        until("the deliverer hears hints", lambda: (office.store / HINTS).exists())
        client = call(office)
        if failed == "receive":
            with failing(office.processes()["receive"], "fdatasync"):
                assert not client.send(message(1), RECIPIENT).startswith("250 ")
                assert office.wait(END_SECONDS_MAX) == DISK
            assert deliver.poll() is None
            deliver.terminate()
            assert deliver.wait(30) == 0
        else:
            with failing(roles_below(deliver.pid)["deliver"], "fdatasync"):
                assert client.send(message(1), RECIPIENT).startswith("250 ")
                assert deliver.wait(END_SECONDS_MAX) == DISK


@contextmanager
def serving(config: Path, *words: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A second service beside the office, which ends with the test."""
    with subprocess.Popen(serve(config, *words), stderr=subprocess.DEVNULL) as service:
        try:
            yield service
        finally:
            service.terminate()


def is_open(port: int) -> bool:
    try:
        Client(port).close()
    except OSError:
        return False
    return True


def test_one_content_that_cannot_be_read_waits_alone(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    office = make_office()
    office.start()
    office.wait_for_roles()
    client = call(office)
    assert client.send(message(1, 200_000), RECIPIENT).startswith("250 ")
    assert client.send(message(2), RECIPIENT).startswith("250 ")
    until("the primary is known to be down", lambda: len(lines_with(office, "site-down")) == 1)
    [file] = (office.store / "mail" / "content").iterdir()
    with failing(office.processes()["deliver"], "pread64", file):
        primary.open()
        until("the other one has arrived", lambda: len(primary.taken) == 1)
        until("the owner hears of it", lambda: len(lines_with(office, "alarm about=content-unreadable")) == 1)
        assert client.send(message(3), RECIPIENT).startswith("250 ")
        until("mail goes on", lambda: len(primary.taken) == 2)
    office.command("queue", "retry", "--all", "--yes")
    until("the disk has thought better of it", lambda: len(primary.taken) == 3)
    assert lines_with(office, "role-failed") == []


# ---------------------------------------------------------------- two services on one store


def test_a_second_service_on_the_same_store_ends_with_one_sentence(
    make_office: MakeOffice, tmp_path: Path
) -> None:
    office = make_office()
    office.start()
    office.wait_for_roles()
    other = other_ports(office, tmp_path)
    for words in ((), ("--single",)):
        done = run(other, *words)
        assert done.returncode == UNREACHABLE
        assert f"another Secondpost (process {office.supervisor}) works with the store" in done.stderr
        assert str(other) in done.stderr
        assert [line for line in done.stderr.splitlines() if "role-stopped" not in line] == [
            line for line in done.stderr.splitlines() if "another Secondpost" in line
        ]
    deliver = office.processes()["deliver"]
    done = run(other, "--role", "deliver")
    assert done.returncode == UNREACHABLE
    assert f"another deliver role (process {deliver}) works with the store" in done.stderr
    assert office.processes()["deliver"] == deliver


def other_ports(office: PostOffice, folder: Path) -> Path:
    """A configuration for the same store at other ports."""
    path = folder / "other.toml"
    text = office.config.read_text().replace(f":{office.port}", f":{free_port()}")
    metrics = office.monitor.removeprefix("http://")
    path.write_text(text.replace(metrics, f"127.0.0.1:{free_port()}"))
    return path


def run(config: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(serve(config, *words), capture_output=True, text=True, timeout=30, check=False)


def test_a_second_receiver_may_come(make_office: MakeOffice, tmp_path: Path) -> None:
    office = make_office()
    office.start()
    office.wait_for_roles()
    config = other_ports(office, tmp_path)
    port = int(re.findall(r"listen = \[\"127.0.0.1:(\d+)", config.read_text())[0])
    with serving(config, "--role", "receive") as second:
        until("it listens", lambda: is_open(port))
        client = Client(port)
        assert client.send(message(1), RECIPIENT).startswith("250 ")
        client.close()
        second.terminate()
        assert second.wait(30) == 0


def test_a_service_whose_supervisor_was_killed_leaves_its_place_to_the_next(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    primary.open()
    office = make_office()
    office.start()
    office.wait_for_roles()
    office.kill(Victim.SUPERVISOR)
    office.start()  # until the port answers, which may be a role of the killed one in its last moment
    until("its own roles run", lambda: len(lines_with(office, "role-started")) == 2 * office.roles_max)
    assert call(office).send(message(1), RECIPIENT).startswith("250 ")
    until("mail arrives", lambda: len(primary.taken) == 1)
    assert lines_with(office, "cannot-start") == []
