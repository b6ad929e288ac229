"""What a copy of the store holds, and how its owner accepts it."""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from secondpost.mail.delivery import DeliveryId
from secondpost.mail.issue import IssueState
from secondpost.mail.witness import CopyHold
from secondpost.store.copy_ports import CopyDesk, CopyVerdict, HeldByCopy, IssueInDoubt
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.ports import MailStore
from secondpost.world.ports import Clock

STOPPED_AS_COPY = "it was open in a copy of the store: the original may have sent it"
SKIPPED_AS_COPY = "the original of this copy of the store may have sent it"

# The event comes first in a line, behind a time or what a journal puts before it, and text from
# outside is always in quotation marks.
_EVENT = re.compile(r'[^"=]*?\b(delivered|unknown|issue-frozen|role-stopped) (.*)')
_ID = re.compile(r"id=([0-9a-z]+/\d+)(?: |$)")
_ISSUE = re.compile(r"newsletter=([a-z0-9-]+) number=(\d+)(?: |$)")
_DELIVER_STOPPED = re.compile(r"role=\S*deliver\S* ")


@dataclass(slots=True)
class SentLog:
    """What the original's log says that it has sent."""

    delivered: list[DeliveryId] = field(default_factory=list)
    unknown: list[DeliveryId] = field(default_factory=list)
    issues: dict[str, int] = field(default_factory=dict)  # the highest number by newsletter
    ended_well: bool = False  # deliver was stopped after the last of them: nothing was under way

    @classmethod
    def read(cls, lines: Iterable[str]) -> "SentLog":
        log = cls()
        for line in lines:
            found = _EVENT.match(line)
            if found is not None:
                log._note(found[1], found[2])
        return log

    def _note(self, event: str, values: str) -> None:
        id, issue = _ID.match(values), _ISSUE.match(values)
        if event == "role-stopped" and _DELIVER_STOPPED.match(values) is not None:
            self.ended_well = True
        elif event == "issue-frozen" and issue is not None:
            self.issues[issue[1]] = max(int(issue[2]), self.issues.get(issue[1], 0))
        elif event in ("delivered", "unknown") and id is not None:
            self.ended_well = False
            to = self.delivered if event == "delivered" else self.unknown
            to.append(DeliveryId.parse(id[1]))


@dataclass(frozen=True, slots=True)
class CopyStands:
    """A copy that is held, as the owner sees it before accepting it."""

    mail_hold: CopyHold | None
    newsletter_hold: CopyHold | None
    held: Sequence[HeldByCopy]
    issues: Sequence[IssueInDoubt]
    articles: dict[str, int]
    unread: Sequence[tuple[str, str]]  # newsletter and feed: what they had since is not known

    @property
    def is_held(self) -> bool:
        return self.mail_hold is not None or self.newsletter_hold is not None


@dataclass(frozen=True, slots=True)
class AcceptedCopy:
    """What became of it, in deliveries and articles."""

    delivered: int
    sent_on: int
    dropped: int
    unknown: int
    articles_skipped: int


@dataclass(frozen=True, slots=True)
class CopyAcceptance:
    """Accepts those of the databases that are copies."""

    mail: MailStore
    newsletter: NewsletterStore | None
    clock: Clock
    feeds: frozenset[tuple[str, str]]  # newsletter and address of those in the configuration
    read_feeds: Callable[[], Awaitable[None]]  # what they have now is then in the ledger

    async def declare(self) -> None:
        """Hold both databases, though nothing says that they are copies."""
        for store in (self.mail, self.newsletter):
            if store is not None:
                await store.declare_copy("you said so")

    async def stands(self) -> CopyStands:
        """Set aside what the service did not set aside yet, read the feeds once more, and look."""
        news = self.newsletter
        hold, news_hold = await self.mail.copy_hold(), None
        while await self.mail.set_aside_copied() > 0:
            pass
        doubts = list(await self.mail.in_doubt())
        issues: list[IssueInDoubt] = []
        articles: dict[str, int] = {}
        unread: list[tuple[str, str]] = []
        if news is not None and (news_hold := await news.copy_hold()) is not None:
            while await news.set_aside_copied() > 0:
                pass
            await news.sweep_freezing()
            doubts += await news.in_doubt()
            await self.read_feeds()
            unread = [each for each in await news.unread_feeds(news_hold.since_ms) if each in self.feeds]
            issues, articles = await news.issues_in_doubt(), await news.articles_in_doubt()
        return CopyStands(hold, news_hold, doubts, issues, articles, unread)

    async def accept(self, to: CopyVerdict, sent: SentLog | None) -> AcceptedCopy:
        """`to`: what becomes of mail that belongs to no issue. ON says that the original sent nothing
        since, and then issues and articles go on too.
        """
        news = self.newsletter
        if news is not None and await news.copy_hold() is None:
            news = None
        stores: list[CopyDesk] = [] if await self.mail.copy_hold() is None else [self.mail]
        stores += [] if news is None else [news]
        delivered = unknown = settled = skipped = 0
        if sent is not None:
            for store in stores:
                delivered += await store.settle_named(sent.delivered, CopyVerdict.DELIVERED)
                unknown += await store.settle_named(sent.unknown, CopyVerdict.UNKNOWN)
        for store in stores:
            while (some := await store.settle_doubted(to)) > 0:
                settled += some
        if news is not None:
            unknown += await self._settle_issues(news, to, sent)
            if to is not CopyVerdict.ON:
                skipped = await self._skip_articles(news, sent)
        for store in reversed(stores):
            await store.end_copy_hold()
        dropped = settled if to is CopyVerdict.DROPPED else 0
        return AcceptedCopy(delivered, settled - dropped, dropped, unknown, skipped)

    async def _settle_issues(self, news: NewsletterStore, to: CopyVerdict, sent: SentLog | None) -> int:
        """Returns how many rows are unknown now."""
        unknown = 0
        goes_on = to is CopyVerdict.ON or (sent is not None and sent.ended_well)
        for issue in await news.issues_in_doubt():
            if issue.state is not IssueState.OPEN:
                settled = await news.settle_issue(issue, CopyVerdict.ON if goes_on else CopyVerdict.UNKNOWN)
                unknown += 0 if goes_on else settled
            elif to is not CopyVerdict.ON:
                await news.stop(issue.id, self.clock.now_ms(), STOPPED_AS_COPY)
        return unknown

    async def _skip_articles(self, news: NewsletterStore, sent: SentLog | None) -> int:
        """Skip what the original may have sent in an issue since; its log may say that it sent none."""
        skipped, last = 0, await news.last_numbers()
        for newsletter in await news.articles_in_doubt():
            if sent is not None and sent.issues.get(newsletter, 0) <= last.get(newsletter, 0):
                continue
            while (some := await news.skip_articles(newsletter, SKIPPED_AS_COPY)) > 0:
                skipped += some
        return skipped
