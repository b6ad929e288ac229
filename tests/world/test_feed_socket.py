"""Results of the fetch role arrive complete in the publish role; others are no information."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import cast

import pytest

from secondpost.mail.article import (
    ARTICLES_MAX,
    HTML_CHARACTERS_MAX,
    Article,
    FeedAnswered,
    FeedAsked,
    FeedGone,
    FeedLook,
    FeedNotLookedAt,
    FeedRead,
    FeedUnchanged,
    FeedUnreadable,
)
from secondpost.protocols.feed_questions import ANSWER_OCTETS_MAX, answered_line, asked_line, read_answered
from secondpost.protocols.role_questions import LINE_OCTETS_MAX
from secondpost.world.ports import Net
from secondpost.world.real.net import RealNet
from secondpost.world.sockets.feeds import ANSWER_SECONDS, CONNECT_SECONDS, FeedAnswerer, FeedAsker
from simulation.clock import Timeline
from simulation.clock import run as run_simulated
from simulation.dice import SimDice
from simulation.internet.net import SimInternet

from .conftest import Run
from .test_real_net import Talker

URL = "https://www.example.net/feed.xml"
ASKED = FeedAsked(URL, '"1"', "Mon, 01 Jan 2029 00:00:00 GMT")
ARTICLE = Article(
    guid="urn:1",
    link="https://www.example.net/1",
    title="Grüße \N{SNOWMAN}",
    summary="in short",
    html="<p>a\nb</p>",
    author="Ada",
    published_ms=1_700_000_000_000,
    fingerprint="0a",
    categories=("notes", "日本"),
    language="de",
    place=1,
    picture="https://www.example.net/1.jpg",
)
READ = FeedRead(
    title="The Blog",
    identity="urn:blog",
    articles=(ARTICLE,),
    home="https://www.example.net/",
    generator="Hugo 1.0",
    repeated_guids=frozenset({"urn:2", "urn:3"}),
    left_out="1 entry is not an article: it has neither a link nor a file",
    older="https://www.example.net/feed.xml?page=2",
    refresh_ms=3_600_000,
    hub="https://hub.example/",
    topic="https://www.example.net/feed.xml",
)
SILENT = FeedAnswered(FeedUnreadable("The fetch role does not answer."))


@dataclass
class FetchRole:
    """Answers on the socket with the result of `look`; `asked` has the questions."""

    look: FeedLook
    asked: list[FeedAsked] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @asynccontextmanager
    async def at(self, net: Net, path: str) -> AsyncIterator[None]:
        door = await FeedAnswerer(self._look, self._background).open(net, path)
        try:
            yield
        finally:
            door.close()
            for task in self.tasks:
                task.cancel()
            await asyncio.wait(self.tasks)

    def _background(self, work: Coroutine[None, None, None]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    async def _look(self, asked: FeedAsked) -> FeedAnswered:
        self.asked.append(asked)
        return await self.look(asked)


def always(answered: FeedAnswered) -> FeedLook:
    async def look(asked: FeedAsked) -> FeedAnswered:
        return answered

    return look


class Liar(asyncio.Protocol):
    """Takes the place of the fetch role, gives a fixed answer to each question, and closes."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if b"\n" in data:
            self._transport.write(self._answer)
            self._transport.close()


async def said_by_a_liar(path: str, answer: bytes) -> FeedAnswered:
    net = RealNet()
    door = await net.listen_local(lambda: Liar(answer), path)
    found = await FeedAsker(net, path).look(ASKED)
    door.close()
    await asyncio.sleep(0)
    return found


def reason(answered: FeedAnswered) -> str:
    assert isinstance(answered.found, FeedUnreadable)
    return answered.found.reason


def test_the_examples_leave_no_field_at_its_default() -> None:
    """Otherwise a field that is lost on the way would not be noticed."""
    for each in (ARTICLE, READ):
        for one in fields(each):
            assert one.default is MISSING or getattr(each, one.name) != one.default


