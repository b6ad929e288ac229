"""Act three: the blog becomes a newsletter, only for those who confirmed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.demo.crowd import ASKED, CONFIRMED, Counts, Crowd, IssueStatusJson
from secondpost.demo.evidence import check
from secondpost.demo.readers import Reader
from secondpost.demo.signatures import public_keys, signed_fields
from secondpost.demo.stage import OWN_DOMAIN
from secondpost.demo.telling import Teller
from secondpost.demo.witness import Witness

LIST_FIELDS = frozenset({"from", "subject", "list-id", "list-unsubscribe", "list-unsubscribe-post"})
ALGORITHMS = frozenset({"rsa-sha256", "ed25519-sha256"})
ARTICLES = (
    ("The lighthouse in winter", "Nobody lights it any more, and it has never been photographed so often."),
    ("How I moved my mail", "It took an evening, and most of it was waiting for the DNS."),
    ("A bread that needs no watching", "It rises while you sleep, and forgives almost everything."),
    ("Letters from the north", "A box of them came with the house; I have begun to read."),
)


@dataclass(frozen=True, slots=True)
class Next:
    """The part of `issue next --json` that the demo reads."""

    articles: int
    minimum: int
    ready: bool
    reason: str


class NewsletterAct:
    def __init__(self, teller: Teller, witness: Witness) -> None:
        self.teller = teller
        self.witness = witness
        self.stage = witness.stage
        self.crowd = Crowd(witness)
        *self.confirmed, self.silent = self.stage.readers

    async def play(self) -> None:
        await self.teller.act("Act three: the newsletter")
        await self.teller.prose(
            """Ada also writes a blog, and the same machine makes a newsletter of it: for people who asked
            for it, when there is enough to say."""
        )
        await self._readers_join()
        await self._one_article_waits()
        await self._two_articles_go()
        await self._programs_look()
        await self._one_leaves()

    async def _readers_join(self) -> None:
        teller, crowd = self.teller, self.crowd
        teller.happens("Five readers", f"sign up at {crowd.page}")
        await crowd.sign_up(self.stage.readers)
        await crowd.open_confirmations(self.stage.readers, ASKED)
        await crowd.open_confirmations(self.stage.readers, ASKED)
        await teller.true(
            "Each got one mail, which asks; its link only asks once more, however often opened."
        )
        await crowd.confirm(self.confirmed)
        teller.happens("Four of them", "press the button of that page")
        await crowd.open_confirmations(self.confirmed, CONFIRMED)
        await crowd.open_confirmations([self.silent], ASKED)
        await teller.true("Those four are readers now; the fifth did not answer, and will get nothing.")

    async def _one_article_waits(self) -> None:
        teller, witness = self.teller, self.witness
        self._publish(ARTICLES[0])
        upcoming = await witness.document(Next, "issue", "next", "--json")
        check("one article of two", (1, 2, False), (upcoming.articles, upcoming.minimum, upcoming.ready))
        check("it says so", True, upcoming.reason.startswith("1 of 2 articles"))
        await teller.true(f"The newsletter waits, and says why: “{upcoming.reason}”")
        answer = await self.stage.service.command("issue", "send", "--no-fetch")
        check("an issue of one article is refused", (1, True), (answer.code, "1 of 2 articles" in answer.err))
        check("nobody was sent an issue", _each(self.stage.readers, 0), self.crowd.issues())
        await teller.true("Not even Ada can send it like this: `issue send` refuses. No reader got anything.")

    async def _two_articles_go(self) -> None:
        teller = self.teller
        self._publish(ARTICLES[1])
        await self._send()
        with teller.meanwhile("The issue is on its way"):
            await self.crowd.issues_come(_each(self.confirmed, 1) | {self.silent.address: 0})
        issues = [reader.issues[0] for reader in self.confirmed]
        links = [self.stage.blog.link(article) for article in self.stage.blog.articles]
        for issue in issues:
            check("both articles are in it", links, [link for link in links if link in issue.text])
        senders = {issue.sender for issue in issues}
        check("each has an envelope sender of its own", len(issues), len(senders))
        await teller.true("It reached each of the four exactly once, and no one else.")
        keys = public_keys(self.stage.folder / "store" / "keys")
        for issue in issues:
            signed = signed_fields(issue.raw, OWN_DOMAIN, keys)
            check("both signatures hold", ALGORITHMS, frozenset(signed))
            for fields in signed.values():
                check("they cover how to leave", LIST_FIELDS, LIST_FIELDS & fields)
        await teller.true("Both signatures hold in every copy, RSA and Ed25519, and cover the way to leave.")

    async def _programs_look(self) -> None:
        teller, crowd = self.teller, self.crowd
        mails = [mail for reader in self.stage.readers for mail in reader.mails]
        opened = await crowd.scan(mails)
        teller.happens("A virus scanner", f"opens all {opened} links in these mails")
        counts, first = await asyncio.gather(crowd.counts(), crowd.ended(1))
        check("nobody left or joined", Counts(4, 1, 0), counts)
        await teller.true("No reader left or joined: opening a link changes nothing.")
        check("every reader is accounted for", IssueStatusJson("done", 4, 4, adds_up=True), first)

    async def _one_leaves(self) -> None:
        teller, (gone, *others) = self.teller, self.confirmed
        page = await gone.leave_with_one_click(gone.issues[0])
        check("one click is enough", (200, False), (page.status, "set-cookie" in page.fields))
        teller.happens("One reader", "unsubscribes with one click in the mail program", "yellow")
        for article in ARTICLES[2:]:
            self._publish(article)
        await self._send()
        expected = _each(others, 2) | {gone.address: 1, self.silent.address: 0}
        with teller.meanwhile("The issue is on its way"):
            await self.crowd.issues_come(expected)
        counts, second, listed = await asyncio.gather(
            self.crowd.counts(), self.crowd.accounted(2), self.witness.output("issue", "list")
        )
        check("one has left", Counts(3, 1, 1), counts)
        check("the three who stayed were planned, and reached", (3, 3), (second.planned, second.delivered))
        check("nobody got one more meanwhile", expected, self.crowd.issues())
        await teller.true("The second issue reached the three who stayed; the one who left got nothing more.")
        await teller.screen("secondpost issue list", listed)
        await teller.true("Planned and delivered add up for both issues: no reader is lost or counted twice.")

    def _publish(self, article: tuple[str, str]) -> None:
        self.stage.blog.publish(*article)
        self.teller.happens("The blog", f"has a new article, “{article[0]}”")

    async def _send(self) -> None:
        await self.teller.screen("secondpost issue send", await self.witness.output("issue", "send"))


def _each(readers: Sequence[Reader], count: int) -> dict[str, int]:
    return {reader.address: count for reader in readers}
