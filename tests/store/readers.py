"""Readers, articles and issues for tests of newsletter.db."""

from collections.abc import Sequence

from secondpost.mail.address import Mailbox
from secondpost.mail.article import Article
from secondpost.mail.article_states import ArticleState
from secondpost.mail.delivery import Claimed, State
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import ArticleId, DigestDraft, Issue, IssueId
from secondpost.mail.queue_id import QueueId, QueueIds
from secondpost.mail.subscriber import Consent, SubscriberId, SubscriberState
from secondpost.store.feed_ports import Feed
from secondpost.store.newsletter_ports import (
    FetchRecord,
    NewArticle,
)
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.ports import Lease, Settlement
from secondpost.store.subscriber_ports import Imported, SignedUp, SignUpLimits
from tests.store.place import Place

WEEKLY = "weekly"
FEED = "https://www.example.net/feed.xml"
CONTENT = b"the bytes of an issue, with holes"
LIMITS = SignUpLimits()


def article(n: int) -> Article:
    return Article(
        guid=f"guid-{n}",
        link=f"https://www.example.net/{n}",
        title=f"Article {n}",
        summary="",
        html=f"<p>{n}</p>",
        author="",
        published_ms=None,
        fingerprint=f"print-{n}",
        picture=f"https://www.example.net/{n}.jpg",
    )


def new(n: int, state: ArticleState = ArticleState.WAITING) -> NewArticle:
    return NewArticle(article(n), f"https://www.example.net/{n}", state)


class Publisher:
    """Writes, freezes and sends issues of one newsletter, and adds readers."""

    def __init__(
        self,
        place: Place,
        store: NewsletterStore,
        newsletter: str = WEEKLY,
        ids: QueueIds | None = None,
        limits: SignUpLimits = LIMITS,
    ) -> None:
        self.clock = place.clock
        self.store = store
        self.newsletter = newsletter
        self.limits = limits
        self.ids = QueueIds(store.worker) if ids is None else ids
        self._slots = 0
        self._articles = 0
        self.leader: Lease | None = None

    def id(self) -> QueueId:
        return self.ids.next(self.clock.ms)

    def consent(self, prefix: str = "") -> Consent:
        return Consent("/weekly/", "form", "Send me the weekly", self.clock.ms, prefix)

    async def readers(self, *addresses: str) -> list[SubscriberId]:
        """Add active readers."""
        found = []
        for address in addresses:
            reader = await self.store.add(
                self.newsletter, Mailbox.parse(address), self.consent(), self.clock.ms, None
            )
            assert reader is not None
            assert reader.state is SubscriberState.ACTIVE
            found.append(reader.id)
        return found

    async def many(self, readers: int, domains: int = 10) -> None:
        lines = [Imported(Mailbox.parse(f"u{n}@d{n % domains}.example")) for n in range(readers)]
        for start in range(0, readers, 250):
            await self.store.import_batch(
                self.newsletter,
                lines[start : start + 250],
                SubscriberState.ACTIVE,
                self.consent(),
                self.clock.ms,
            )

    async def sign_up(self, address: str, prefix: str = "192.0.2.0/24") -> SignedUp:
        mailbox = Mailbox.parse(address)
        return await self.store.sign_up(
            self.newsletter, mailbox, self.consent(prefix), self.id(), self.limits, b"please confirm"
        )

    async def waiting(self, articles: int) -> tuple[ArticleId, ...]:
        numbers = range(self._articles, self._articles + articles)
        self._articles += articles
        record = FetchRecord(Feed(self.newsletter, FEED), self.clock.ms, new=tuple(new(n) for n in numbers))
        await self.store.record_fetch(record)
        found = await self.store.entries_by_guid(self.newsletter, FEED, [f"guid-{n}" for n in numbers])
        return tuple(entry.id for entry in found)

    async def digest(self, articles: int = 2, content: bytes = CONTENT) -> Issue:
        self._slots += 1
        draft = DigestDraft(self.newsletter, f"slot-{self._slots}", await self.waiting(articles), 2)
        issue = await self.store.create_digest(draft, self.id(), self.clock.ms)
        await self.store.write_content(issue.id, "News", content)
        return issue

    async def freeze(self, issue: IssueId, batch: int = 3, start_ms: int | None = None) -> Issue:
        if self.leader is None:
            self.leader = await self.store.lead("publish")
        assert self.leader is not None
        await self.store.begin_freeze(issue, self.leader)
        while not (await self.store.freeze_batch(issue, self.leader, batch)).is_last:
            pass
        return await self.store.freeze_done(
            issue, self.leader, self.clock.ms if start_ms is None else start_ms
        )

    async def send(self, issue: IssueId, batch: int = 3) -> None:
        assert await self.store.start(issue, self.clock.ms)
        while await self.store.send_batch(issue, self.clock.ms, batch) > 0:
            pass

    async def sent(self, articles: int = 2) -> Issue:
        """An issue whose rows can all be claimed."""
        issue = await self.digest(articles)
        frozen = await self.freeze(issue.id)
        await self.send(issue.id)
        return frozen


async def leased_issues(store: NewsletterStore, lane: Lane = Lane.ISSUES) -> Lease:
    lease = await store.lease(lane, "unsorted")
    assert lease is not None
    return lease


async def marked(store: NewsletterStore, lease: Lease, claimed: Sequence[Claimed]) -> list[Claimed]:
    """The claimed rows for which the dot may be sent."""
    hold = await store.commit_marks(lease, [one.id for one in claimed])
    return [one for one in claimed if one.id in hold]


def outcome(claimed: Claimed, state: State, at_ms: int, **more: int) -> Settlement:
    due_ms = more.get("due_ms", 0)
    cause = "" if state is State.DELIVERED else "recipient"
    return Settlement(claimed.id, state, at_ms, due_ms=due_ms, cause=cause, host="mx.example", reply="said")
