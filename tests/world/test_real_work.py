"""The pool and the lines, with real threads."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from secondpost.world.real.work import RealWork

from .conftest import Run


@pytest.fixture
def work() -> Iterator[RealWork]:
    work = RealWork(threads=2)
    yield work
    work.close()


def test_a_job_runs_in_another_thread_and_its_result_comes_back(run: Run[object], work: RealWork) -> None:
    async def day() -> None:
        assert await work.run(threading.get_ident) != threading.get_ident()

        def fail() -> None:
            raise KeyError("x")

        with pytest.raises(KeyError):
            await work.run(fail)

    run(day())


def test_a_job_started_is_finished_though_nobody_waits(run: Run[object], work: RealWork) -> None:
    async def day() -> None:
        started, go_on, finished = threading.Event(), threading.Event(), threading.Event()

        def job() -> None:
            started.set()
            go_on.wait(10)
            finished.set()

        waiting = asyncio.ensure_future(work.run(job))
        while not started.is_set():
            await asyncio.sleep(0.001)
        waiting.cancel()
        go_on.set()
        while not finished.is_set():
            await asyncio.sleep(0.001)

    run(day())


def test_a_line_works_in_order_on_one_thread_and_reports_in_the_loop(
    run: Run[object], work: RealWork
) -> None:
    async def day() -> None:
        line = work.line("store")
        ran: list[int] = []
        threads: set[int] = set()
        told: list[tuple[int, BaseException | None, int]] = []
        all_told = asyncio.Event()

        def job(number: int) -> Callable[[], None]:
            def do() -> None:
                ran.append(number)
                threads.add(threading.get_ident())
                if number == 7:
                    raise ValueError("seven")

            return do

        def done(number: int) -> Callable[[BaseException | None], None]:
            def hear(raised: BaseException | None) -> None:
                told.append((number, raised, threading.get_ident()))
                if len(told) == 500:
                    all_told.set()

            return hear

        for number in range(500):
            line.submit(job(number), done(number))
        await all_told.wait()
        assert ran == list(range(500))
        assert len(threads) == 1
        assert threading.get_ident() not in threads
        assert [number for number, _, _ in told] == list(range(500))
        assert {thread for _, _, thread in told} == {threading.get_ident()}
        assert [number for number, raised, _ in told if raised is not None] == [7]

    run(day())


def test_a_completion_that_fails_does_not_silence_the_next(run: Run[object], work: RealWork) -> None:
    async def day() -> None:
        line = work.line("store")
        complaints: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(str(context["exception"])))
        told = asyncio.Event()

        def fail(_: BaseException | None) -> None:
            raise KeyError("my own mistake")

        line.submit(lambda: None, fail)
        line.submit(lambda: None, lambda _: told.set())
        await told.wait()
        assert complaints == ["'my own mistake'"]

    run(day())


def test_closing_a_line_finishes_what_was_submitted(run: Run[object], work: RealWork) -> None:
    async def day() -> None:
        line = work.line("store")
        ran: list[int] = []
        told: list[BaseException | None] = []
        go_on = threading.Event()

        def wait() -> None:
            go_on.wait(10)

        line.submit(wait, told.append)
        for number in range(100):
            line.submit(partial(ran.append, number), told.append)
        go_on.set()
        line.close()
        assert ran == list(range(100))
        while len(told) < 101:
            await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            line.submit(lambda: None, told.append)
        line.close()

    run(day())


def test_a_loop_that_is_gone_does_not_hinder_the_jobs() -> None:
    work = RealWork(threads=1)
    go_on, ran = threading.Event(), threading.Event()

    def wait() -> None:
        go_on.wait(10)

    async def leave() -> None:
        line = work.line("store")
        line.submit(wait, lambda _: None)
        line.submit(ran.set, lambda _: None)

    asyncio.run(leave())
    go_on.set()
    work.close()
    assert ran.is_set()
