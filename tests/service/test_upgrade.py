"""The program changes under a running service: nothing is refused, nothing lost, nothing sent twice."""

import asyncio
import sys
from contextlib import ExitStack, closing
from pathlib import Path

from secondpost.processes.reload_desk import desk_name
from secondpost.processes.upgrade_talk import Upgrade, UpgradeTalk
from tests.crash.ledger import Ledger
from tests.crash.postoffice import RECIPIENT, free_port
from tests.crash.sink import Sink
from tests.newsletter.writing import atom
from tests.service.newsroom import Newsroom
from tests.service.programs import make_program
from tests.service.steady import Steady
from tests.world.web_server import WebServer, answer

KEPT, NEW = 20, 4  # clients


def talk(room: Newsroom) -> UpgradeTalk:
    return UpgradeTalk(str(room.store / desk_name(None)))


async def story(folder: Path) -> None:
    program = make_program(folder / "next", "0.2.0")
    ledger = Ledger()
    sink = Sink(ledger)
    await sink.open()
    with ExitStack() as ends:
        blog = ends.enter_context(WebServer({"/weekly": answer("200 OK", atom((1,)))}).in_a_thread())
        room = Newsroom(folder, blog, free_port(), {"weekly": ""}, sink.port)
        ends.callback(room.end)
        await asyncio.to_thread(room.start)
        await asyncio.to_thread(room.wait_for_roles)
        steady = Steady(room.port, ledger, RECIPIENT)
        load = asyncio.create_task(steady.run(KEPT, NEW, int(room.web.rpartition(":")[2])))
        await asyncio.sleep(1)
        one = ends.enter_context(closing(talk(room)))
        said = await asyncio.to_thread(one.begin, Upgrade(program, sys.executable))
        print(said)
        await asyncio.sleep(2)
        print(steady.faults)
        said = await asyncio.to_thread(one.keep)
        print(said)
        await asyncio.sleep(2)
        one = ends.enter_context(closing(talk(room)))
        said = await asyncio.to_thread(one.begin, Upgrade(sys.executable, program))
        print(said)
        said = await asyncio.to_thread(one.back)
        print(said)
        await asyncio.sleep(1)
        steady.stopping = True
        await load
        print(steady.faults, steady.messages, ledger.faults())
        await asyncio.sleep(3)
        print(ledger.faults(), ledger.duplicates, len(ledger.missing))
        assert await asyncio.to_thread(room.stop) == 0
        sink.close()
    print(room.log.read_text()[-15000:])


def test_it(tmp_path: Path) -> None:
    asyncio.run(story(tmp_path))
