"""The contract of the store is held against every adapter; on SQLite in shared memory and on the disk."""

import asyncio
import inspect
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.place import SqlitePlace

TEST_SECONDS_MAX = 30.0
SHARED_MEMORY = "/dev/shm"


@pytest.fixture(params=["sqlite in shared memory", "sqlite on disk"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlitePlace]:
    if request.param == "sqlite on disk":
        yield SqlitePlace(str(tmp_path))
        return
    folder = tempfile.mkdtemp(
        prefix="secondpost-test-", dir=SHARED_MEMORY if os.path.isdir(SHARED_MEMORY) else None
    )
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
    finally:
        place = item.funcargs.get("place")
        if isinstance(place, SqlitePlace):
            await place.close()
