"""A coroutine started by `begin` needs a task only if it has to wait."""

import asyncio

import pytest

from secondpost.world.asking import Suspended, begin

from .conftest import Run


async def later(answer: asyncio.Future[int]) -> int:
    await asyncio.sleep(0)
    return await answer + 1


def test_what_waits_for_nothing_is_finished_in_line() -> None:
    async def at_hand() -> int:
        return 7

    async def asks() -> int:
        return await at_hand() + 1

    assert begin(asks()) == 8


def test_an_error_before_the_first_wait_is_raised_in_line() -> None:
    async def fails() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        begin(fails())


def test_what_waits_goes_on_in_a_task_and_no_step_is_done_twice(run: Run[object]) -> None:
    async def day() -> None:
        steps: list[str] = []
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def asks() -> int:
            steps.append("begun")
            first = await answer
            steps.append("answered")
            return first + await later(answer)

        begun = begin(asks())
        assert isinstance(begun, Suspended)
        assert steps == ["begun"]
        task = asyncio.ensure_future(begun.rest)
        await asyncio.sleep(0)
        assert steps == ["begun"]
        answer.set_result(3)
        assert await task == 7
        assert steps == ["begun", "answered"]

    run(day())


def test_an_answer_that_came_before_the_task_began_is_not_missed(run: Run[object]) -> None:
    async def day() -> None:
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        begun = begin(later(answer))
        assert isinstance(begun, Suspended)
        answer.set_result(3)
        assert await begun.rest == 4

    run(day())


def test_who_cancels_the_task_cancels_what_was_begun(run: Run[object]) -> None:
    async def day() -> None:
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        heard: list[str] = []

        async def asks() -> None:
            try:
                await answer
            except asyncio.CancelledError:
                heard.append("cancelled")
                raise

        begun = begin(asks())
        assert isinstance(begun, Suspended)
        task = asyncio.ensure_future(begun.rest)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert heard == ["cancelled"]
        assert answer.cancelled()

    run(day())
