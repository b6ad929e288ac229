"""What a server sends instead of a reply, or behind one, is found, and changes nothing of a delivery."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress

import pytest

from secondpost.deliver.connection import Connection
from secondpost.deliver.hostile_servers import HostileServers
from secondpost.deliver.message import Job, Prepared
from secondpost.mail.attack import AttackCount
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Hop, TlsDemand
from secondpost.mail.reply import Reply
from secondpost.maillog import MailLog
from secondpost.protocols.attacks.rules import HOSTILE_REPLY
from secondpost.protocols.smtp.client import RecipientResult
from secondpost.spool.attack_tally import AttackTally
from secondpost.world.real.net import RealNet
from tests.clock import SetClock
from tests.stations.test_connection import JOB, Wire

REFUSAL = b"553-\r\n553 \n"
ATTACK = REFUSAL + b"type: mda\nmda-exec: /bin/sh -c id\n"  # of CVE-2020-8794
REPLIES = (b"220 mx\r\n", b"250 mx\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n", b"250 taken\r\n")
PHASES = ("greeting", "EHLO", "MAIL", "RCPT", "DATA", "dot")
BODY = b"Subject: hi\r\n\r\nHello.\r\n"
SERVER = "127.0.0.1"


class Station:
    """Holds a connection, and keeps what it reports and what the watch counts."""

    def __init__(self) -> None:
        self.reported: list[object] = []
        self.counts: list[AttackCount] = []
        self.lines: list[str] = []
        self.over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.tally = AttackTally(self, SetClock())
        self._servers = HostileServers(self.tally, MailLog(self.lines.append), self._run)

    async def count_attacks(self, counts: Sequence[AttackCount]) -> None:
        self.counts += counts

    def connection(self, port: int, *, is_watched: bool = True) -> Connection:
        hop = Hop("mx", (SERVER,), port, TlsDemand.NONE)
        look_at = self._servers.look if is_watched else None
        return Connection(self, RealNet(), "mx2.example.net", hop, self._run, None, look_at)

    def connection_ready(self, connection: Connection) -> None:
        connection.send(Prepared(JOB, BODY), self)

    def message_done(self, connection: Connection, job: Job, results: tuple[RecipientResult, ...]) -> None:
        self.reported.append(results)

    def connection_broken(self, connection: Connection, cause: Cause, reply: Reply) -> None:
        self.reported.append((cause, reply))
        self.over.set()

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)

    async def end(self) -> list[AttackCount]:
        await self.tally.write()
        for task in self._tasks:
            task.cancel()
        return self.counts


class FarWire(Wire):
    def get_extra_info(self, name: str, default: object = None) -> object:
        return (SERVER, 25) if name == "peername" else default


async def talked(said: Sequence[bytes], *, is_watched: bool = True) -> tuple[list[object], list[AttackCount]]:
    """What is reported of a server that says these octets, and what was found."""
    station = Station()
    connection = station.connection(25, is_watched=is_watched)
    connection.connection_made(FarWire())
    for piece in said:
        connection.data_received(piece)
    connection.abort()
    return station.reported, await station.end()


@pytest.mark.parametrize("phase", PHASES)
def test_a_hostile_reply_is_found_at_every_command_and_wherever_it_is_cut(phase: str) -> None:
    async def story() -> None:
        before = REPLIES[: PHASES.index(phase)]
        for cut in range(len(ATTACK)):
            said = [*before, ATTACK[:cut], ATTACK[cut:]]
            reported, found = await talked(said)
            # A refused greeting ends the session, and after a refused EHLO the next command is due:
            # what comes later is not read any more.
            begun = len(REFUSAL) + (phase == "EHLO")
            is_read = phase not in PHASES[:2] or not begun <= cut < len(REFUSAL + b"type: ")
            expected = [(HOSTILE_REPLY.id, "127.0.0.0/24", 1, SERVER, "reply")] if is_read else []
            seen = [(one.rule, one.network, one.times, one.client, one.place) for one in found]
            assert seen == expected, cut
            assert all("type: mda" in one.sample or cut > len(REFUSAL) for one in found)
            assert reported == (await talked(said, is_watched=False))[0], "the watch changes nothing"

    asyncio.run(story())


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("cut", [0, 5, len(REFUSAL) - 1], ids=["one packet", "between lines", "in a line"])
def test_a_real_server_that_answers_so_is_counted_and_logged(phase: str, cut: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        index = PHASES.index(phase)
        for number, reply in enumerate(REPLIES[: index + 1]):
            if number > 0:
                await reader.readuntil(b"\r\n.\r\n" if PHASES[number] == "dot" else b"\r\n")
            for piece in (reply,) if number < index else (ATTACK[:cut], ATTACK[cut:]):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
        with suppress(ConnectionError):
            await reader.read()
            writer.close()
            await writer.wait_closed()
        served.set()

    served = asyncio.Event()

    async def story() -> None:
        station = Station()
        server = await asyncio.start_server(serve, SERVER, 0)
        async with server, asyncio.timeout(10):
            connection = station.connection(server.sockets[0].getsockname()[1])
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: connection, *server.sockets[0].getsockname()
            )
            await station.over.wait()
            transport.close()
            await served.wait()
        (count,) = await station.end()
        assert (count.rule, count.client, count.times) == (HOSTILE_REPLY.id, SERVER, 1)
        (line,) = station.lines
        assert line.startswith(
            f"attack peer={SERVER} rule=hostile-reply grade=exploit cve=CVE-2020-8794 place=reply"
        )

    asyncio.run(story())


@pytest.mark.parametrize(
    "said",
    [
        b"what was that?\r\n",
        b"554-5.7.1 type: spam\r\n554 5.7.1 sender: refused\r\n",
        b"250 ok\r\n250 ok\r\n",
        b"421 4.7.0 rcpt: too many\r\n",
        b"250-ok\r\n251 two codes\r\n",
        b"x" * 5000,
    ],
)
def test_broken_sessions_of_honest_servers_are_no_attack(said: bytes) -> None:
    async def story() -> None:
        for phase in range(len(REPLIES)):
            _, found = await talked([*REPLIES[:phase], said])
            assert found == []

    asyncio.run(story())
