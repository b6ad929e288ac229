"""Reports in old forms are read in a process of their own; the processes are real."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from secondpost.processes.reader_process import ReaderProcess
from secondpost.processes.report_reading import ReportReadingProcess
from secondpost.protocols.dsn.old_forms import read_old_form
from tests.bounce.test_samples import samples
from tests.processes.starts import REPORT_READER, Starts

QMAIL = samples()["qmail_01"]
SLOW = """
import re
from secondpost.processes import report_reader
def read(message):
    return re.search("(a*)*b", "a" * 60)
report_reader.CPU_SECONDS_MAX = 1
report_reader.read_old_form = read
raise SystemExit(report_reader.main())
"""
NONSENSE = SLOW.replace('return re.search("(a*)*b", "a" * 60)', "return ['no', 'report']")


def run(starts: Starts, act: Callable[[ReportReadingProcess], Awaitable[None]]) -> None:
    async def through() -> None:
        process = ReaderProcess(starts.start, idle_seconds=0.2, document_seconds_max=20.0)
        try:
            await act(ReportReadingProcess(process))
        finally:
            await process.close()
        for maker in starts.makers:
            await asyncio.wait_for(maker.ended, 10)

    asyncio.run(through())


async def reads(reading: ReportReadingProcess) -> None:
    found = await reading.read(QMAIL)
    assert found is not None
    assert found == read_old_form(QMAIL)


def test_a_report_is_what_it_would_be_in_this_process() -> None:
    starts = Starts(REPORT_READER)

    async def act(reading: ReportReadingProcess) -> None:
        await reads(reading)
        assert await reading.read(b"Subject: Hello\n\nHow are you?\n") is None
        await reads(reading)
        assert len(starts.makers) == 1

    run(starts, act)


def test_a_mail_that_computes_too_long_is_no_report_and_the_role_goes_on_meanwhile() -> None:
    starts = Starts(REPORT_READER, SLOW, SLOW)

    async def act(reading: ReportReadingProcess) -> None:
        rounds = 0
        asked = asyncio.ensure_future(reading.read(QMAIL))
        while not asked.done():
            await asyncio.sleep(0.01)
            rounds += 1
        assert await asked is None
        assert rounds > 10
        assert [await maker.ended for maker in starts.makers] == [
            f"it ended with exit code -{signal.SIGXCPU.value}"
        ] * 2
        await reads(reading)

    run(starts, act)


def test_a_mail_whose_process_is_killed_is_read_by_the_next_one() -> None:
    starts = Starts(REPORT_READER, SLOW.replace("CPU_SECONDS_MAX = 1", "CPU_SECONDS_MAX = 20"))

    async def act(reading: ReportReadingProcess) -> None:
        asked = asyncio.ensure_future(reads(reading))
        while len(starts.makers) == 0 or starts.makers[0].number is None:
            await asyncio.sleep(0.01)
        os.kill(starts.makers[0].number, signal.SIGKILL)
        await asked
        assert len(starts.makers) == 2

    run(starts, act)


def test_an_answer_that_is_no_report_ends_its_process() -> None:
    starts = Starts(REPORT_READER, NONSENSE)

    async def act(reading: ReportReadingProcess) -> None:
        assert await reading.read(QMAIL) is None
        assert starts.makers[0].ended.done()
        await reads(reading)

    run(starts, act)
