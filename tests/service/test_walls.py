"""What hostile code can do inside each process of the service, with no systemd around it.

The code is tests/service/intruder/sitecustomize.py, which Python imports where PYTHONPATH leads to it.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from secondpost.signing.orders import orders_octets, signed_of
from tests.crash.postoffice import free_port
from tests.service.intruder import sitecustomize as intruder
from tests.service.newsroom import ROLES, Newsroom
from tests.service.test_workshop import ORDER, Shop, in_a, processes
from tests.world.certificates import make_pair
from tests.world.web_server import WebServer

STRIKE_SECONDS_MAX = 60.0
DONE = intruder.DONE

# What is in the rooms: may be read and written ("w"), read ("r"), or not at all.
ROOMS = {
    "mail.db": {"receive": "w", "deliver": "w"},
    "newsletter.db": {"deliver": "w", "web": "w", "publish": "w"},
    "dkim key": {"deliver": "w"},
    "address keys": {"deliver": "w"},
    "link keys": {"deliver": "w", "web": "r"},
    "service lock": {},
    "shadow": {},
    "tls key": {},
    "password": {},
    "recipients": {},
    "configuration": {},
}
# What the supervisor opens for a role that asks for it.
ASKED = {"tls key": ("receive", "web", "deliver"), "recipients": ("receive",), "password": ("deliver",)}
INTERNET = ("deliver", "fetch")
OUTWARD = (
    "connect by TCP over IPv4",
    "connect by TCP over IPv6",
    "send by UDP over IPv4",
    "send by UDP over IPv6",
)
EACCES, EPERM = "EACCES", "EPERM"
# For every role; alternatives where the kernel has several walls in the way.
ALWAYS: dict[str, tuple[str, ...]] = {
    "read by O_PATH": (EACCES,),
    "read by link": (EACCES, "EXDEV"),
    "read by symlink": (EACCES,),
    "rename into the room": (EACCES, "EXDEV"),
    "truncate": (EACCES,),
    "chmod": (EPERM,),
    "chown": (EPERM,),
    "setxattr": (EPERM,),
    "list /": (EACCES,),
    "create in the store": (EACCES,),
    "create in /tmp": (EACCES,),
    "create in the room": (DONE,),
    "open memory of another role": (EACCES,),
    "read environment of another role": (EACCES,),
    "open memory of the supervisor": (EACCES,),
    "run sh": (EPERM,),
    "run python": (EPERM,),
    "run by the loader": (EPERM,),
    "run from memory": (EPERM,),
    "run by execveat": (EPERM,),
    "run a script in the room": (EPERM,),
    "run by system": (EPERM,),
    "run by posix_spawn": (EPERM,),
    "run by subprocess": (EPERM,),
    "listen": (EPERM, EACCES),
    "raw socket": (EPERM,),
    "packet socket": (EPERM,),
    "vsock": (EPERM,),
    "netlink of the audit": (EPERM,),
    "abstract Unix socket": (EPERM,),
    "Unix socket": (DONE,),
    "signal another role": (EPERM,),
    "signal the supervisor": (EPERM,),
    "signal by pidfd": (EPERM,),
    "signal by a socket": (EPERM,),
    "fork": (EPERM,),
    "ptrace": (EPERM,),
    "process_vm_readv": (EPERM,),
    "pidfd_getfd": (EPERM,),
    "io_uring": (EPERM,),
    "bpf": (EPERM,),
    "userfaultfd": (EPERM,),
    "keyctl": (EPERM,),
    "new namespace": (EPERM,),
    "unshare": (EPERM,),
    "chroot": (EPERM,),
    "mount": (EPERM,),
    "x32": (EPERM,),
    "int 0x80": (EPERM, "ECHILD"),  # killed where the kernel has no 32-bit calls
}

# What does not even succeed without walls: nothing lies at the address, and no caller is connected.
UNWALLED = {
    "process_vm_readv": "EFAULT",
    "connect by a caller's socket": "LookupError",
    "send by a caller's socket": "LookupError",
}


def expected(role: str) -> dict[str, tuple[str, ...]]:
    table = dict(ALWAYS)
    for name, rights in ROOMS.items():
        table[f"read {name}"] = (DONE,) if role in rights else (EACCES,)
        table[f"write {name}"] = (DONE,) if rights.get(role) == "w" else (EACCES,)
        table[f"ask for {name}"] = (DONE,) if role in ASKED.get(name, ()) else (EACCES,)
    for way in OUTWARD:
        table[way] = (DONE,) if role in INTERNET else (EPERM,)
    table["ask for a signing process"] = (DONE,) if role == "deliver" else (EPERM,)
    table["ask to reload"] = (EPERM,)
    has_callers = role in ("receive", "web")
    table["connect by a caller's socket"] = (EACCES,) if has_callers else ("LookupError",)
    table["send by a caller's socket"] = (EPERM,) if has_callers else ("LookupError",)
    return table


class Outside:
    """What the intruder tries to reach: listeners of the test on loopback, and on an abstract socket."""

    def __init__(self, ends: ExitStack) -> None:
        self.abstract = f"secondpost-intruder-{os.getpid()}"
        self.tcp = ends.enter_context(
            socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        )
        self.port = self.tcp.getsockname()[1]
        self.udp = ends.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        self.udp.bind(("::", self.port))
        self.unix = ends.enter_context(socket.socket(socket.AF_UNIX))
        self.unix.bind("\0" + self.abstract)
        self.unix.listen(10)
        for door in (self.tcp, self.udp, self.unix):
            door.setblocking(False)

    def was_reached(self) -> bool:
        """Whether anything came since the last call."""
        reached = False
        for door in (self.tcp, self.unix):
            while (caller := _next(door)) is not None:
                caller.close()
                reached = True
        try:
            while True:
                self.udp.recv(100)
                reached = True
        except BlockingIOError:
            return reached


def _next(door: socket.socket) -> socket.socket | None:
    try:
        return door.accept()[0]
    except BlockingIOError:
        return None


class Invaded(Newsroom):
    """A newsroom with secrets of every kind, whose processes run the intruder on SIGUSR1."""

    def __init__(self, folder: Path, blog: WebServer, outside: Outside) -> None:
        super().__init__(folder, blog, free_port(), {"weekly": ""})
        self.outside = outside
        pair = make_pair(folder, "mx2.example.net")
        self.files = {
            "mail.db": self.store / "mail/mail.db",
            "newsletter.db": self.store / "newsletter/newsletter.db",
            "dkim key": self.store / "keys/sp-rsa.pem",
            "address keys": self.store / "keys/addresses.keys",
            "link keys": self.store / "keys/links/links.keys",
            "service lock": self.store / "service.lock",
            "shadow": Path("/etc/shadow"),
            "tls key": Path(pair.key),
            "password": folder / "password",
            "recipients": folder / "recipients",
            "configuration": self.config,
        }
        self.files["password"].write_text("hunter2\n")
        self.files["recipients"].write_text("reader\n")
        text = self.config.read_text().replace('recipients = ["any"]', 'recipients = ["file:recipients"]')
        more = (
            f'\n[tls]\ncertificate = "{pair.certificate}"\nkey = "{pair.key}"\n'
            '\n[[route]]\ndomain = "elsewhere.example"\nlane = "own"\nhost = "127.0.0.1:2500"\n'
            'username = "me"\npassword_file = "password"\ntls = "none"\n'
        )
        self.config.write_text(text + more)
        self.intruder = folder / "intruder"
        self.intruder.mkdir()
        shutil.copy(str(intruder.__file__), self.intruder / "sitecustomize.py")

    def aim(self, role: str, other: int, supervisor: int, room: Path) -> None:
        targets = {
            "files": {name: str(path) for name, path in self.files.items()},
            "secret": str(self.files["shadow" if os.geteuid() == 0 else "configuration"]),
            "room": str(room),
            "store": str(self.store),
            "other": other,
            "supervisor": supervisor,
            "port": self.outside.port,
            "free_port": free_port(),
            "abstract": self.outside.abstract,
        }
        (self.intruder / "targets.json").write_text(json.dumps(targets))

    def strike(self, pid: int) -> dict[str, str]:
        """Have the intruder in this process try everything; returns what came of it."""
        before = self.log.read_text().count(intruder.WORD)
        os.kill(pid, signal.SIGUSR1)
        end = time.monotonic() + STRIKE_SECONDS_MAX
        while (said := self._said())[before:] == []:
            assert time.monotonic() < end, self.log.read_text()[-5_000:]
            time.sleep(0.05)
        return said[-1]

    def _said(self) -> list[dict[str, str]]:
        lines = self.log.read_text().split("\n")[:-1]
        return [json.loads(line.partition(" ")[2]) for line in lines if line.startswith(intruder.WORD)]


@pytest.fixture
def invaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invaded]:
    with ExitStack() as ends:
        blog = ends.enter_context(WebServer({}).in_a_thread())
        room = Invaded(tmp_path, blog, Outside(ends))
        monkeypatch.setenv("PYTHONPATH", str(room.intruder))
        ends.callback(room.end)
        yield room


def test_from_inside_a_role_nothing_is_reached_but_what_the_table_says(invaded: Invaded) -> None:
    invaded.start()
    invaded.wait_for_roles()
    processes = invaded.processes()
    assert set(processes) == set(ROLES)
    for role, pid in processes.items():
        other = processes["deliver" if role != "deliver" else "publish"]
        invaded.aim(role, other, invaded.supervisor, invaded.store / "run" / role)
        with callers_of(invaded):
            found = invaded.strike(pid)
        table = expected(role)
        assert {name for name in found if not name.startswith("thread: ")} == set(table)
        wrong = {name: got for name, got in found.items() if got not in table[name.removeprefix("thread: ")]}
        assert wrong == {}, role
        assert invaded.outside.was_reached() == (role in INTERNET)
    assert invaded.processes() == processes, "they live, and go on"
    assert invaded.stop() == 0
    said = [line for line in invaded.log.read_text().splitlines() if " walls role=" in line]
    assert len(said) == len(ROLES)
    assert all(line.endswith('landlock=7 seccomp=yes gaps=""') for line in said), said


def callers_of(room: Invaded) -> ExitStack:
    """A client at each port, whose connection the intruder may find."""
    clients = ExitStack()
    for port in (room.port, int(room.web.rpartition(":")[2])):
        for _ in range(2):
            client = clients.enter_context(closing(socket.create_connection(("127.0.0.1", port))))
            if port != room.port:
                client.sendall(b"GET /weekly/ HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(1) != b""
    return clients


def test_without_the_walls_the_intruder_does_all_of_it(invaded: Invaded) -> None:
    """Else the test above would show nothing."""
    if os.geteuid() != 0:
        pytest.fail("this test shows what root can do, and runs as root")
    invaded.start()
    invaded.wait_for_roles()
    processes = invaded.processes()
    own = invaded.store.parent / "own"
    own.mkdir()
    invaded.aim("", processes["deliver"], invaded.supervisor, own)
    done = subprocess.run(
        [sys.executable, str(invaded.intruder / "sitecustomize.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stderr.partition(intruder.WORD)[2])
    # Some kernels are built without the other ABIs of their architecture.
    stopped = {name: got for name, got in found.items() if got != DONE and name not in ("x32", "int 0x80")}
    assert stopped == UNWALLED


def test_in_one_process_the_walls_are_those_of_all_roles_together(invaded: Invaded) -> None:
    """It has no supervisor: so it opens the files of the configuration itself, with their folder."""
    invaded.roles_max = 1
    invaded.start("--single")
    invaded.wait_for_roles()
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        invaded.aim("", stranger.pid, os.getpid(), invaded.store / "run" / "deliver")
        found = invaded.strike(invaded.supervisor)
    finally:
        stranger.kill()
        stranger.wait()
    table = {name: got for name, got in ALWAYS.items() if name != "create in the store"}
    wrong = {name: found[name] for name, allowed in table.items() if found[name] not in allowed}
    assert wrong == {}
    written = ("shadow", "tls key", "password", "recipients", "configuration")
    assert {found["read shadow"], *(found[f"write {name}"] for name in written)} == {EACCES}
    assert [found[f"read {name}"] for name in ("mail.db", "newsletter.db", "password")] == [DONE] * 3
    assert invaded.stop() == 0


def test_a_signing_process_reaches_no_file_and_no_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as ends:
        blog = ends.enter_context(WebServer({}).in_a_thread())
        room = Invaded(tmp_path, blog, Outside(ends))
        monkeypatch.setenv("PYTHONPATH", str(room.intruder))
        (tmp_path / "store").mkdir(mode=0o700)
        said: list[str] = []

        async def story(shop: Shop) -> None:
            await shop.open()
            room.aim("", os.getpid(), os.getppid(), room.store / "keys")
            os.kill(processes()[0], signal.SIGUSR1)
            while intruder.WORD not in (text := capfd.readouterr().err):
                await asyncio.sleep(0.05)
            said.append(text)
            assert len(signed_of(await shop.workshop.do(orders_octets(ORDER)))) == 1

        in_a(Shop(tmp_path / "store"), story)
        assert not room.outside.was_reached()
    found: dict[str, str] = json.loads(said[0].partition(intruder.WORD)[2])
    existing = [name for name, path in room.files.items() if path.exists()]
    for name in existing:
        assert found[f"read {name}"] == found[f"write {name}"] == EACCES
    table = ALWAYS | dict.fromkeys(OUTWARD, (EPERM,)) | {"Unix socket": (EPERM,)}
    table |= dict.fromkeys(("create in the room", "run a script in the room"), (EACCES,))
    wrong = {name: found[name] for name, allowed in table.items() if found[name] not in allowed}
    assert wrong == {}
