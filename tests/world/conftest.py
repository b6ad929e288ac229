"""Fixtures: both loops, since uvloop runs the service and plain asyncio must work too."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import TypeVar

import pytest
import uvloop

T = TypeVar("T")
Run = Callable[[Coroutine[object, object, T]], T]

TEST_SECONDS_MAX = 20.0


@pytest.fixture(params=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        yield runner


@pytest.fixture
def run(runner: asyncio.Runner) -> Callable[[Coroutine[object, object, T]], T]:
    """Runs one coroutine to its end, within a time limit."""

    async def bounded(work: Coroutine[object, object, T]) -> T:
        async with asyncio.timeout(TEST_SECONDS_MAX):
            return await work

    return lambda work: runner.run(bounded(work))
