"""The readers together: what they do at the public pages, and what the owner's commands say of them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from secondpost.demo.configuration import NEWSLETTER
from secondpost.demo.evidence import FalseClaim, check
from secondpost.demo.readers import Mail, Reader
from secondpost.demo.witness import ARRIVAL_SECONDS_MAX, Witness, until

# What the page of a confirmation's link says.
ASKED, CONFIRMED = "Do you want to get this newsletter", "You are already subscribed"
AGAIN_SECONDS = 0.6  # a command takes about as long itself


@dataclass(frozen=True, slots=True)
class Counts:
    """What the demo reads of `subscribers show --json`."""

    active: int
    pending: int
    left: int


@dataclass(frozen=True, slots=True)
class IssueStatusJson:
    """What the demo reads of `issue status --json`."""

    state: str
    planned: int
    delivered: int
    adds_up: bool


@dataclass(frozen=True, slots=True)
class Crowd:
    witness: Witness

    @property
    def page(self) -> str:
        return f"{self.witness.stage.pages}/{NEWSLETTER}/"

    async def sign_up(self, readers: Sequence[Reader]) -> None:
        """Done when each has exactly one mail, and that asks to confirm."""
        pages = await asyncio.gather(*(reader.sign_up(self.page) for reader in readers))
        check("the form takes everybody", {200}, {page.status for page in pages})
        everybody = {reader.address: 1 for reader in readers}

        def asked() -> dict[str, int]:
            return {reader.address: len(reader.confirmations) for reader in readers}

        await until(lambda: _reached(asked(), everybody), ARRIVAL_SECONDS_MAX)
        check("each is asked once", everybody, asked())
        check("and sent nothing else", dict.fromkeys(everybody, 0), self.issues())

    async def open_confirmations(self, readers: Sequence[Reader], said: str) -> None:
        """By the link of the mail, whose page says how it stands."""
        browser = self.witness.stage.browser
        pages = await asyncio.gather(*(browser.get(reader.confirm_url()) for reader in readers))
        found = {(page.status, said in page.text) for page in pages}
        check(f"each link's page says “{said}”", {(200, True)}, found)

    async def confirm(self, readers: Sequence[Reader]) -> None:
        pages = await asyncio.gather(*(reader.confirm() for reader in readers))
        check("each is welcome", {(200, True)}, {(page.status, "Welcome" in page.text) for page in pages})

    async def scan(self, mails: Sequence[Mail]) -> int:
        """Opens all that these mails lead to, as programs do that look for danger. How many addresses."""
        browser = self.witness.stage.browser
        urls = sorted({url for mail in mails for url in mail.urls})
        pages = await asyncio.gather(*(look(url) for url in urls for look in (browser.head, browser.get)))
        check("every address leads somewhere", {200}, {page.status for page in pages})
        return len(urls)

    async def counts(self) -> Counts:
        return await self.witness.document(Counts, "subscribers", "show", "--json")

    def issues(self) -> dict[str, int]:
        """How many mails with an issue each has."""
        return {reader.address: len(reader.issues) for reader in self.witness.stage.readers}

    async def issues_come(self, expected: Mapping[str, int]) -> None:
        await until(lambda: _reached(self.issues(), expected), ARRIVAL_SECONDS_MAX)
        check("every reader has each issue exactly once", expected, self.issues())

    async def ended(self, number: int) -> IssueStatusJson:
        """Once the issue is done: before that no other can be made."""
        return await self._reckoned(number, lambda found: found.state == "done")

    async def accounted(self, number: int) -> IssueStatusJson:
        """Once nobody is under way any more."""
        return await self._reckoned(number, lambda found: found.adds_up)

    async def _reckoned(self, number: int, enough: Callable[[IssueStatusJson], bool]) -> IssueStatusJson:
        """The issue's reckoning, asked for again until it is so."""
        deadline = asyncio.get_running_loop().time() + ARRIVAL_SECONDS_MAX
        while True:
            found = await self.witness.document(IssueStatusJson, "issue", "status", str(number), "--json")
            if enough(found):
                return found
            if asyncio.get_running_loop().time() > deadline:
                raise FalseClaim(f"issue {number} comes to its end", "done", found)
            await asyncio.sleep(AGAIN_SECONDS)


def _reached(found: Mapping[str, int], expected: Mapping[str, int]) -> bool:
    """Whether nobody waits for one more; whether somebody has one too many is seen afterwards."""
    return all(found[address] >= count for address, count in expected.items())
