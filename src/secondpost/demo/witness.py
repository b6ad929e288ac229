"""Sends the letters and finds them: in the primary's mailbox and by the owner's commands."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from secondpost.demo.evidence import DIRECT, THROUGH_US, FalseClaim, added_to, check
from secondpost.demo.letters import Letter, letter
from secondpost.demo.mailserver import Arrived
from secondpost.demo.senders import Journey, SendingServer
from secondpost.demo.stage import RECIPIENTS, SECOND, Stage

ARRIVAL_SECONDS_MAX = 20.0
POLL_SECONDS = 0.02

Document = TypeVar("Document")
Arrivals = dict[int, Arrived]  # by number of the letter


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """The part of `held list --json` and `queue list --json` that the demo reads."""

    id: str
    standing: str
    sender: str
    recipient: str

    @property
    def message(self) -> str:
        return self.id.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Listing:
    deliveries: list[ListedDelivery]


@dataclass(slots=True)
class Witness:
    stage: Stage
    letters: int = 0
    posted: dict[int, float] = field(default_factory=dict)  # by letter, in the loop's time

    async def post(self, *posts: tuple[SendingServer, str]) -> list[Journey]:
        """Send letters concurrently and wait until each was accepted."""
        tasks = [asyncio.create_task(server.post(self._write(server, subject))) for server, subject in posts]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    def _write(self, server: SendingServer, subject: str) -> Letter:
        self.letters += 1
        sender = f"friend{self.letters}@{server.domains[self.letters // 2 % len(server.domains)]}"
        self.posted[self.letters] = asyncio.get_running_loop().time()
        return letter(self.letters, sender, RECIPIENTS[self.letters % len(RECIPIENTS)], subject)

    async def arrived(self, journeys: Sequence[Journey]) -> Arrivals:
        """The letters in the primary's mailbox, each exactly once. Raises FalseClaim."""
        wanted = [journey.letter.number for journey in journeys]
        if not await until(lambda: self.in_mailbox(journeys) == wanted, ARRIVAL_SECONDS_MAX):
            raise FalseClaim("these letters arrive", wanted, self.in_mailbox(journeys))
        copies = {one.letter.number: self.stage.primary.copies_of(one.letter.key) for one in journeys}
        counts = {number: len(found) for number, found in copies.items()}
        check("each arrives exactly once", dict.fromkeys(copies, 1), counts)
        return {number: found[0] for number, found in copies.items()}

    def in_mailbox(self, journeys: Sequence[Journey]) -> list[int]:
        """The numbers of the letters that are there."""
        copies = self.stage.primary.copies_of
        return [one.letter.number for one in journeys if len(copies(one.letter.key)) > 0]

    def check_direct(self, journey: Journey, arrivals: Arrivals) -> None:
        added = added_to(journey.letter, arrivals[journey.letter.number], SECOND)
        check("direct mail is untouched", DIRECT, added)

    def check_through_us(self, journey: Journey, arrivals: Arrivals) -> None:
        one, found = journey.letter, arrivals[journey.letter.number]
        check("Secondpost took it", SECOND, journey.taken_by)
        check("its envelope is what it was", (one.sender, (one.recipient,)), (found.sender, found.recipients))
        check("it is unchanged, but for our two fields above it", THROUGH_US, added_to(one, found, SECOND))

    async def listed(self, group: str, count: int) -> list[ListedDelivery]:
        """Poll `held list` or `queue list` until it has `count` entries; return the last result."""
        deadline = asyncio.get_running_loop().time() + ARRIVAL_SECONDS_MAX
        while True:
            listing = await self.document(Listing, group, "list", "--json")
            if len(listing.deliveries) == count or asyncio.get_running_loop().time() > deadline:
                return listing.deliveries
            await asyncio.sleep(POLL_SECONDS)

    async def document(self, kind: type[Document], *words: str) -> Document:
        return msgspec.json.decode(await self.output(*words), type=kind)

    async def output(self, *words: str) -> str:
        """The output of a command, which must succeed without an error message."""
        answer = await self.stage.service.command(*words)
        check(f"`secondpost {' '.join(words)}` works", (0, ""), (answer.code, answer.err))
        return answer.out


async def until(true: Callable[[], bool], seconds: float) -> bool:
    """Poll a condition; return whether it became true in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not true():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True
