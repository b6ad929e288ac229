"""A blog, a newsletter and a real store; the feed's content is a list in the test."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from secondpost.config.records import Newsletter, Start
from secondpost.mail.address import Mailbox
from secondpost.mail.article import (
    Article,
    FeedAnswered,
    FeedAsked,
    FeedGone,
    FeedLook,
    FeedNotLookedAt,
    FeedRead,
    FeedUnchanged,
    FeedUnreadable,
)
from secondpost.mail.article_states import ArticleState
from secondpost.mail.delivery import State
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import ArticleId, Issue
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.subscriber import Consent, SubscriberId
from secondpost.maillog import MailLog
from secondpost.newsletter.forecasting import Forecasting
from secondpost.newsletter.outlook import Outlook
from secondpost.newsletter.publish import CannotCompose, IssueText, Publisher
from secondpost.newsletter.reading import FeedReading
from secondpost.newsletter.words import fingerprint
from secondpost.store.newsletter_ports import LedgerEntry
from secondpost.store.ports import Lease, Settlement
from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from secondpost.store.sqlite.schema import Database
from secondpost.world.real.disk import RealDisk
from simulation.dice import SimDice
from tests.alarms import logged_alarms
from tests.clock import SetClock
from tests.in_line_work import InLineWork
from tests.new_store import lay_new

T = TypeVar("T")
Found = FeedRead | FeedUnreadable | FeedGone | FeedUnchanged | FeedNotLookedAt
URL = "https://www.example.net/feed.xml"
START_MS = 1_861_920_000_000  # 2029-01-01T00:00Z, a Monday
READER = Mailbox.parse("ada@reader.example")
WEEKLY = Newsletter(
    "weekly", "The Blog <newsletter@example.net>", (URL,), settle_ms=0, start=Start.EVERYTHING
)


def article(n: int, **changes: object) -> Article:
    """Article n, with its own guid, link and words."""
    title, text = f"Article {n}", f"These are the words of article number {n}, " + f"{n} " * 40
    plain = Article(
        guid=f"urn:{n}",
        link=f"https://www.example.net/posts/{n}",
        title=title,
        summary=text,
        html=f"<p>{text}</p>",
        author="",
        published_ms=None,
        fingerprint=fingerprint(title, text),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def articles(*numbers: int) -> FeedRead:
    """A feed with these articles, in this order."""
    return FeedRead("The Blog", "urn:blog", tuple(article(n) for n in numbers))


@dataclass
class Blog:
    """`found`: the current content of each feed."""

    store: SqliteNewsletterStore
    clock: SetClock
    newsletter: Newsletter
    found: dict[str, Found] = field(default_factory=dict)
    asked: list[FeedAsked] = field(default_factory=list)
    lease: Lease | None = None
    is_template_broken: bool = False
    lines: list[str] = field(default_factory=list)  # of the log
    look: FeedLook | None = None  # in place of answers that are made of `found`
    unproven: str | None = None  # which duty of its sender is not fulfilled
    foresee: Forecasting | None = None
    ids: QueueIds = field(default_factory=lambda: QueueIds(worker=1))

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Restart the service: only the store's content remains."""
        reading = FeedReading(
            self.store, self.clock, SimDice("blog"), self._look, ("www.example.net/weekly/feed.xml",)
        )
        self.standing = logged_alarms(self.lines, self.clock.now_ms)
        self.publisher = Publisher(
            reading,
            self.store,
            self.clock,
            self.ids,
            self.composed,
            self.log,
            self.standing,
            self._why_unproven,
            self.foresee,
        )

    async def _why_unproven(self, newsletter: Newsletter) -> str | None:
        return self.unproven

    async def _look(self, asked: FeedAsked) -> FeedAnswered:
        if self.look is not None:
            return await self.look(asked)
        self.asked.append(asked)
        return FeedAnswered(self.found[asked.url], '"etag"', "Mon, 01 Jan 2029 00:00:00 GMT")

    @property
    def log(self) -> MailLog:
        return MailLog(self.lines.append)

    @property
    def alarms(self) -> list[str]:
        return [line for line in self.lines if line.startswith("alarm ")]

    async def composed(self, newsletter: Newsletter, issue: Issue, told: Sequence[LedgerEntry]) -> IssueText:
        assert len(told) == issue.article_count
        if self.is_template_broken:
            raise CannotCompose("there is no subject")
        return IssueText(
            "subject", "\n".join((issue.body, *(entry.article.title for entry in told))).encode()
        )

    async def says(self, found: Found, url: str = URL) -> Outlook:
        """Set the feed's content, fetch it, and return the outlook."""
        self.found[url] = found
        await self.publisher.fetch(self.newsletter)
        return await self.publisher.outlook(self.newsletter)

    async def later(self, ms: int) -> Outlook:
        self.clock.ms += ms
        await self.publisher.fetch(self.newsletter)
        return await self.publisher.outlook(self.newsletter)

    async def leader(self) -> Lease:
        if self.lease is None:
            self.lease = await self.store.lead("publish")
        assert self.lease is not None
        return self.lease

    async def turn(self, newsletter: Newsletter | None = None) -> Outlook:
        """What the publish role does every two seconds, except for sending issues."""
        turned = self.newsletter if newsletter is None else newsletter
        await self.publisher.look(turned)
        return await self.publisher.turn(turned, await self.leader())

    async def reads(self, mailbox: Mailbox) -> SubscriberId:
        agreed = Consent("/weekly/", "confirmed", "Yes.", self.clock.ms)
        reader = await self.store.add(self.newsletter.name, mailbox, agreed, self.clock.ms, None)
        assert reader is not None
        return reader.id

    async def delivers(self) -> int:
        """Deliver the issue to all waiting readers, like the deliver role; return their number."""
        lease = await self.store.lease(Lane.ISSUES, "unsorted")
        assert lease is not None
        claimed = await self.store.claim(lease, self.clock.ms, 100)
        marked = await self.store.commit_marks(lease, [one.id for one in claimed])
        done = [Settlement(id, State.DELIVERED, self.clock.ms, host="mx.reader.example") for id in marked]
        await self.store.settle(lease, done)
        await self.store.give_back(lease)
        return len(done)

    async def sees_through(self) -> None:
        """Send the issue under way completely, including its waiting times."""
        leader = await self.leader()
        self.clock.ms += self.newsletter.undo_ms
        for _ in range(2):
            await self.publisher.go_on([self.newsletter], leader)
        await self.delivers()
        await self.publisher.go_on([self.newsletter], leader)

    async def titles(self, state: ArticleState) -> list[str]:
        return [entry.article.title for entry in await self.store.entries(self.newsletter.name, state, 100)]

    async def waiting_ids(self) -> tuple[ArticleId, ...]:
        return tuple(
            entry.id for entry in await self.store.entries(self.newsletter.name, ArticleState.WAITING, 100)
        )

    async def counts(self) -> dict[str, int]:
        name = self.newsletter.name
        found = {state.value: await self.store.count(name, state) for state in ArticleState}
        return {state: count for state, count in found.items() if count > 0}

    async def reasons(self, state: ArticleState) -> set[str]:
        return {entry.reason for entry in await self.store.entries(self.newsletter.name, state, 100)}


@dataclass
class Bench:
    """Opens blogs and runs coroutines on them."""

    folder: Path
    runner: asyncio.Runner
    closing: list[SqliteNewsletterStore] = field(default_factory=list)

    def blog(self, newsletter: Newsletter = WEEKLY, *, reads: bool = True) -> Blog:
        """`reads`: whether READER is subscribed."""
        return self.run(self._opened(newsletter, reads))

    async def _opened(self, newsletter: Newsletter, reads: bool) -> Blog:
        clock, work = SetClock(START_MS), InLineWork()
        failures: list[BaseException] = []
        lay_new(str(self.folder), Database.NEWSLETTER)
        store = SqliteNewsletterStore.open(
            RealDisk(str(self.folder)), work, clock, role="publish", failed=failures.append
        )
        self.closing.append(store)
        blog = Blog(store, clock, newsletter, {url: articles() for url in newsletter.feeds})
        if reads:
            await blog.reads(READER)
        return blog

    def run(self, work: Coroutine[object, object, T]) -> T:
        return self.runner.run(work)

    def close(self) -> None:
        while len(self.closing) > 0:
            self.closing.pop().close()
