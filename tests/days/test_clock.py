"""The clock leaps, the fence stops real I/O, and a dead process stays dead."""

import asyncio
import socket
import time

import pytest

from simulation.clock import EPOCH_MS, RealWorld, SimClock, Stuck, Timeline, fence, run
from simulation.dice import SimDice, ThreeDice
from simulation.work import SimWork


def test_a_day_passes_at_once_and_the_wall_clock_goes_with_it() -> None:
    timeline = Timeline()
    clock = SimClock(timeline)
    run(asyncio.sleep(86_400), timeline, timeline.loop("sleeper"))
    assert clock.now_ms() == EPOCH_MS + 86_400_000
    clock.step_ms -= 3_600_000
    assert clock.now_ms() == EPOCH_MS + 82_800_000


def test_timers_of_several_processes_fire_in_the_order_of_their_times() -> None:
    timeline = Timeline(SimDice("1"))
    order: list[str] = []
    for name, seconds in (("b", 2.0), ("a", 1.0), ("c", 3.0)):
        timeline.loop(name).call_later(seconds, order.append, name)
    assert timeline.run_until(lambda: len(order) == 3, 10.0)
    assert order == ["a", "b", "c"]


def test_who_waits_for_what_can_never_happen_is_told_so() -> None:
    timeline = Timeline()
    loop = timeline.loop("waiter")
    with pytest.raises(Stuck):
        run(_for_ever(), timeline, loop)
    timeline.end()


async def _sleeping_job(work: SimWork) -> None:
    await work.run(lambda: time.sleep(1000))


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


def test_a_killed_process_runs_no_finally_before_the_end_of_the_day() -> None:
    timeline = Timeline()
    loop, other = timeline.loop("victim"), timeline.loop("other")
    cleaned: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            cleaned.append("finally")

    task = loop.create_task(work())
    timeline.run_until(lambda: timeline.now >= 5, 5)
    timeline.kill(loop)
    run(asyncio.sleep(100), timeline, other)
    assert cleaned == []
    assert not task.done()
    timeline.end()


def test_real_io_under_simulation_fails_loudly() -> None:
    timeline = Timeline()
    loop = timeline.loop("careless")
    with fence(timeline):
        with pytest.raises(RealWorld, match="real socket"):
            socket.socket()
        with pytest.raises(RealWorld, match=r"time\.sleep"):
            time.sleep(0)
        run(_sleeping_job(SimWork(loop, SimDice("work"))), timeline, loop)
        with pytest.raises(RealWorld, match="run_in_executor"):
            loop.run_in_executor(None, print)
        with pytest.raises(RealWorld):
            run(asyncio.open_connection("192.0.2.1", 25), timeline, loop)
    socket.socket().close()


def test_the_three_dice_do_not_disturb_each_other() -> None:
    one, other = ThreeDice.of(7), ThreeDice.of(7)
    one.product.token(1000)
    assert one.faults.fraction() == other.faults.fraction()
    assert one.scheduling.shuffled("abcdef") == other.scheduling.shuffled("abcdef")
    assert ThreeDice.of(8).faults.fraction() != ThreeDice.of(7).faults.fraction()


def test_work_is_done_in_order_later_and_not_at_all_after_a_crash() -> None:
    timeline = Timeline()
    loop = timeline.loop("worker")
    work = SimWork(loop, SimDice("work"))
    line = work.line("store")
    told: list[object] = []
    jobs: list[int] = []
    for number in range(20):
        line.submit(lambda number=number: jobs.append(number), told.append)  # type: ignore[misc]
    line.submit(lambda: jobs[99], lambda fault: told.append(type(fault)))  # type: ignore[arg-type]
    assert jobs == []
    timeline.run_until(lambda: len(told) == 21, 10.0)
    assert jobs == list(range(20))
    assert told == [None] * 20 + [IndexError]
    line.submit(lambda: jobs.append(100), told.append)
    work.crash()
    with pytest.raises(Stuck):
        timeline.run_until(lambda: len(told) == 22, 10.0)
    assert jobs == list(range(20))


def test_a_job_of_the_pool_gives_its_result_or_its_fault() -> None:
    timeline = Timeline()
    loop = timeline.loop("worker")
    work = SimWork(loop, SimDice("work"))

    async def both() -> tuple[int, str]:
        fine = await work.run(lambda: 2 + 2)
        try:
            await work.run(lambda: [][0])
        except IndexError as fault:
            return fine, str(fault)
        return fine, ""

    assert run(both(), timeline, loop) == (4, "list index out of range")
