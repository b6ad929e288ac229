"""The readers as a group: their actions on the public pages, and the owner's figures about them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from secondpost.demo.configuration import NEWSLETTER
from secondpost.demo.evidence import FalseClaim, check
from secondpost.demo.readers import Mail, Reader
from secondpost.demo.witness import ARRIVAL_SECONDS_MAX, Witness, until

# Phrases on the page of a confirmation link.
ASKED, CONFIRMED = "Do you want to get this newsletter", "You are already subscribed"
AGAIN_SECONDS = 0.6  # about the duration of one command


@dataclass(frozen=True, slots=True)
class Counts:
    """The part of `subscribers show --json` that the demo reads."""

    active: int
    pending: int
    left: int


@dataclass(frozen=True, slots=True)
class IssueStatusJson:
    """The part of `issue status --json` that the demo reads."""

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
        """Sign all up, and check that each gets exactly one mail, which asks for confirmation."""
        pages = await asyncio.gather(*(reader.sign_up(self.page) for reader in readers))
        check("the form takes everybody", {200}, {page.status for page in pages})
        everybody = {reader.address: 1 for reader in readers}

        def asked() -> dict[str, int]:
            return {reader.address: len(reader.confirmations) for reader in readers}

        await until(lambda: _reached(asked(), everybody), ARRIVAL_SECONDS_MAX)
        check("each is asked once", everybody, asked())
        check("and sent nothing else", dict.fromkeys(everybody, 0), self.issues())

    async def open_confirmations(self, readers: Sequence[Reader], said: str) -> None:
        """Open each confirmation link, and check that its page says `said`."""
        browser = self.witness.stage.browser
        pages = await asyncio.gather(*(browser.get(reader.confirm_url()) for reader in readers))
        found = {(page.status, said in page.text) for page in pages}
        check(f"each link's page says “{said}”", {(200, True)}, found)

    async def confirm(self, readers: Sequence[Reader]) -> None:
        pages = await asyncio.gather(*(reader.confirm() for reader in readers))
        check("each is welcome", {(200, True)}, {(page.status, "Welcome" in page.text) for page in pages})

    async def scan(self, mails: Sequence[Mail]) -> int:
        """Open all URLs of these mails, as virus scanners do; return their number."""
        browser = self.witness.stage.browser
        urls = sorted({url for mail in mails for url in mail.urls})
        pages = await asyncio.gather(*(look(url) for url in urls for look in (browser.head, browser.get)))
        check("every address leads somewhere", {200}, {page.status for page in pages})
        return len(urls)

    async def counts(self) -> Counts:
        return await self.witness.document(Counts, "subscribers", "show", "--json")

    def issues(self) -> dict[str, int]:
        """The number of issue mails of each reader."""
        return {reader.address: len(reader.issues) for reader in self.witness.stage.readers}

    async def issues_come(self, expected: Mapping[str, int]) -> None:
        await until(lambda: _reached(self.issues(), expected), ARRIVAL_SECONDS_MAX)
        check("every reader has each issue exactly once", expected, self.issues())

    async def ended(self, number: int) -> IssueStatusJson:
        """The figures of the issue once it is done; before that no other issue can be made."""
        return await self._reckoned(number, lambda found: found.state == "done")

    async def accounted(self, number: int) -> IssueStatusJson:
        """The figures of the issue once every reader is accounted for."""
        return await self._reckoned(number, lambda found: found.adds_up)

    async def _reckoned(self, number: int, enough: Callable[[IssueStatusJson], bool]) -> IssueStatusJson:
        """Poll the figures until `enough` is true. Raises FalseClaim."""
        deadline = asyncio.get_running_loop().time() + ARRIVAL_SECONDS_MAX
        while True:
            found = await self.witness.document(IssueStatusJson, "issue", "status", str(number), "--json")
            if enough(found):
                return found
            if asyncio.get_running_loop().time() > deadline:
                raise FalseClaim(f"issue {number} comes to its end", "done", found)
            await asyncio.sleep(AGAIN_SECONDS)


def _reached(found: Mapping[str, int], expected: Mapping[str, int]) -> bool:
    """Whether each has at least the expected number; a check for too many follows."""
    return all(found[address] >= count for address, count in expected.items())
