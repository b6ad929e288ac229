"""An issue that is held, paused, restarted and disturbed while it is on its way."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from secondpost.mail.envelope import Lane
from secondpost.mail.issue import Issue, IssueState, Reckoning
from secondpost.store.newsletter_ports import IssueRefused
from secondpost.store.ports import Lease
from secondpost.store.provider_ports import PauseCause, ProviderPause
from simulation.dice import SimDice
from tests.stations.test_readers import Readership, among_readers

TICK_MS = 3_000  # of the role's clock, at each look
LOOKS = 40  # at least, in which a paused provider gets nothing
GOES_ON = 0.08  # chance of a pause or hold to end, at each look
INTERRUPTIONS = ("hold", "pause", "restart", "reset", "", "") * 4  # one for each mail, in any order
READERS = len(INTERRUPTIONS)


def pause_of(them: Readership) -> ProviderPause:
    """A pause of the one server, which is a provider of its own."""
    provider = f"127.0.0.1:{them.server.port}"
    return ProviderPause(provider, PauseCause.OWNER, them.place.clock.ms, "wait")


class Interruptions:
    """What the owner, the supervisor and a reader's server do while mails are taken."""

    def __init__(self, them: Readership, issue: Issue, seed: int) -> None:
        self.them = them
        self.issue = issue
        self.dice = SimDice(f"interruptions {seed}")
        self.coming = self.dice.shuffled(INTERRUPTIONS)
        self.restarts = False

    async def taken(self) -> None:
        """The server has a mail, and has not answered yet."""
        match self.coming.pop():
            case "hold" if await self._state() is IssueState.SENDING:
                with suppress(IssueRefused):  # another connection was faster
                    await self.them.readers.hold(self.issue.id, "a wrong picture")
            case "pause":
                await self.them.readers.pause_provider(pause_of(self.them))
            case "restart":
                self.restarts = True
            case "reset":
                raise ConnectionResetError
            case _:
                pass

    async def goes_on(self) -> None:
        """One look: time passes, and what was interrupted may go on."""
        them = self.them
        await them.wait_a_little()
        them.place.clock.ms += TICK_MS
        if self.restarts and them.role is not None:
            self.restarts = False
            await them.role.drain()
            await them.start()
        if self.dice.chance(GOES_ON):
            await them.readers.resume_provider(pause_of(them).provider, PauseCause.OWNER)
        if self.dice.chance(GOES_ON) and await self._state() is IssueState.HELD:
            await them.readers.resume(self.issue.id, them.place.clock.ms)
            while await them.readers.release_batch(self.issue.id, them.place.clock.ms, READERS) > 0:
                pass

    async def _state(self) -> IssueState:
        issue = await self.them.readers.issue(self.issue.id)
        assert issue is not None
        return issue.state


@pytest.mark.parametrize("seed", range(3))
def test_an_issue_that_is_interrupted_again_and_again_comes_once_to_each_reader(
    seed: int, tmp_path: Path
) -> None:
    """Catalogue rows 28, 29 and 40"""

    async def story(them: Readership) -> None:
        await them.publisher.readers(*(f"r{n}@d{n % 4}.example" for n in range(READERS - 3)))
        made = await them.frozen()
        interruptions = Interruptions(them, made, seed)
        them.server.taken = interruptions.taken
        await them.start()
        while (reckoning := await them.readers.reckoning(made.id)).under_way > 0:
            await interruptions.goes_on()
        assert reckoning.planned == READERS
        assert reckoning.delivered + reckoning.unknown == READERS
        assert reckoning.unknown == INTERRUPTIONS.count("reset")
        assert len(them.server.mails) == len(set(them.server.recipients())) == READERS
        assert interruptions.coming == []

    among_readers(tmp_path, story)


def test_a_paused_provider_gets_nothing_until_it_goes_on(tmp_path: Path) -> None:
    async def story(them: Readership) -> None:
        made, pause = await them.frozen(), pause_of(them)
        await them.readers.pause_provider(pause)
        await them.start()
        for _ in range(LOOKS):
            await them.wait_a_little()
            them.place.clock.ms += TICK_MS
        assert them.server.mails == []
        await them.readers.resume_provider(pause.provider, PauseCause.OWNER)
        while (reckoning := await them.readers.reckoning(made.id)).under_way > 0:
            await them.wait_a_little()
            them.place.clock.ms += TICK_MS
        assert reckoning == Reckoning(3, delivered=3)

    among_readers(tmp_path, story)


def test_a_lease_that_comes_while_the_role_drains_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it stayed leased, the next role in this process would find nothing due at its site."""

    async def story(them: Readership) -> None:
        made = await them.frozen()
        asked, may_go, lease = asyncio.Event(), asyncio.Event(), them.readers.lease

        async def slow(lane: Lane, site: str) -> Lease | None:
            granted = await lease(lane, site)
            asked.set()
            await may_go.wait()
            return granted

        monkeypatch.setattr(them.readers, "lease", slow)
        await them.start()
        await asked.wait()
        assert them.role is not None
        draining = asyncio.ensure_future(them.role.drain())
        await asyncio.sleep(0.2)  # longer than drain rests between two looks
        may_go.set()
        await draining
        monkeypatch.undo()
        await them.start()
        assert await them.nothing_under_way(made) == Reckoning(3, delivered=3)

    among_readers(tmp_path, story)
