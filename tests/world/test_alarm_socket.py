"""What stands in one process is heard in another, and ends with its connection."""

import asyncio
import os
import signal
import sys
from itertools import pairwise
from pathlib import Path

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import Alarm, StandingAlarms
from secondpost.protocols.alarm_statements import SUPERVISOR, Stated, statement_line
from secondpost.world.real.net import RealNet
from secondpost.world.sockets.alarms import (
    CONNECTIONS_MAX_OF_ROLE,
    REST_SECONDS,
    AlarmListener,
    AlarmReporter,
)
from secondpost.world.sockets.statements import CONNECTIONS_MAX

from .conftest import Run
from .test_real_net import Talker

# A process in which an alarm begins and another ends; it then says so, and waits.
STATING = """
import asyncio, sys
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.world.real.net import RealNet
from secondpost.world.sockets.alarms import AlarmReporter

async def main():
    alarms = StandingAlarms(lambda kind, text: None, lambda: 1_000)
    alarms.begin(AlarmKind.RECIPIENTS_FILE, "lists", "line 3")
    asyncio.create_task(AlarmReporter(RealNet(), sys.argv[1], "receive", alarms).run())
    await asyncio.to_thread(sys.stdin.readline)
    alarms.begin(AlarmKind.CANNOT_START, "", "port 25 is taken")
    alarms.begin(AlarmKind.NO_ROUTE, "example.net", "not of this role")
    alarms.end(AlarmKind.RECIPIENTS_FILE, "lists")
    await asyncio.sleep(600)

asyncio.run(main())
"""


class Ear:
    """Hears statements; `until` waits for one."""

    def __init__(self) -> None:
        self.listener = AlarmListener(self._heard, self._left)
        self.heard: dict[int, Stated] = {}
        self.ended: list[int] = []
        self.said: list[tuple[str, AlarmKind, str]] = []  # all that was ever stated
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def _heard(self, number: int, said: Stated) -> None:
        self.heard[number] = said
        self.said += [(said.role, alarm.kind, alarm.subject) for alarm in said.alarms]
        self._tell()

    def _left(self, number: int) -> None:
        self.heard.pop(number, None)
        self.ended.append(number)
        self._tell()

    def _tell(self) -> None:
        async def tell() -> None:
            async with self._news:
                self._news.notify_all()

        task = asyncio.get_running_loop().create_task(tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def until(self, *subjects: tuple[str, AlarmKind, str]) -> None:
        """Wait until exactly these alarms are stated."""
        async with self._news:
            await self._news.wait_for(lambda: sorted(self._standing()) == sorted(map(str, subjects)))

    def _standing(self) -> list[str]:
        return [
            str((said.role, alarm.kind, alarm.subject))
            for said in self.heard.values()
            for alarm in said.alarms
        ]

    async def until_ended(self, many: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: len(self.ended) >= many)


def test_two_processes(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        path, net, ear = str(tmp_path / "alarms.socket"), RealNet(), Ear()
        # The stating process is there first.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", STATING, path, stdin=asyncio.subprocess.PIPE
        )
        assert process.stdin is not None
        door = await ear.listener.open(net, path)
        try:
            await ear.until(("receive", AlarmKind.RECIPIENTS_FILE, "lists"))
            process.stdin.write(b"\n")
            await ear.until(("receive", AlarmKind.CANNOT_START, ""))
            os.kill(process.pid, signal.SIGKILL)
            await ear.until_ended(1)
            await ear.until()
        finally:
            if process.returncode is None and len(ear.ended) == 0:
                process.kill()
            await process.wait()
            door.close()

    run(day())


def test_a_successor_hears_all_that_stands(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        path, net = str(tmp_path / "alarms.socket"), RealNet()
        alarms = StandingAlarms(lambda kind, text: None, lambda: 1_000)
        alarms.begin(AlarmKind.RUNS_AS_ROOT, "", "make a user")
        reporter = AlarmReporter(net, path, SUPERVISOR, alarms)
        first, second = Ear(), Ear()
        door = await first.listener.open(net, path)
        task = asyncio.create_task(reporter.run())
        await first.until((SUPERVISOR, AlarmKind.RUNS_AS_ROOT, ""))
        door.close()
        door = await second.listener.open(net, path)
        first.listener.close()
        await second.until((SUPERVISOR, AlarmKind.RUNS_AS_ROOT, ""))
        task.cancel()
        alarms.begin(AlarmKind.ROLE_DIED, "web", "killed")
        await reporter.finish()  # the last words
        await second.until_ended(1)
        door.close()

    run(day())


def line(role: str, subject: str = "") -> bytes:
    return statement_line(Stated(role, (Alarm(AlarmKind.CANNOT_START, subject, "", 0, 0),)))


async def speak(net: RealNet, path: str, said: bytes) -> Talker:
    talker = Talker(said)
    await net.connect_local(lambda: talker, path, 5)
    return talker


def test_a_connection_speaks_for_one_role(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        path, net, ear = str(tmp_path / "alarms.socket"), RealNet(), Ear()
        door = await ear.listener.open(net, path)
        for said in (b"{}\n", b"x" * 3_000_000, line("deliver")):
            talker = await speak(net, path, said)
            while not talker.is_lost:
                await asyncio.sleep(0.01)
        assert ear.heard == {}
        talker = await speak(net, path, line("receive"))
        await ear.until(("receive", AlarmKind.CANNOT_START, ""))
        assert talker.transport is not None
        talker.transport.write(line("web"))
        await ear.until_ended(4)
        door.close()

    run(day())


def test_one_role_cannot_take_the_places_of_others(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        path, net, ear = str(tmp_path / "alarms.socket"), RealNet(), Ear()
        door = await ear.listener.open(net, path)
        many = [await speak(net, path, line("receive")) for _ in range(CONNECTIONS_MAX - 1)]
        await ear.until_ended(CONNECTIONS_MAX - 1 - CONNECTIONS_MAX_OF_ROLE)
        await speak(net, path, line(SUPERVISOR))
        own = [("receive", AlarmKind.CANNOT_START, "")] * CONNECTIONS_MAX_OF_ROLE
        await ear.until(*own, (SUPERVISOR, AlarmKind.CANNOT_START, ""))
        assert len(many) == CONNECTIONS_MAX - 1
        ear.listener.close()
        door.close()

    run(day())


def test_a_flood_of_statements_is_read_slowly(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        path, net = str(tmp_path / "alarms.socket"), RealNet()
        times: list[float] = []
        loop = asyncio.get_running_loop()
        listener = AlarmListener(lambda number, said: times.append(loop.time()), lambda number: None)
        door = await listener.open(net, path)
        talker = await speak(net, path, line("receive"))
        assert talker.transport is not None
        while len(times) < 4:
            talker.transport.write(line("receive", "x" * 150))
            await asyncio.sleep(0.001)
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert min(gaps) >= REST_SECONDS * 0.9
        talker.transport.abort()
        listener.close()
        door.close()

    run(day())
