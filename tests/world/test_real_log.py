"""The log writer: each line once, and an unread log does not keep a process from ending."""

import asyncio
import os
import select
from collections.abc import Callable

from secondpost.world.real.clock import RealClock
from secondpost.world.real.log import LogWriter
from secondpost.world.real.work import RealWork


def told(to: int, say: Callable[[LogWriter], None]) -> None:
    async def run() -> None:
        work = RealWork(threads=1)
        say(LogWriter(RealClock(), work.line("log"), "receive", to))
        work.close()

    asyncio.run(run())


def test_the_last_lines_of_a_process_that_ends_at_once_are_written_once() -> None:
    ours, theirs = os.pipe()

    def say(writer: LogWriter) -> None:
        for number in range(200):
            writer.say(f"line {number}")
        writer.write_out_within(5.0)
        writer.write_out()

    told(theirs, say)
    os.close(theirs)
    with open(ours, "rb") as read:
        lines = read.read().decode().splitlines()
    assert [line.partition(" receive ")[2] for line in lines] == [f"line {number}" for number in range(200)]


def test_a_log_that_nobody_reads_keeps_no_process_that_must_end() -> None:
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    while len(select.select([], [theirs], [], 0)[1]) > 0:
        os.write(theirs, b"x" * 4096)
    os.set_blocking(theirs, True)

    def say(writer: LogWriter) -> None:
        writer.say("the disk failed")
        writer.write_out_within(0.05)

    told(theirs, say)  # it returns
    os.close(ours)
    os.close(theirs)
