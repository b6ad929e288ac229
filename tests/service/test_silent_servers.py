"""The real service with a hundred servers that accept connections but stay silent, in real time."""

import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import inet_ntoa
from statistics import median

import pytest

from bench.measure import pss_megabytes
from secondpost.deliver.entrances import OPENING_MAX
from secondpost.deliver.idle import LOOKS_AT_ONCE
from tests.crash.postoffice import RECIPIENT
from tests.service.newsroom import BY_HAND, Newsroom
from tests.service.primary import Client, Primary
from tests.service.test_hard_times import message, until
from tests.world.loop_thread import loop_thread
from tests.world.name_server import NameServer
from tests.world.web_server import WebServer

SILENT = 100
LETTERS = 100
SHARED = "127.0.2.1"  # the address behind a hundred names
LETTER_SECONDS = 0.05
OWN_PRIMARY = re.compile(r'(primary    = )\["127\.0\.0\.1:\d+"\]')
OWN_ROUTE = re.compile(r'\[\[route\]\]\ndomain = "\*"\nlane   = "own"\nhost   = "[^"]*"\n')
BACKUP = '[[backup]]\ndomain = "p{n}.example"\nprimary = ["127.0.1.{n}:{port}"]\nrecipients = ["any"]\n'
DELIVERED = re.compile(r"delivered .*delay=([0-9.]+)")


@contextmanager
def silence(port: int) -> Iterator[None]:
    """A port where the kernel accepts connections but no program answers."""
    with ExitStack() as doors:
        for address in (SHARED, *(f"127.0.1.{number}" for number in range(1, SILENT + 1))):
            door = doors.enter_context(socket.socket())
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind((address, port))
            door.listen(SILENT)
        yield


def zone() -> list[str]:
    lines = ["good.example. 600 IN MX 10 mx.good.example.", "mx.good.example. 600 IN A 127.0.0.1"]
    for number in range(1, SILENT + 1):
        name = f"s{number}.example."
        lines += [f"{name} 600 IN MX 10 mx.{name}", f"mx.{name} 600 IN A {SHARED}"]
    return lines


@dataclass(frozen=True, slots=True)
class Town:
    """The service, the primary of example.org and the server of good.example, which both answer."""

    room: Newsroom
    primary: Primary
    readers: Primary

    @property
    def deliverer(self) -> int:
        return self.room.processes()["deliver"]

    def log(self) -> str:
        return self.room.log.read_text()

    def connections_to(self, addresses: str) -> int:
        """The number of connections of the deliver role to addresses with this beginning."""
        table = Path(f"/proc/{self.deliverer}/net/tcp").read_text().splitlines()[1:]
        ours = sockets_of(self.deliverer)
        hosts = (fields[2].partition(":")[0] for line in table if (fields := line.split())[9] in ours)
        return sum(inet_ntoa(bytes.fromhex(host)[::-1]).startswith(addresses) for host in hosts)


def sockets_of(pid: int) -> set[str]:
    """Inodes of the process's sockets."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(os.readlink(entry).removeprefix("socket:[").removesuffix("]"))
    return found


def reconfigure(town: Town, dns_port: int) -> None:
    room = town.room
    text, routes = OWN_ROUTE.subn("", room.config.read_text())
    text, primaries = OWN_PRIMARY.subn(f'\\1["127.0.0.1:{town.primary.port}"]', text)
    assert (routes, primaries) == (1, 1)
    port = town.readers.port
    text = text.replace("[deliver]\n", f"[deliver]\nport = {port}\n")
    text += f'[dns]\nservers = ["127.0.0.1:{dns_port}"]\n'
    text += "".join(BACKUP.format(n=number, port=port) for number in range(1, SILENT + 1))
    room.config.write_text(text)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    primary, readers, blog = Primary(), Primary(), WebServer({"/weekly": None})
    with silence(readers.port), blog.in_a_thread(), loop_thread() as loop, primary, readers:
        names = loop.run(NameServer.truthful(*zone()))
        room = Newsroom(tmp_path, blog, readers.port, {"weekly": BY_HAND})
        it = Town(room, primary, readers)
        try:
            reconfigure(it, names.endpoint.port)
            room.start()
            room.wait_for_roles()
            yield it
        finally:
            room.end()
            loop.run(closed(names))


async def closed(names: NameServer) -> None:
    names.close()


def test_mail_and_a_confirmation_leave_among_a_hundred_silent_primaries_and_names(
    town: Town, tmp_path: Path
) -> None:
    with closing(Client(town.room.port)) as client:
        send_all(town, client, tmp_path)
    print_figures(town)
    assert town.room.stop() == 0


def send_all(town: Town, client: Client, folder: Path) -> None:
    for number in range(1, SILENT + 1):
        assert client.send(message(number), f"reader@p{number}.example").startswith("250 ")
    listed = folder / "readers.csv"
    listed.write_text("".join(f"reader@s{number}.example\n" for number in range(1, SILENT + 1)))
    assert town.room.json_of("subscribers", "import", "weekly", str(listed), "--invite")["added"] == SILENT
    until("all silent primaries are called", lambda: town.connections_to("127.0.1.") >= SILENT)
    for number in range(LETTERS):
        assert client.send(message(number), RECIPIENT).startswith("250 ")
        time.sleep(LETTER_SECONDS)
    town.room.json_of("subscribers", "add", "weekly", "ada@good.example")
    until("the confirmation came", lambda: len(town.readers.mails) == 1)
    until("all mail came", lambda: len(town.primary.mails) == LETTERS)
    assert 1 <= town.connections_to(SHARED) <= OPENING_MAX
    called = town.connections_to("127.0.1.")
    assert SILENT <= called <= SILENT + LOOKS_AT_ONCE, "a greeting has its 300 seconds"
    assert town.log().count("site-down") <= SILENT, "of the names that had no room at their address in time"


def print_figures(town: Town) -> None:
    delays = [float(delay) for delay in DELIVERED.findall(town.log())]
    memory = pss_megabytes(town.deliverer)
    print(
        f"{len(delays)} delivered, delay median {median(delays):.3f} s, at most {max(delays):.3f} s; "
        f"deliver has {memory:.0f} MB; the log has {len(town.log())} octets"
    )
