"""Names asked of deliver: each once, in bounds, and never waited for beyond the end."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from secondpost.mail.dns_questions import AddressRecords, AnswerOfZone, Ns, NsAnswer
from secondpost.mail.questions import AddressAnswer, Finding, Txt, TxtAnswer
from secondpost.protocols.role_questions import PublicAnswer, PublicQuestion
from secondpost.receive.names import (
    FAILED_SECONDS,
    OPEN_MAX,
    OPEN_OF_NETWORK_MAX,
    QUESTIONS_MAX,
    REMEMBERED_MAX,
    REMEMBERED_SECONDS,
    MessageNames,
    SenderNames,
)
from secondpost.world.asking import Suspended, begin
from simulation.clock import Timeline, run

A, B = "192.0.2.0/24", "198.51.100.0/24"
FOUND = TxtAnswer(Finding.FOUND, ("v=spf1 -all",))
UNKNOWN = TxtAnswer(Finding.FAILED)
ENDS = 1e9
ASKING_SECONDS = 1.0


class Deliver:
    def __init__(self, answer: PublicAnswer = FOUND, seconds: float = ASKING_SECONDS) -> None:
        self.asked: list[PublicQuestion] = []
        self.answer = answer
        self.seconds = seconds

    async def records(self, question: PublicQuestion) -> PublicAnswer:
        self.asked.append(question)
        await asyncio.sleep(self.seconds)
        return self.answer


def live(day: Callable[[], Awaitable[None]]) -> None:
    async def lived() -> None:
        await day()

    timeline = Timeline()
    run(lived(), timeline, timeline.loop("receive"))
    assert timeline.end() == []


def texts(count: int, what: str = "") -> list[Txt]:
    return [Txt(f"n{number}{what}.example") for number in range(count)]


async def all_of(names: MessageNames, questions: Sequence[PublicQuestion]) -> list[AnswerOfZone]:
    return await asyncio.gather(*map(names.answer, questions))


def test_a_name_is_asked_once_for_all_who_need_it_and_remembered_for_a_minute() -> None:
    async def day() -> None:
        deliver = Deliver()
        names = SenderNames(deliver.records)
        of_messages = [MessageNames(names, network, ENDS) for network in (A, A, B)]
        assert [await one.answer(Txt("a.example")) for one in of_messages] == [FOUND] * 3
        at_once = await asyncio.gather(*(one.answer(Txt("b.example")) for one in of_messages))
        assert at_once == [FOUND] * 3
        assert deliver.asked == [Txt("a.example"), Txt("b.example")]
        begun = begin(of_messages[0].answer(Txt("a.example")))
        assert not isinstance(begun, Suspended), "what is at hand needs no task"
        await asyncio.sleep(REMEMBERED_SECONDS)
        await of_messages[0].answer(Txt("a.example"))
        assert deliver.asked[2:] == [Txt("a.example")]

    live(day)


def test_that_dns_failed_is_remembered_for_seconds_so_that_a_flood_waits_once() -> None:
    async def day() -> None:
        deliver = Deliver(UNKNOWN)
        names = MessageNames(SenderNames(deliver.records), A, ENDS)
        for _ in range(3):
            assert await names.answer(Txt("a.example")) == UNKNOWN
        assert len(deliver.asked) == 1
        await asyncio.sleep(FAILED_SECONDS)
        await names.answer(Txt("a.example"))
        assert len(deliver.asked) == 2

    live(day)


def test_nothing_is_waited_for_beyond_the_end_of_the_message() -> None:
    async def day() -> None:
        loop = asyncio.get_running_loop()
        deliver = Deliver(seconds=60.0)
        shared = SenderNames(deliver.records)
        names = MessageNames(shared, A, loop.time() + 5.0)
        begun = loop.time()
        assert await names.answer(Txt("a.example")) == UNKNOWN
        assert loop.time() - begun == pytest.approx(5.0)
        assert await names.answer(Txt("b.example")) == UNKNOWN
        assert len(deliver.asked) == 1
        shared.close()
        await asyncio.sleep(0)

    live(day)


def test_a_message_asks_no_more_than_its_share() -> None:
    async def day() -> None:
        deliver = Deliver(seconds=0.0)
        names = MessageNames(SenderNames(deliver.records), A, ENDS)
        answers = [await names.answer(question) for question in texts(QUESTIONS_MAX + 5)]
        assert answers == [FOUND] * QUESTIONS_MAX + [UNKNOWN] * 5

    live(day)


def test_one_network_takes_no_others_share_and_all_together_leave_room_for_recipients() -> None:
    async def day() -> None:
        deliver = Deliver()
        names = SenderNames(deliver.records)
        floods = [
            all_of(MessageNames(names, A, ENDS), texts(QUESTIONS_MAX, f"-{message}")) for message in range(3)
        ]
        flood = asyncio.gather(*floods)
        await asyncio.sleep(ASKING_SECONDS / 2)
        assert len(deliver.asked) == OPEN_OF_NETWORK_MAX
        assert await MessageNames(names, B, ENDS).answer(Txt("b.example")) == FOUND
        answered = [answer for message in await flood for answer in message]
        assert answered.count(FOUND) == OPEN_OF_NETWORK_MAX
        deliver.asked.clear()
        await asyncio.gather(
            *(
                all_of(MessageNames(names, f"10.0.{n}.0/24", ENDS), texts(QUESTIONS_MAX, f"-of{n}"))
                for n in range(20)
            )
        )
        assert len(deliver.asked) == OPEN_MAX

    live(day)


def test_what_is_remembered_is_bounded_in_number_and_size() -> None:
    async def day() -> None:
        deliver = Deliver(seconds=0.0)
        names = SenderNames(deliver.records)
        for question in texts(REMEMBERED_MAX + 1):
            await MessageNames(names, A, ENDS).answer(question)
        now = asyncio.get_running_loop().time()
        assert names.remembered(Txt("n0.example"), now) is None
        assert names.remembered(Txt("n1.example"), now) == FOUND
        deliver.answer = TxtAnswer(Finding.FOUND, ("x" * 3_000,))
        assert await MessageNames(names, A, ENDS).answer(Txt("large.example")) == deliver.answer
        assert names.remembered(Txt("large.example"), now) is None

    live(day)


def test_a_name_that_cannot_be_public_does_not_exist_and_is_not_asked() -> None:
    async def day() -> None:
        deliver = Deliver()
        names = MessageNames(SenderNames(deliver.records), A, ENDS)
        for name in ("localhost", "", "a..example", f"{'x' * 64}.example", "a b.example", "ä.example"):
            assert await names.answer(Txt(name)) == TxtAnswer(Finding.NO_NAME)
            assert await names.answer(AddressRecords(name, 6)) == AddressAnswer(Finding.NO_NAME)
        assert await names.answer(Ns("a.example")) == NsAnswer(Finding.FAILED)
        assert deliver.asked == []

    live(day)
