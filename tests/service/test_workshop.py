"""Processes that make readers' mails: they start when there is much to do, and end again."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from secondpost.config.records import Dkim
from secondpost.mail.address import Domain
from secondpost.processes.makers import MakerProgram, command_of, start_maker
from secondpost.processes.signer import SignerSetup, reader_keys
from secondpost.processes.workshop import MailWorkshop
from secondpost.signing.assembly import OwnAddresses
from secondpost.signing.orders import MailSigner, SigningOrder, orders_octets, signed_of
from secondpost.world.background import BackgroundTasks
from secondpost.world.ports import WorkshopClosed
from secondpost.world.real.dice import RealDice
from secondpost.world.real.keys import make_missing_keys
from tests.processes.proc import children_of, command_line
from tests.stations.test_assembly import issue, reader

OWN = OwnAddresses("https://news.example.net", Domain("mx2.example.net"))
ORDER = (SigningOrder(issue().encode(), tuple(reader(number) for number in range(1, 9))),)
SECONDS_MAX = 30.0
LONG_SECONDS = 600.0


class Shop:
    """A workshop of two processes, over a store with keys."""

    def __init__(
        self,
        folder: Path,
        command: tuple[str, ...] = command_of(MakerProgram.SIGNER),
        idle_seconds: float = LONG_SECONDS,
        order_seconds_max: float = LONG_SECONDS,
    ) -> None:
        self.store = str(folder)
        make_missing_keys(self.store, Dkim(), RealDice())
        self.lost: list[str] = []
        self.failures: list[BaseException] = []
        self.workshop = MailWorkshop(
            SignerSetup(self.store, Dkim(), OWN).octets(),
            2,
            lambda door: start_maker(command, door),
            BackgroundTasks(self.failures.append).run,
            self.lost.append,
            idle_seconds,
            order_seconds_max,
        )

    async def open(self) -> None:
        """Open repeatedly, as callers do, since it does not open while one closes."""
        while self.workshop.places < 2:
            self.workshop.open()
            await asyncio.sleep(0.01)

    async def all_gone(self) -> None:
        await until(lambda: self.workshop.places == 0 and len(processes()) == 0)


def processes() -> list[int]:
    """Our processes that make mails."""
    return [pid for pid in children_of(os.getpid()) if "secondpost.processes.signer" in command_line(pid)]


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await asyncio.sleep(0.01)


def in_a(shop: Shop, story: Callable[[Shop], Awaitable[None]]) -> None:
    async def told() -> None:
        async with asyncio.timeout(SECONDS_MAX):
            try:
                await story(shop)
            finally:
                await shop.workshop.close()
        assert processes() == []
        assert shop.failures == []

    asyncio.run(told())


def test_what_another_process_makes_is_what_we_would(tmp_path: Path) -> None:
    async def story(shop: Shop) -> None:
        await shop.open()
        answers = await asyncio.gather(*(shop.workshop.do(orders_octets(ORDER)) for _ in range(10)))
        made = MailSigner(reader_keys(shop.store, Dkim()), OWN).sign(ORDER)
        assert [signed_of(answer) for answer in answers] == [made] * 10
        assert shop.lost == []

    in_a(Shop(tmp_path), story)


def test_nobody_is_there_before_it_is_opened_and_after_a_while_without_an_order(tmp_path: Path) -> None:
    async def story(shop: Shop) -> None:
        with pytest.raises(WorkshopClosed):
            await shop.workshop.do(orders_octets(ORDER))
        for _ in range(2):
            await shop.open()
            shop.workshop.open()
            assert len(processes()) == 2, "opened twice is opened"
            await shop.all_gone()
        assert shop.lost == []

    in_a(Shop(tmp_path, idle_seconds=0.3), story)


def test_orders_of_one_that_is_killed_come_back_and_the_other_goes_on(tmp_path: Path) -> None:
    async def story(shop: Shop) -> None:
        await shop.open()
        asked = [asyncio.ensure_future(shop.workshop.do(orders_octets(ORDER))) for _ in range(40)]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        os.kill(processes()[0], signal.SIGKILL)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        lost = [answer for answer in answers if isinstance(answer, WorkshopClosed)]
        made = [answer for answer in answers if isinstance(answer, bytes)]
        assert len(lost) > 0
        assert len(made) > 0
        assert len(lost) + len(made) == 40
        await until(lambda: shop.workshop.places == 1 and len(shop.lost) == 1)
        assert shop.lost == ["it ended with exit code -9"]
        assert len(signed_of(await shop.workshop.do(orders_octets(ORDER)))) == 1

    in_a(Shop(tmp_path), story)


def test_one_that_does_not_answer_is_done_without(tmp_path: Path) -> None:
    async def story(shop: Shop) -> None:
        await shop.open()
        for pid in processes():
            os.kill(pid, signal.SIGSTOP)
        for _ in range(2):
            with pytest.raises(WorkshopClosed):
                await shop.workshop.do(orders_octets(ORDER))
        await shop.all_gone()
        await until(lambda: len(shop.lost) == 2)
        assert shop.lost == ["it ended with exit code -9"] * 2

    in_a(Shop(tmp_path, order_seconds_max=0.3), story)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("/nowhere/python",), "it cannot be started: [Errno 2]"),
        ((sys.executable, "-c", "raise SystemExit(3)"), "it ended with exit code 3"),
    ],
)
def test_what_cannot_begin_is_told_and_not_tried_again_at_once(
    tmp_path: Path, command: tuple[str, ...], why: str
) -> None:
    async def story(shop: Shop) -> None:
        shop.workshop.open()
        await until(lambda: len(shop.lost) == 2)
        assert all(shown.startswith(why) for shown in shop.lost)
        await until(lambda: len(processes()) == 0)
        shop.workshop.open()
        await asyncio.sleep(0.2)
        assert len(shop.lost) == 2
        assert shop.workshop.places == 0

    in_a(Shop(tmp_path, command), story)


def test_without_keys_it_says_which(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def story(shop: Shop) -> None:
        (tmp_path / "keys" / "sp-rsa.pem").unlink()
        shop.workshop.open()
        await until(lambda: len(shop.lost) == 2)
        assert shop.lost == ["it ended with exit code 1"] * 2

    in_a(Shop(tmp_path), story)
    said = capfd.readouterr().err
    assert "sp-rsa.pem" in said
    assert "Traceback" not in said


def test_signals_for_the_role_are_not_for_them(tmp_path: Path) -> None:
    async def story(shop: Shop) -> None:
        await shop.open()
        for pid in processes():
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGINT)
        assert len(signed_of(await shop.workshop.do(orders_octets(ORDER)))) == 1
        assert shop.workshop.places == 2

    in_a(Shop(tmp_path), story)
