"""The store's contract runs on SQLite in shared memory, SQLite on disk and PostgreSQL.

A test of the contract has a parameter of type `Place`. It is one test for all engines: it runs on
each in turn, the triggers' values are compared with a recount, and the rows that it left are
compared. A test specific to SQLite has a `SqlitePlace`, and is two tests.
"""

import asyncio
import inspect
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from tests.store.contract import POSTGRESQL, SQLITE, Engines, bounded, on_each_engine
from tests.store.place import Place, SqlitePlace
from tests.store.postgres.place import PostgresPlace, Templates
from tests.store.postgres.server import Server

SHARED_MEMORY = "/dev/shm"


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
    if metafunc.function.__annotations__.get("place") is SqlitePlace:
        metafunc.parametrize("place", SQLITE, indirect=True)


@pytest.fixture
def memory_folder() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="secondpost-test-", dir=_memory())
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def place(request: pytest.FixtureRequest, memory_folder: str, tmp_path: Path) -> SqlitePlace | Engines:
    """The place for a test specific to SQLite; all engines for a test of the contract."""
    if hasattr(request, "param"):
        return SqlitePlace(memory_folder if request.param == SQLITE[0] else str(tmp_path))
    on_disk, wired = tmp_path / "sqlite", tmp_path / "postgresql"
    on_disk.mkdir()
    wired.mkdir()
    templates: Templates = request.getfixturevalue("templates")
    return {
        SQLITE[0]: partial(SqlitePlace, memory_folder),
        SQLITE[1]: partial(SqlitePlace, str(on_disk)),
        POSTGRESQL: partial(PostgresPlace, str(wired), templates),
    }


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test in a loop of its own, and close there what it opened."""
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters}
    if test.__annotations__.get("place") is Place:
        on_each_engine(partial(test, **arguments), cast("Engines", arguments["place"]))
    else:
        asyncio.run(bounded(test(**arguments), cast("Place | None", arguments.get("place"))))
    return True