@pytest.mark.parametrize(
    "answered",
    [
        FeedAnswered(READ, '"2"', "Tue, 02 Jan 2029 00:00:00 GMT", URL, "https://www.example.net/b", 5),
        FeedAnswered(FeedGone(), location=URL),
        FeedAnswered(FeedUnreadable("The server has a problem (HTTP 503)."), wait_ms=60_000),
        FeedAnswered(FeedRead("", "", ()), "", ""),
        FeedAnswered(FeedUnchanged(), '"1"', "Mon, 01 Jan 2029 00:00:00 GMT"),
        FeedAnswered(FeedUnreadable("It is an HTML page, not a feed.")),
    ],
)
def test_what_was_found_arrives_whole(answered: FeedAnswered, run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        net, path = RealNet(), str(tmp_path / "fetch.socket")
        role = FetchRole(always(answered))
        async with role.at(net, path):
            assert await FeedAsker(net, path).look(ASKED) == answered
            assert role.asked == [ASKED]

    run(day())


def test_answers_may_come_in_another_order_than_the_questions(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        net, path = RealNet(), str(tmp_path / "fetch.socket")
        urls = [f"https://{n}.example/feed" for n in range(5)]
        answered: list[str] = []
        turns = {url: asyncio.Event() for url in urls}
        all_asked = asyncio.Event()

        async def look(asked: FeedAsked) -> FeedAnswered:
            if len(role.asked) == len(urls):
                all_asked.set()
            await turns[asked.url].wait()
            return FeedAnswered(FeedRead(asked.url, "", ()))

        async def ask(url: str) -> None:
            found = await asker.look(FeedAsked(url))
            assert found.found == FeedRead(url, "", ())
            answered.append(url)
            place = urls.index(url)
            if place > 0:
                turns[urls[place - 1]].set()

        role, asker = FetchRole(look), FeedAsker(net, path)
        async with role.at(net, path):
            asking = [asyncio.ensure_future(ask(url)) for url in urls]
            await all_asked.wait()
            turns[urls[-1]].set()
            await asyncio.gather(*asking)
            assert answered == urls[::-1]

    run(day())


def test_where_there_is_no_fetch_role_nobody_has_looked(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        found = await FeedAsker(RealNet(), str(tmp_path / "fetch.socket")).look(ASKED)
        assert found == FeedAnswered(FeedNotLookedAt("The fetch role is not there."))

    run(day())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\n",
        b"{}\n",
        b"null\n",
        b"\xff\xfe\n",
        b"250 ok\r\n",
        b'{"found":"read"}\n',
        b'{"found":"sent","reason":"x"}\n',
        b'{"found":"unreadable","reason":5}\n',
        answered_line(FeedAnswered(READ))[:-2] + b"\n",
        answered_line(FeedAnswered(READ))[:-1],  # without its line end
        answered_line(FeedAnswered(READ)).replace(b'"title":"The Blog"', b'"title":["x"]'),
        answered_line(FeedAnswered(READ)).replace(b'"published_ms":17', b'"published_ms":"17'),
    ],
)
def test_an_answer_that_makes_no_sense_is_no_information(
    answer: bytes, run: Run[object], tmp_path: Path
) -> None:
    async def day() -> None:
        found = await said_by_a_liar(str(tmp_path / "fetch.socket"), answer)
        assert reason(found).startswith("The fetch role's answer makes no sense: ")

    run(day())


def test_what_comes_behind_the_answer_is_not_read(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        answer = answered_line(FeedAnswered(FeedUnchanged(), "a", "b"))
        found = await said_by_a_liar(str(tmp_path / "fetch.socket"), answer + answer + b"\xff" * 100_000)
        assert found == FeedAnswered(FeedUnchanged(), "a", "b")

    run(day())


def test_an_answer_without_an_end_is_cut_off_at_its_bound(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        endless = b"x" * (ANSWER_OCTETS_MAX + 1_000_000)
        found = await said_by_a_liar(str(tmp_path / "fetch.socket"), endless)
        assert reason(found) == "The fetch role's answer makes no sense: it is too long."

    run(day())


def test_a_feed_of_more_articles_than_are_ever_read_is_not_believed(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        many = FeedRead("The Blog", "urn:blog", (ARTICLE,) * (ARTICLES_MAX + 1))
        found = await said_by_a_liar(str(tmp_path / "fetch.socket"), answered_line(FeedAnswered(many)))
        assert f"{ARTICLES_MAX + 1} articles" in reason(found)

    run(day())


def test_what_would_be_too_large_for_the_socket_is_said_to_be() -> None:
    large = Article("", URL, "t", "", "x" * HTML_CHARACTERS_MAX, "", None, "")
    articles = (large,) * (ANSWER_OCTETS_MAX // HTML_CHARACTERS_MAX + 1)
    line = answered_line(FeedAnswered(FeedRead("The Blog", "", articles)))
    assert reason(read_answered(line.rstrip(b"\n"))) == "It is larger than any feed should be."


@pytest.mark.parametrize(
    "question",
    [b"\n", b"{}\n", b'{"url":5}\n', b"\xff\n", b"GET / HTTP/1.1\r\n", b"x" * (LINE_OCTETS_MAX + 1)],
)
def test_a_question_that_makes_no_sense_is_hung_up_on_and_the_next_is_answered(
    question: bytes, run: Run[object], tmp_path: Path
) -> None:
    async def day() -> None:
        net, path = RealNet(), str(tmp_path / "fetch.socket")
        role = FetchRole(always(FeedAnswered(READ)))
        async with role.at(net, path):
            caller = Talker(question)
            await net.connect_local(lambda: caller, path, 5)
            await caller.until(lambda it: it.is_lost)
            assert caller.heard == b""
            assert role.asked == []
            assert await FeedAsker(net, path).look(ASKED) == FeedAnswered(READ)

    run(day())


def test_who_asks_and_goes_away_costs_nobody_else_their_answer(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        net, path = RealNet(), str(tmp_path / "fetch.socket")
        gone = asyncio.Event()

        async def look(asked: FeedAsked) -> FeedAnswered:
            if asked.url != URL:
                await gone.wait()
            return FeedAnswered(READ)

        role = FetchRole(look)
        async with role.at(net, path):
            caller = Talker(asked_line(FeedAsked("https://slow.example/")))
            transport = await net.connect_local(lambda: caller, path, 5)
            while len(role.asked) == 0:
                await asyncio.sleep(0)
            transport.abort()
            await caller.until(lambda it: it.is_lost)
            gone.set()
            assert await FeedAsker(net, path).look(ASKED) == FeedAnswered(READ)

    run(day())


class Machine:
    """Two roles of one machine in virtual time."""

    def __init__(self) -> None:
        self.timeline = Timeline(SimDice("feed"))
        internet = SimInternet(self.timeline, SimDice("net"), SimDice("faults"))
        internet.host("here", ("192.0.2.1",), "home")
        self.loop = internet.loop
        self.net = internet.net_for("192.0.2.1")

    def run(self, work: Coroutine[object, object, None]) -> None:
        run_simulated(work, self.timeline, self.loop)


def test_an_answer_that_comes_too_late_is_none() -> None:
    machine = Machine()

    async def look(asked: FeedAsked) -> FeedAnswered:
        await asyncio.sleep(ANSWER_SECONDS - 1 if asked.url == URL else ANSWER_SECONDS + 1)
        return FeedAnswered(READ)

    async def day() -> None:
        asker = FeedAsker(machine.net, "fetch.socket")
        async with FetchRole(look).at(machine.net, "fetch.socket"):
            assert await asker.look(ASKED) == FeedAnswered(READ)
            assert await asker.look(FeedAsked("https://slow.example/")) == SILENT

    machine.run(day())


def test_a_question_that_does_not_end_is_not_waited_for() -> None:
    machine = Machine()

    async def day() -> None:
        role = FetchRole(always(FeedAnswered(READ)))
        async with role.at(machine.net, "fetch.socket"):
            caller = Talker(asked_line(ASKED)[:-1])
            await machine.net.connect_local(lambda: caller, "fetch.socket", 5)
            lost = []
            for seconds in (CONNECT_SECONDS - 1, 2):
                await asyncio.sleep(seconds)
                lost.append(caller.is_lost)
            assert lost == [False, True]
            assert role.asked == []

    machine.run(day())
