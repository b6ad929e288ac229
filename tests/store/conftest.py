"""The contract of the store is held against SQLite in shared memory, SQLite on the disk and PostgreSQL."""

import asyncio
import inspect
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from tests.store import test_newsletter_triggers, test_sqlite_triggers
from tests.store.place import Place, SqlitePlace
from tests.store.postgres.place import PostgresPlace, Templates
from tests.store.postgres.server import Server

TEST_SECONDS_MAX = 120.0  # a test that hangs ends; a flood of sign-ups over the wire takes some 10 s
SHARED_MEMORY = "/dev/shm"
SQLITE = ("sqlite in shared memory", "sqlite on disk")
POSTGRESQL = "postgresql"
# What triggers compute, by the names of the recounts.
COMPUTED = (
    *("tallies", "tallies of nothing", "queues", "queues of sites that are down", "messages that ended"),
    *("a turn later than what is due", "a turn of a domain where nothing waits"),
    *("tallies of domains", "tallies of issues", "tallies of readers", "tallies of no readers"),
)


@pytest.fixture(scope="session")
def templates() -> Iterator[Templates]:
    """One server for all tests of a process."""
    server = Server(Path(tempfile.mkdtemp(prefix="secondpost-postgres-", dir=_memory())))
    try:
        yield Templates(server)
    finally:
        server.stop()


def _memory() -> str | None:
    return SHARED_MEMORY if os.path.isdir(SHARED_MEMORY) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of the contract runs on every engine; one that looks into SQLite asks for its place."""
    if "place" in metafunc.fixturenames:
        wanted = metafunc.function.__annotations__.get("place")
        metafunc.parametrize(
            "place", SQLITE if wanted is SqlitePlace else (*SQLITE, POSTGRESQL), indirect=True
        )


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlitePlace | PostgresPlace]:
    if request.param == POSTGRESQL:
        yield PostgresPlace(str(tmp_path), request.getfixturevalue("templates"))
        return
    if request.param == SQLITE[1]:
        yield SqlitePlace(str(tmp_path))
        return
    folder = tempfile.mkdtemp(prefix="secondpost-test-", dir=_memory())
    try:
        yield SqlitePlace(folder)
    finally:
        shutil.rmtree(folder)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that is a coroutine runs in a loop of its own, and what it opened is closed inside it."""
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    names = inspect.signature(test).parameters
    asyncio.run(_bounded(test(**{name: pyfuncitem.funcargs[name] for name in names}), pyfuncitem))
    return True


async def _bounded(running: "asyncio.Future[None]", item: pytest.Function) -> None:
    try:
        async with asyncio.timeout(TEST_SECONDS_MAX):
            await running
        place = item.funcargs.get("place")
        if isinstance(place, SqlitePlace) and item.function.__annotations__["place"] is Place:
            recount(place)
    finally:
        place = item.funcargs.get("place")
        if isinstance(place, SqlitePlace | PostgresPlace):
            await place.close()


def recount(place: SqlitePlace) -> None:
    """What the triggers computed in a test is what a recount finds."""
    for name, contradictions in (
        ("mail.db", test_sqlite_triggers.contradictions),
        ("newsletter.db", test_newsletter_triggers.contradictions),
    ):
        if (Path(place.folder) / name).exists():
            db = apsw.Connection(str(Path(place.folder) / name), flags=apsw.SQLITE_OPEN_READONLY)
            try:
                found = contradictions(db, place.clock.ms)
                assert {what: rows for what, rows in found.items() if what in COMPUTED} == {}, name
            finally:
                db.close()
