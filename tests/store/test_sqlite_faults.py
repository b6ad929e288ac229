"""Faults of the disk and the file: full, failing, foreign, newer. SQLite's adapter only."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from secondpost.deliver.settling import Settler
from secondpost.mail.content import InTable
from secondpost.mail.delivery import State
from secondpost.store.owner_ports import Selection
from secondpost.store.ports import StoreFull, StoreRefused
from secondpost.store.sqlite import SqliteStore
from secondpost.store.sqlite.log_bounds import LogBounds
from secondpost.world.ports import DiskFailed, DiskFull
from secondpost.world.real.disk import RealDisk, RealFile
from secondpost.world.real.work import RealWork
from tests.alarms import unlogged_alarms
from tests.clock import SetClock
from tests.store.letters import Letters, leased, settled
from tests.store.place import SqlitePlace, database_of, engine_of

LARGE = InTable(b"x" * 100_000)


def pages_max(store: SqliteStore, more: int | None) -> None:
    """Permit `more` further pages; None removes the limit."""
    db = database_of(store)
    [(pages,)] = db.execute("PRAGMA page_count").fetchall()
    assert isinstance(pages, int)
    db.execute(f"PRAGMA max_page_count = {2**31 if more is None else pages + more}").fetchall()


async def test_a_full_disk_refuses_mail_and_loses_none(place: SqlitePlace) -> None:
    store = place.open()
    letters = Letters(place, store)
    small = await letters.send("small@example.net")
    pages_max(store, 4)
    results = await asyncio.gather(
        *(store.accept(letters.arrival("large@example.net", content=LARGE)) for _ in range(5)),
        store.accept(letters.arrival("fits@example.net")),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [StoreFull] * 5 + [type(None)]
    assert [one.recipient for one in await store.listed(Selection(), None, 10)] == [
        "small@example.net",
        "fits@example.net",
    ]
    lease = await leased(store)
    claimed = await store.claim(lease, place.clock.ms, 10)
    assert claimed[0].id.queue_id == small.queue_id
    assert await store.settle(lease, [settled(one, State.DELIVERED, place.clock.ms) for one in claimed]) == 2
    pages_max(store, None)
    await letters.send("large@example.net", content=LARGE)
    assert place.failures == []


class FailingDisk(RealDisk):
    """A real disk whose next sync of the log fails on demand: SQLite's and our own."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.shim = FailingVfs(f"failing-{id(self)}")

    @property
    def vfs(self) -> str | None:
        return self.shim.name

    def open(self, name: str) -> "FailingLog":
        return FailingLog(self.shim, self.path(name))


