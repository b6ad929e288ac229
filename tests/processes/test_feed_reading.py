"""Feeds are parsed in a process of their own; the processes are real."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from secondpost.mail.article import FeedRead, FeedUnreadable
from secondpost.processes.feed_reading import FeedReadingProcess
from secondpost.processes.reader_process import ReaderProcess
from tests.processes.starts import FEED_READER, Starts

URL = "https://www.example.net/feed.xml"
FEED = b"<rss version='2.0'><channel><item><title>One</title><link>/1</link></item></channel></rss>"
HUNGRY = """
from secondpost.processes import feed_reader
def read(body, content_type, url):
    return bytearray(2_000_000_000)
feed_reader.read_feed = read
raise SystemExit(feed_reader.main())
"""
ENDLESS = HUNGRY.replace("return bytearray(2_000_000_000)", "\n    while True: pass")
BOASTFUL = """
import socket, sys, time
from secondpost.world.real import workshop
door = socket.socket(fileno=sys.stdin.fileno())
workshop._frame(door)
door.sendall(bytes(4))
workshop._frame(door)
door.sendall(bytes([255] * 4))
time.sleep(60)
"""
QUICK = ENDLESS.replace("def read(", "feed_reader.CPU_SECONDS_MAX = 1\ndef read(")


def run(
    starts: Starts, act: Callable[[FeedReadingProcess], Awaitable[None]], seconds_max: float = 20.0
) -> None:
    async def through() -> None:
        process = ReaderProcess(starts.start, idle_seconds=0.2, document_seconds_max=seconds_max)
        try:
            await act(FeedReadingProcess(process))
        finally:
            await process.close()
        for maker in starts.makers:
            await asyncio.wait_for(maker.ended, 10)

    asyncio.run(through())


async def reads(reading: FeedReadingProcess) -> None:
    found = await reading.read(FEED, "application/rss+xml", URL)
    assert isinstance(found, FeedRead)
    assert [article.link for article in found.articles] == ["https://www.example.net/1"]


async def refused(reading: FeedReadingProcess) -> str:
    found = await reading.read(FEED, "", URL)
    assert isinstance(found, FeedUnreadable)
    return found.reason


def test_one_process_reads_several_feeds_and_ends_when_idle() -> None:
    starts = Starts(FEED_READER)

    async def act(reading: FeedReadingProcess) -> None:
        await asyncio.gather(*(reads(reading) for _ in range(3)))
        assert len(starts.makers) == 1
        assert await asyncio.wait_for(starts.makers[0].ended, 10) == "it ended with exit code 0"
        await reads(reading)
        assert len(starts.makers) == 2

    run(starts, act)


def test_a_document_that_is_no_feed_does_not_end_the_process() -> None:
    """catalogue row 21"""
    starts = Starts(FEED_READER)

    async def act(reading: FeedReadingProcess) -> None:
        found = await reading.read(b"<html><body/></html>", "text/html", URL)
        assert found == FeedUnreadable("It is an HTML page, not a feed.")
        await reads(reading)
        assert len(starts.makers) == 1

    run(starts, act)


def test_a_document_that_needs_too_much_memory_is_no_information_and_the_next_feed_is_read() -> None:
    async def act(reading: FeedReadingProcess) -> None:
        reason = await refused(reading)
        assert "exit code 3" in reason
        assert "1024 MB of memory" in reason
        await reads(reading)

    run(Starts(FEED_READER, HUNGRY), act)


def test_a_document_that_computes_too_long_is_no_information_and_the_next_feed_is_read() -> None:
    async def act(reading: FeedReadingProcess) -> None:
        assert f"exit code -{signal.SIGXCPU.value}" in await refused(reading)
        await reads(reading)

    run(Starts(FEED_READER, QUICK), act)


def test_a_process_that_does_not_answer_in_time_is_killed_and_the_next_feed_is_read() -> None:
    starts = Starts(FEED_READER, ENDLESS)

    async def act(reading: FeedReadingProcess) -> None:
        assert "took more than 4 seconds" in await refused(reading)
        assert starts.makers[0].ended.done()
        await reads(reading)

    run(starts, act, seconds_max=4.0)


def test_a_process_that_promises_four_gigabytes_is_killed_and_the_next_feed_is_read() -> None:
    starts = Starts(FEED_READER, BOASTFUL)

    async def act(reading: FeedReadingProcess) -> None:
        assert f"exit code -{signal.SIGKILL.value}" in await refused(reading)
        assert starts.makers[0].ended.done()
        await reads(reading)

    run(starts, act)


def test_a_process_that_is_killed_while_idle_is_replaced() -> None:
    starts = Starts(FEED_READER)

    async def act(reading: FeedReadingProcess) -> None:
        await reads(reading)
        number = starts.makers[0].number
        assert number is not None
        os.kill(number, signal.SIGKILL)
        await starts.makers[0].ended
        await asyncio.sleep(0)
        await reads(reading)

    run(starts, act)
