"""One address behind many names: how many connections go to it, and in which order."""

import asyncio
from collections.abc import Callable

import pytest

from secondpost.config.files import read_password
from secondpost.deliver.entrances import OPENING_MAX, Entrances, Passage
from secondpost.deliver.logins import Logins
from secondpost.deliver.opening import Opener
from secondpost.deliver.pace import STALLED_MAX
from secondpost.deliver.probe import Visitor
from secondpost.mail.address import Endpoint
from secondpost.mail.plan import Hop, Plan, TlsDemand
from simulation.clock import Timeline, run
from simulation.dice import SimDice
from simulation.internet.net import SimInternet
from simulation.internet.talk import Talk
from simulation.work import SimWork

ADDRESS = Endpoint("198.51.100.1", 25)
HOP = Hop("mx", (ADDRESS.host,), ADDRESS.port, TlsDemand.OPPORTUNISTIC)
PLAN = Plan("mx", (HOP,))


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def entering(entrances: Entrances, goes_first: bool = False) -> asyncio.Task[Passage]:
    return asyncio.ensure_future(entrances.enter(ADDRESS, goes_first))


async def entered(tasks: list[asyncio.Task[Passage]]) -> list[Passage]:
    await turns()
    return [task.result() for task in tasks if task.done()]


async def test_few_strangers_open_at_once_and_the_rest_waits_for_them() -> None:
    entrances = Entrances(connections_max=20)
    tasks = [entering(entrances) for _ in range(10)]
    inside = await entered(tasks)
    assert len(inside) == OPENING_MAX - 1
    inside[0].let_in()
    inside[0].let_in()
    assert len(await entered(tasks)) == OPENING_MAX, "one more, however often it is said"
    inside[1].leave()
    inside[1].leave()
    assert len(await entered(tasks)) == OPENING_MAX + 1
    for task in tasks:
        task.cancel()


async def test_all_that_stand_are_no_more_than_one_site_may_have() -> None:
    entrances = Entrances(connections_max=5)
    tasks = [entering(entrances, goes_first=True) for _ in range(20)]
    for _ in range(20):
        for passage in await entered(tasks):
            passage.let_in()
    assert len(await entered(tasks)) == entrances.connections == 5 + STALLED_MAX
    for passage in await entered(tasks):
        passage.leave()
    await turns()
    assert len(await entered(tasks)) > 5 + STALLED_MAX


async def test_who_goes_first_finds_a_place_beside_any_number_of_strangers() -> None:
    entrances = Entrances(connections_max=20)
    strangers = [entering(entrances) for _ in range(100)]
    await turns()
    ours = [entering(entrances, goes_first=True) for _ in range(2)]
    assert len(await entered(ours)) == 1
    (await entered(strangers))[0].leave()
    assert len(await entered(ours)) == 2, "before all strangers that wait"
    for task in (*strangers, *ours):
        task.cancel()


async def test_who_stops_waiting_leaves_nothing_behind() -> None:
    entrances = Entrances(connections_max=20)
    tasks = [entering(entrances) for _ in range(10)]
    inside = await entered(tasks)
    tasks[-1].cancel()
    inside[0].leave()
    tasks[len(inside)].cancel()  # its turn has come, but it has not run yet
    await turns()
    for task in tasks:
        task.cancel()
    await turns()
    for passage in (task.result() for task in tasks if not task.cancelled()):
        passage.leave()
    assert entrances.connections == 0


class Street:
    """A Secondpost, and a host that accepts everyone; its replies are set by the test."""

    def __init__(self, says: Callable[[Talk], None]) -> None:
        self.timeline = Timeline(SimDice("street"))
        self.internet = SimInternet(self.timeline, SimDice("s"), SimDice("f"))
        self.internet.host("here", ("192.0.2.1",), "home")
        self.internet.host("there", (ADDRESS.host,), "abroad").certificate = ("mx",)
        self.net = self.internet.net_for("192.0.2.1")
        self._far = self.internet.net_for(ADDRESS.host)
        self._says = says
        self.entrances = Entrances(connections_max=20)
        self._tasks: set[asyncio.Task[None]] = set()

    async def _converse(self, talk: Talk) -> None:
        self._says(talk)
        while True:
            line = await talk.line(10_000.0)
            if line.startswith("EHLO"):
                talk.say("250-there", "250 STARTTLS")
            elif line == "STARTTLS":
                talk.say("220 go on")

    async def open_and_cancel(self, seconds: float) -> None:
        await self._far.listen(lambda: Talk(self._far, self._converse), ADDRESS)
        logins = Logins(read_password, SimWork(self.internet.loop, SimDice("w")), SimDice("d"))
        opener = Opener(
            self.net, "here", self._run, self.entrances, logins, lambda site, offered: None, goes_first=True
        )
        task = asyncio.ensure_future(opener.open(PLAN, Visitor()))
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.sleep(5.0)
        assert task.cancelled()

    def _run(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.1, 0.2, 0.3, 0.5, 2.0])
@pytest.mark.parametrize("greeting", ["", "220 there"])
def test_an_attempt_that_is_cancelled_leaves_no_connection_behind(seconds: float, greeting: str) -> None:
    """At every point: before the connection, before the greeting, in the TLS handshake."""
    street = Street(lambda talk: talk.say(greeting) if len(greeting) > 0 else None)
    run(street.open_and_cancel(seconds), street.timeline, street.internet.loop)
    assert [end for end in street.net.ends if not end.lost] == []
    assert street.entrances.connections == 0
    assert street.timeline.end() == []


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


pytestmark = pytest.mark.anyio