class FailingVfs(apsw.VFS):
    def __init__(self, name: str) -> None:
        self.name = name
        self.fails = False
        self.log_says: Exception = DiskFailed("the log")
        self.syncs = 0
        super().__init__(name, base="")

    def xOpen(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> "FailingFile":
        return FailingFile(self, name, flags)

    def sync(self, error: Exception) -> None:
        self.syncs += 1
        if self.fails:
            raise error


class FullVfs(apsw.VFS):
    """A VFS without room for the log that opening a database creates."""

    def __init__(self, name: str) -> None:
        super().__init__(name, base="")

    def xOpen(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> apsw.VFSFile:
        if flags[0] & apsw.SQLITE_OPEN_WAL:
            raise apsw.FullError
        return apsw.VFSFile("", name, flags)


class FullDisk(RealDisk):
    @property
    def vfs(self) -> str | None:
        return "full"


class FailingFile(apsw.VFSFile):
    def __init__(self, shim: FailingVfs, name: "str | apsw.URIFilename | None", flags: list[int]) -> None:
        self._shim = shim
        super().__init__("", name, flags)

    def xSync(self, flags: int) -> None:
        self._shim.sync(apsw.IOError())
        super().xSync(flags)


class FailingLog(RealFile):
    def __init__(self, shim: FailingVfs, path: str) -> None:
        self._shim = shim
        super().__init__(os.open(path, os.O_WRONLY), path)

    def sync(self) -> None:
        self._shim.sync(self._shim.log_says)
        super().sync()


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[FailingDisk]:
    disk = FailingDisk(str(tmp_path))
    yield disk
    disk.shim.unregister()


@pytest.mark.parametrize("log_says", [DiskFailed("the log"), DiskFull("too late: it is committed")])
async def test_a_failed_sync_is_fatal_and_never_tried_again(
    failing: FailingDisk, log_says: Exception
) -> None:
    failing.shim.log_says = log_says
    failures: list[BaseException] = []
    work = RealWork(1)
    store = SqliteStore.open(failing, work, SetClock(), role="receive", failed=failures.append, in_line=True)
    place = SqlitePlace(failing.path(""))
    letters = Letters(place, store)
    await letters.send("one@example.net")
    assert failing.shim.syncs > 0
    failing.shim.fails = True
    results = await asyncio.gather(
        *(store.accept(letters.arrival("two@example.net")) for _ in range(3)), return_exceptions=True
    )
    assert [type(result) for result in results] == [DiskFailed] * 3
    syncs = failing.shim.syncs
    failing.shim.fails = False
    with pytest.raises(DiskFailed):
        await letters.send("three@example.net")
    assert failing.shim.syncs == syncs
    assert [type(failure) for failure in failures] == [DiskFailed]
    store.close()
    work.close()


async def test_who_waits_is_told_when_another_finds_out_that_the_disk_fails(place: SqlitePlace) -> None:
    """By a checkpoint in the loop: before the group has begun, or while it runs."""
    for turns in (0, 1):
        store = place.open()
        under_way = store.accept(Letters(place, store).arrival("one@example.net"))
        for _ in range(turns):
            await asyncio.sleep(0)
        engine_of(store).writer.distrust(DiskFailed("a checkpoint"))
        with pytest.raises(DiskFailed):
            await asyncio.wait_for(under_way, 5.0)
        store.close()


async def test_outcomes_that_can_never_be_durable_are_not_waited_for(place: SqlitePlace) -> None:
    store = place.open()
    await Letters(place, store).send("one@example.net")
    lease = await leased(store)
    [claimed] = await store.claim(lease, place.clock.ms, 1)
    engine_of(store).writer.distrust(DiskFailed("a checkpoint"))
    settler = Settler(store, unlogged_alarms())
    settler.add(lease, settled(claimed, State.DELIVERED, place.clock.ms))
    await asyncio.wait_for(settler.all_finished(), 5.0)


async def test_the_log_is_copied_when_there_is_no_room_to_give_room_back(
    place: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full() -> None:
        raise StoreFull("no room")

    place.log_bounds = LogBounds(passive_octets=1)
    store = place.open()
    await Letters(place, store).send("one@example.net")
    monkeypatch.setattr(engine_of(store)._checkpoints, "_give_back_some", full)
    assert await store.checkpoint() > 0


def test_a_command_finds_no_store_where_there_is_none(tmp_path: Path) -> None:
    place = SqlitePlace(str(tmp_path))
    with pytest.raises(StoreRefused, match="no store at"):
        place.open_desk()
    asyncio.run(place.close())
    assert os.listdir(tmp_path) == []


def test_a_store_on_a_full_disk_is_told_to_be_full(tmp_path: Path) -> None:
    place = SqlitePlace(str(tmp_path))
    place.open().close()
    shim, work = FullVfs("full"), RealWork(1)
    try:
        with pytest.raises(StoreFull):
            SqliteStore.open_desk(FullDisk(str(tmp_path)), work, SetClock(), failed=lambda error: None)
    finally:
        work.close()
        shim.unregister()
        asyncio.run(place.close())


async def test_a_newer_schema_is_refused_by_service_and_commands(place: SqlitePlace) -> None:
    place.open().close()
    db = apsw.Connection(place.mail_disk.path("mail.db"))
    db.execute("INSERT INTO migration (number, name, applied_ms) VALUES (9999, 'later', 0)")
    db.close()
    with pytest.raises(StoreRefused, match="newer Secondpost"):
        place.open()
    with pytest.raises(StoreRefused, match="newer Secondpost"):
        place.open_desk()


async def test_an_empty_database_is_refused_by_commands(place: SqlitePlace) -> None:
    place.mail_disk.make_folder("")
    place.mail_disk.create("mail.db").close()
    with pytest.raises(StoreRefused, match="start the service once"):
        place.open_desk()


async def test_a_file_that_is_no_database_is_refused(place: SqlitePlace) -> None:
    place.mail_disk.make_folder("")
    file = place.mail_disk.create("mail.db")
    file.write(b"This is a letter, not a database. " * 100)
    file.close()
    with pytest.raises(StoreRefused, match="not a database"):
        place.open()


async def test_the_files_of_the_store_are_for_its_owner_alone(place: SqlitePlace) -> None:
    store = place.open()
    await Letters(place, store).send("one@example.net")
    for name in ("mail.db", "mail.db-wal", "mail.db-shm"):
        assert os.stat(place.mail_disk.path(name)).st_mode & 0o077 == 0
