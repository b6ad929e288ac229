"""The program of a running service changes: nothing is refused, nothing lost, nothing sent twice.

The versions differ from this tree in their number, and where it says so in a real defect.
"""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from secondpost import __version__
from secondpost.processes.reload_desk import desk_name
from secondpost.processes.upgrade_talk import NoUpgrade, Upgrade, UpgradeState, UpgradeTalk
from tests.crash.ledger import Ledger
from tests.crash.postoffice import RECIPIENT, PostOffice
from tests.crash.readers_sink import ReadersSink, readers_sink
from tests.crash.sink import Sink
from tests.newsletter.writing import atom
from tests.service.conftest import Call, MakeOffice
from tests.service.newsroom import Newsroom
from tests.service.primary import Primary
from tests.service.programs import make_program
from tests.service.steady import Steady
from tests.service.test_alarms import OWNER
from tests.service.test_hard_times import message, until
from tests.world.web_server import WebServer, answer

KEPT, NEW = 6, 2  # clients
READERS = 600
DRAIN_SECONDS_MAX = 60.0
HELD_SECONDS = 2.0  # that the command takes to look, here
LATER = "store/sqlite/migrations/0900_later.sql", ("", "CREATE TABLE later (one INTEGER) STRICT;\n")
BROKEN = "store/sqlite/migrations/0901_broken.sql", ("", "CREATE TABEL broken (one INTEGER) STRICT;\n")
DIES = (
    "roles/deliver.py",
    (
        "    async def start(self) -> None:\n",
        '    async def start(self) -> None:\n        raise RuntimeError("a defect")\n',
    ),
)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programs")


@pytest.fixture(scope="module")
def next_program(places: Path) -> str:
    return make_program(places / "next", "0.9.0")


@pytest.fixture(scope="module")
def later_program(places: Path) -> str:
    """Its schema is a newer one."""
    return make_program(places / "later", "0.9.1", dict([LATER]))


def talk(office: PostOffice) -> closing[UpgradeTalk]:
    return closing(UpgradeTalk(str(office.store / desk_name(None))))


def taking(program: str) -> Upgrade:
    return Upgrade(program, sys.executable)


def program_of(number: int) -> str:
    return Path(f"/proc/{number}/cmdline").read_bytes().partition(b"\0")[0].decode()


# ---------------------------------------------------------------- under load


@dataclass
class Load:
    room: Newsroom
    steady: Steady
    ledger: Ledger
    readers: ReadersSink

    async def grows(self) -> None:
        """Mail is taken now, and nothing was wrong until now."""
        before = self.steady.messages
        async with asyncio.timeout(DRAIN_SECONDS_MAX):
            while self.steady.messages < before + KEPT + NEW:
                await asyncio.sleep(0.05)
        assert self.steady.faults == [], self.room.log.read_text()[-20_000:]


@asynccontextmanager
async def under_load(folder: Path, *, may_end: bool) -> AsyncIterator[Load]:
    """Kept and new connections all the time, pages read, and an issue on its way; at the end all that was
    promised has come, once.
    """
    ledger = Ledger()
    sink = Sink(ledger)
    await sink.open()
    with ExitStack() as ends:
        readers = ends.enter_context(readers_sink())
        blog = ends.enter_context(WebServer({"/weekly": answer("200 OK", atom((1, 2)))}).in_a_thread())
        more = {"weekly": 'approve = true\nstart = "everything"'}
        room = Newsroom(folder, blog, readers.port, more, sink.port)
        ends.callback(room.end)
        addresses = [f"r{n}@reader.example" for n in range(READERS)]
        await asyncio.to_thread(room.have_readers, {"weekly": addresses})
        await asyncio.to_thread(room.start)
        await asyncio.to_thread(room.wait_for_roles)
        steady = Steady(room.port, ledger, RECIPIENT, may_end)
        load = asyncio.create_task(steady.run(KEPT, NEW, int(room.web.rpartition(":")[2])))
        it = Load(room, steady, ledger, readers)
        await it.grows()
        sent = await asyncio.to_thread(room.run, "issue", "send", "weekly")
        assert sent.returncode == 0, sent.stderr
        yield it
        await it.grows()
        steady.stopping = True
        await load
        async with asyncio.timeout(DRAIN_SECONDS_MAX):
            while len(ledger.missing) > 0 or not await asyncio.to_thread(room.is_done, "weekly", 1):
                await asyncio.sleep(0.2)
        mails = Counter(taken.recipient for taken in await asyncio.to_thread(readers.taken))
        assert await asyncio.to_thread(room.stop) == 0
        sink.close()
    assert steady.faults == []
    assert ledger.faults() == []
    assert ledger.duplicates == 0
    mails.pop(OWNER, None)  # is asked to approve the issue
    assert mails == Counter(addresses)
    assert "maybe-duplicate" not in room.log.read_text()
    assert room.running() == []


def test_another_program_takes_over_and_goes_back_under_load(tmp_path: Path, next_program: str) -> None:
    async def story() -> None:
        async with under_load(tmp_path, may_end=False) as load:
            number = load.room.supervisor
            with talk(load.room) as asking:
                said = await asyncio.to_thread(asking.begin, taking(next_program))
                assert (said.state, said.version) == (UpgradeState.SERVING, "0.9.0"), said
                await load.grows()
                assert (await asyncio.to_thread(asking.back)).state is UpgradeState.BACK
            await load.grows()
            assert program_of(number) == sys.executable
            with talk(load.room) as asking:
                await asyncio.to_thread(asking.begin, taking(next_program))
                assert (await asyncio.to_thread(asking.keep)).state is UpgradeState.KEPT
            assert load.room.supervisor == number
            assert program_of(number) == next_program

    asyncio.run(story())
    log = (tmp_path / "log").read_text()
    assert f"supervisor upgraded old={__version__} new=0.9.0\n" in log
    assert f"supervisor went-back old=0.9.0 new={__version__}\n" in log


