"""When a group of the writer begins, in virtual time."""

from collections.abc import Callable, Sequence

import apsw

from secondpost.store.sqlite.group import GATHER_SECONDS, Writer
from secondpost.store.verbs.engine import Verb
from secondpost.store.verbs.steps import Steps
from simulation.clock import LeapingLoop, Timeline


def _no_steps(times: Sequence[int]) -> Steps[Sequence[None]]:
    yield from ()
    return [None] * len(times)


NOTE: Verb[int, None] = Verb(_no_steps)


class InLine:
    """A line whose jobs take no time."""

    def __init__(self, loop: LeapingLoop) -> None:
        self._loop = loop

    def submit(self, job: Callable[[], None], done: Callable[[BaseException | None], None]) -> None:
        job()
        self._loop.call_soon(done, None)

    def close(self) -> None: ...


class CountedLog:
    """The log of a database in memory: one sync is one group."""

    def __init__(self, timeline: Timeline, written: list[int]) -> None:
        self._timeline = timeline
        self._written = written
        self.groups: list[tuple[float, int]] = []  # seconds at which each was written, and its number of jobs

    def sync(self) -> None:
        self.groups.append((self._timeline.now, len(self._written)))
        self._written.clear()

    def close(self) -> None: ...


def groups_of(*jobs_ms: int) -> list[tuple[float, int]]:
    """The groups formed by jobs that arrive at these milliseconds."""
    timeline = Timeline()
    loop = timeline.loop("receive")
    written: list[int] = []
    log = CountedLog(timeline, written)
    failures: list[BaseException] = []

    def note(_verb: object, times: Sequence[object]) -> list[None]:
        written.extend(at_ms for at_ms in times if isinstance(at_ms, int))
        return [None] * len(times)

    writer = Writer(
        apsw.Connection(":memory:"), log, InLine(loop), note, failures.append, busy_seconds=0.0, alone=True
    )

    def come(at_ms: int) -> None:
        writer.write(NOTE, at_ms, 1)

    for at_ms in jobs_ms:
        loop.call_at(at_ms / 1000, come, at_ms)
    timeline.run_until(lambda: sum(jobs for _, jobs in log.groups) == len(jobs_ms), 1.0)
    assert failures == []
    return [(round(seconds * 1000, 3), jobs) for seconds, jobs in log.groups]


GATHER_MS = GATHER_SECONDS * 1000


def test_a_job_alone_is_never_kept_waiting() -> None:
    assert groups_of(0, 1, 2) == [(0.0, 1), (1.0, 1), (2.0, 1)]


def test_behind_a_group_that_had_company_the_next_one_gathers() -> None:
    assert groups_of(0, 0, 1, 2, 3) == [(0.0, 2), (GATHER_MS, 3)]


def test_who_comes_later_than_that_is_not_kept_waiting() -> None:
    assert groups_of(0, 0, 20) == [(0.0, 2), (20.0, 1)]


def test_a_group_that_gathered_in_vain_is_the_last_that_did() -> None:
    assert groups_of(0, 0, 1, 5, 6) == [(0.0, 2), (GATHER_MS, 1), (5.0, 1), (6.0, 1)]
