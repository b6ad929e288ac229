"""What deliver looks up for receive is bounded."""

import asyncio

from secondpost.deliver.name_questions import AT_ONCE_MAX, BURST_MAX, PER_SECOND_MAX, NameQuestions
from secondpost.mail.address import Domain
from secondpost.mail.dns_questions import AddressRecords, Ptr, PtrAnswer
from secondpost.mail.questions import AddressAnswer, Finding, Mx, MxAnswer, MxRecord, Txt, TxtAnswer
from simulation.clock import Timeline, run
from simulation.dice import SimDice
from simulation.internet.dns import SimDns, SimResolver

TEXT = TxtAnswer(Finding.FOUND, ("v=spf1 -all",))


class CountingResolver(SimResolver):
    now = 0
    most = 0

    async def txt(self, name: str) -> TxtAnswer:
        self.now += 1
        self.most = max(self.most, self.now)
        answer = await super().txt(name)
        self.now -= 1
        return answer


def resolver() -> CountingResolver:
    dns = SimDns(
        mx={"a.example": [(10, "mx.a.example")]},
        addresses={"mx.a.example": ["192.0.2.1", "2001:db8::1"]},
        texts={"a.example": ["v=spf1 -all"]},
    )
    return CountingResolver(dns, "ours", SimDice("names"))


def test_each_kind_of_question_is_answered_from_dns() -> None:
    async def day() -> None:
        names = NameQuestions(resolver())
        assert await names.records(Txt("a.example")) == TEXT
        mx = MxAnswer(Finding.FOUND, (MxRecord(10, "mx.a.example"),))
        assert await names.records(Mx(Domain("a.example"))) == mx
        assert await names.records(AddressRecords("mx.a.example", 6)) == AddressAnswer(
            Finding.FOUND, ("2001:db8::1",)
        )
        assert await names.records(Ptr("192.0.2.1")) == PtrAnswer(Finding.NO_NAME)

    timeline = Timeline()
    run(day(), timeline, timeline.loop("deliver"))


def test_a_flood_of_questions_is_bounded_in_number_at_once_and_in_rate() -> None:
    async def day() -> None:
        asked = resolver()
        names = NameQuestions(asked)

        async def answered(count: int) -> int:
            answers = await asyncio.gather(*(names.records(Txt("a.example")) for _ in range(count)))
            return answers.count(TEXT)

        assert await answered(2 * BURST_MAX) == BURST_MAX
        assert asked.most == AT_ONCE_MAX
        begun = asyncio.get_running_loop().time()
        await asyncio.sleep(1.0)
        in_a_second = await answered(BURST_MAX)
        assert in_a_second >= PER_SECOND_MAX
        assert in_a_second < PER_SECOND_MAX * (asyncio.get_running_loop().time() - begun) + BURST_MAX / 2

    timeline = Timeline()
    run(day(), timeline, timeline.loop("deliver"))