def test_a_new_schema_lets_callers_wait_and_refuses_none(tmp_path: Path, later_program: str) -> None:
    """Taken back once, and then kept."""

    async def story() -> None:
        async with under_load(tmp_path, may_end=True) as load:
            for keeps in (False, True):
                with talk(load.room) as asking:
                    begun = time.monotonic()
                    said = await asyncio.to_thread(asking.begin, taking(later_program))
                    assert said.state is UpgradeState.HELD, said
                    taken = load.steady.messages
                    await asyncio.sleep(HELD_SECONDS)
                    assert load.steady.messages == taken, "nothing is taken before the word"
                    await asyncio.to_thread(asking.keep if keeps else asking.back)
                pause = time.monotonic() - begun - HELD_SECONDS
                await load.grows()
                print(f"{'kept' if keeps else 'back'}: {pause:.1f} s besides the look")

    asyncio.run(story())


# ---------------------------------------------------------------- what fails


def test_a_role_that_dies_at_its_start_is_no_outage(
    make_office: MakeOffice, call: Call, primary: Primary, places: Path
) -> None:
    program = make_program(places / "dies", "0.9.2", dict([DIES]))
    primary.open()
    office = make_office()
    office.start()
    office.wait_for_roles()
    staying = call(office)
    with talk(office) as asking:
        said = asking.begin(taking(program))
    assert (said.state, said.missing) == (UpgradeState.BACK, ())
    assert said.why == ("the deliver role of version 0.9.2 does not serve",)
    assert program_of(office.supervisor) == sys.executable
    assert staying.send(message(1), RECIPIENT).startswith("250 ")
    assert call(office).send(message(2), RECIPIENT).startswith("250 ")
    until("both have come", lambda: len(primary.taken) == 2)
    assert office.stop() == 0


def test_a_migration_that_fails_leaves_the_store_as_it_was(
    make_office: MakeOffice, call: Call, primary: Primary, places: Path
) -> None:
    program = make_program(places / "broken", "0.9.3", dict([LATER, BROKEN]))
    primary.open()
    office = make_office()
    office.start()
    office.wait_for_roles()
    with talk(office) as asking:
        said = asking.begin(taking(program))
    assert (said.state, said.missing) == (UpgradeState.BACK, ())
    assert "cannot be changed to another schema" in said.why[0]
    assert call(office).send(message(1), RECIPIENT).startswith("250 ")
    until("it has come", lambda: len(primary.taken) == 1)
    assert office.stop() == 0
    assert "is a copy" not in office.log.read_text()


REFUSED = {
    "none": "cannot be run",
    "store": "lies in the store",
    "script": "does not start",
    "relative": "no absolute path",
}


def test_what_cannot_be_run_is_refused_and_nothing_changes(make_office: MakeOffice, tmp_path: Path) -> None:
    office = make_office()
    office.start()
    office.wait_for_roles()
    before = office.processes()
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    script.chmod(0o755)
    programs = {
        "none": "/nonexistent/python",
        "store": str(office.store / "mail" / "python"),
        "script": str(script),
        "relative": "python3",
    }
    for name, program in programs.items():
        with talk(office) as asking:
            said = asking.begin(taking(program))
        assert said.state is UpgradeState.REFUSED
        assert REFUSED[name] in said.why[0]
    assert office.processes() == before
    assert office.stop() == 0


# ---------------------------------------------------------------- killed in the middle


@pytest.fixture
def held(
    make_office: MakeOffice, primary: Primary, later_program: str
) -> Iterator[tuple[PostOffice, UpgradeTalk]]:
    """A service whose callers wait, and the command that looks at it."""
    primary.open()
    office = make_office()
    office.start()
    office.wait_for_roles()
    with talk(office) as asking:
        assert asking.begin(taking(later_program)).state is UpgradeState.HELD
        yield office, asking


def test_without_the_command_the_former_program_goes_on(
    held: tuple[PostOffice, UpgradeTalk], call: Call, primary: Primary
) -> None:
    office, asking = held
    asking.close()
    assert call(office).send(message(1), RECIPIENT).startswith("250 ")
    assert program_of(office.supervisor) == sys.executable
    until("it has come", lambda: len(primary.taken) == 1)
    assert office.stop() == 0


def test_after_a_crash_in_the_middle_the_former_program_starts(
    held: tuple[PostOffice, UpgradeTalk], call: Call, primary: Primary
) -> None:
    office, asking = held
    office.kill_all()
    with pytest.raises(NoUpgrade):
        asking.keep()
    office.start()
    assert call(office).send(message(1), RECIPIENT).startswith("250 ")
    until("it has come", lambda: len(primary.taken) == 1)
    assert "store-back" in office.log.read_text()
    assert office.stop() == 0


def test_a_stop_in_the_middle_is_a_stop(held: tuple[PostOffice, UpgradeTalk], call: Call) -> None:
    office, _ = held
    os.kill(office.supervisor, signal.SIGTERM)
    office.wait(60)
    office.start()
    assert call(office).send(message(1), RECIPIENT).startswith("250 ")
    assert office.stop() == 0
