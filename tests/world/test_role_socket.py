"""Roles that ask or answer but do not read: neither fills the other's memory."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path

import pytest

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.questions import Finding, Knowledge, Txt, TxtAnswer
from secondpost.protocols.role_questions import PublicAnswer, PublicQuestion, RecipientAsked, question_line
from secondpost.world.background import BackgroundTasks
from secondpost.world.ports import ProtocolFactory
from secondpost.world.real.net import RealNet
from secondpost.world.sockets.questions import RoleAnswerer, RoleAsker, RoleKnowledge

from .conftest import Run
from .test_real_net import Talker

BUFFER_OCTETS_MAX = 128 * 1024
MAILBOX = Mailbox("a" * 60, Domain(".".join(["b" * 60] * 2) + ".example"))


async def no_records(question: PublicQuestion) -> PublicAnswer:
    raise AssertionError(f"{question} was asked")


class KeepingNet(RealNet):
    """Keeps the connection that it made."""

    made: asyncio.Transport

    async def connect_local(
        self, factory: ProtocolFactory, path: str, timeout_seconds: float
    ) -> asyncio.Transport:
        self.made = await super().connect_local(factory, path, timeout_seconds)
        return self.made


class Deaf(Talker):
    """Reads nothing, and knows when it must not write."""

    is_choked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport is not None
        # Later: uvloop starts reading after this call anyway.
        asyncio.get_running_loop().call_soon(self.transport.pause_reading)

    def pause_writing(self) -> None:
        self.is_choked = True


def test_an_answerer_that_does_not_read_is_asked_no_more(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        net = KeepingNet()
        path = str(tmp_path / "questions")
        deaf = Deaf()
        door = await net.listen_local(lambda: deaf, path)
        asker = RoleAsker(net, path, answer_seconds=0.2)
        try:
            for _ in range(10):
                answers = await asyncio.gather(*(asker.knows(MAILBOX, "192.0.2.0/24") for _ in range(1000)))
                assert set(answers) == {Knowledge.UNREACHABLE}
            assert 0 < net.made.get_write_buffer_size() < BUFFER_OCTETS_MAX
        finally:
            net.made.abort()
            if deaf.transport is not None:
                deaf.transport.abort()
            door.close()
            await asyncio.sleep(0.01)

    run(day())


def test_an_asker_that_does_not_read_is_not_listened_to(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        tasks: set[asyncio.Task[None]] = set()

        async def knows(mailbox: Mailbox, prefix: str) -> Knowledge:
            return Knowledge.KNOWN

        def background(work: Coroutine[None, None, None]) -> None:
            task = asyncio.get_running_loop().create_task(work)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        net = RealNet()
        path = str(tmp_path / "questions")
        door = await RoleAnswerer(RoleKnowledge(knows, no_records), background).open(net, path)
        deaf = Deaf()
        asking = await net.connect_local(lambda: deaf, path, 5)
        try:
            for number in range(20_000):
                asking.write(question_line(RecipientAsked(number, MAILBOX)))
                await asyncio.sleep(0)
                if deaf.is_choked:
                    break
            assert deaf.is_choked
        finally:
            asking.abort()
            door.close()
            await asyncio.sleep(0.01)

    run(day())


def test_a_deliver_role_that_is_replaced_leaves_no_question_open(run: Run[object], tmp_path: Path) -> None:
    """What it has read it answers; everything else is asked of its successor, over connections that
    are made anew.
    """

    async def day() -> None:
        tasks = BackgroundTasks(lambda error: pytest.fail(str(error)))
        net, path = RealNet(), str(tmp_path / "questions")
        asker = RoleAsker(net, path)
        answered: Counter[int] = Counter()

        def answerer(number: int) -> RoleAnswerer:
            async def knows(mailbox: Mailbox, prefix: str) -> Knowledge:
                await asyncio.sleep(0)
                answered[number] += 1
                return Knowledge.KNOWN

            return RoleAnswerer(RoleKnowledge(knows, no_records), tasks.run)

        async def ask() -> None:
            while not stop.is_set():
                assert await asker.knows(MAILBOX, "192.0.2.0/24") is Knowledge.KNOWN

        stop = asyncio.Event()
        old = answerer(0)
        door = await old.open(net, path)
        asking = [asyncio.ensure_future(ask()) for _ in range(50)]
        for number in range(1, 20):
            new = answerer(number)
            new_door = await new.open(net, path)
            door.close()
            await old.finish()
            while answered[number] == 0:
                assert not any(each.done() for each in asking)
                await asyncio.sleep(0)
            old, door = new, new_door
        stop.set()
        await asyncio.gather(*asking)
        asker.close()
        door.close()
        await asyncio.sleep(0.01)

    run(day())


def test_a_deliver_role_that_starts_late_is_waited_for_with_names_and_not_with_recipients(
    run: Run[object], tmp_path: Path
) -> None:
    found = TxtAnswer(Finding.FOUND, ("v=spf1 -all",))

    async def day() -> None:
        async def knows(mailbox: Mailbox, prefix: str) -> Knowledge:
            return Knowledge.KNOWN

        async def records(question: PublicQuestion) -> PublicAnswer:
            return found

        tasks = BackgroundTasks(lambda error: pytest.fail(str(error)))
        net, path = RealNet(), str(tmp_path / "questions")
        asker = RoleAsker(net, path)
        asking = asyncio.ensure_future(asker.records(Txt("a.example")))
        assert await asker.knows(MAILBOX, "") is Knowledge.UNREACHABLE
        assert not asking.done()
        door = await RoleAnswerer(RoleKnowledge(knows, records), tasks.run).open(net, path)
        assert await asking == found
        asker.close()
        door.close()
        await asyncio.sleep(0.01)

    run(day())


def test_a_deliver_role_that_is_not_there_is_an_answer_that_failed(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        asker = RoleAsker(RealNet(), str(tmp_path / "questions"), answer_seconds=0.05)
        assert await asker.records(Txt("a.example")) == TxtAnswer(Finding.FAILED)

    run(day())
