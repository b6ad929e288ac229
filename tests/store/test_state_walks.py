"""The verbs lead readers and articles along each edge of their tables, and no other, on each engine.

That the schema refuses every other edge is in test_state_triggers.py, for issues in
test_newsletter_triggers.py.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import product

import pytest

from secondpost.mail.address import Mailbox
from secondpost.mail.article_states import ARTICLE_EDGES, ArticleActor, ArticleState
from secondpost.mail.issue import ArticleId, DigestDraft
from secondpost.mail.subscriber import Consent, SubscriberId, SubscriberState
from secondpost.mail.subscriber_states import SUBSCRIBER_EDGES, SubscriberActor
from secondpost.newsletter.by_hand import ArticleRefused, ByHand
from secondpost.store.feed_ports import Feed
from secondpost.store.newsletter_ports import (
    ArticleMove,
    FetchRecord,
    IssueRefused,
    LedgerEntry,
)
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.subscriber_ports import Imported
from tests.store.place import Place, there
from tests.store.readers import FEED, LIMITS, WEEKLY, Publisher, new

PENDING, ACTIVE, LEFT = SubscriberState.PENDING, SubscriberState.ACTIVE, SubscriberState.LEFT
SUSPENDED, COMPLAINED = SubscriberState.SUSPENDED, SubscriberState.COMPLAINED
STRANGER = SubscriberId(999_999)
Led = tuple[SubscriberActor, SubscriberState | None]  # actor and target


@dataclass(slots=True)
class Reader:
    """A reader that is moved between states by the verbs of the store."""

    publisher: Publisher
    mailbox: Mailbox
    id: SubscriberId = STRANGER
    leads: dict[Led, Callable[[], Awaitable[object]]] = field(init=False)

    def __post_init__(self) -> None:
        store, by = self.store, SubscriberActor
        self.leads = {
            (by.READER, PENDING): lambda: self.publisher.sign_up(str(self.mailbox), "192.0.2.0/24"),
            (by.READER, ACTIVE): lambda: store.confirm(self.id, self.consent),
            (by.READER, LEFT): lambda: store.leave(self.id, self.now_ms, "page"),
            (by.OWNER, PENDING): lambda: store.add(WEEKLY, self.mailbox, None, self.now_ms, None),
            (by.OWNER, ACTIVE): self.confirmed,
            (by.OWNER, LEFT): lambda: store.remove(self.id, self.now_ms, "asked"),
            (by.PROVIDER, SUSPENDED): lambda: store.suspend(self.id, self.now_ms, "full"),
            (by.PROVIDER, COMPLAINED): lambda: store.complain(self.id, self.now_ms, "report"),
            (by.CLOCK, None): lambda: store.forget_pending(self.now_ms + 1),
            **{(by.LIST, state): self.imported(state) for state in SubscriberState},
        }

    @property
    def store(self) -> NewsletterStore:
        return self.publisher.store

    @property
    def now_ms(self) -> int:
        return self.publisher.clock.ms

    @property
    def consent(self) -> Consent:
        return self.publisher.consent()

    def imported(self, state: SubscriberState) -> Callable[[], Awaitable[object]]:
        consent = None if state is PENDING else Consent("/list", "list", "yes", self.now_ms)
        return lambda: self.store.import_batch(WEEKLY, [Imported(self.mailbox)], state, consent, self.now_ms)

    async def confirmed(self) -> None:
        """By the owner, who lifts what a complaint suppressed first, as the commands demand."""
        await self.store.unsuppress(WEEKLY, self.mailbox)
        await self.store.add(WEEKLY, self.mailbox, self.consent, self.now_ms, None)

    async def state(self) -> SubscriberState | None:
        found = await self.store.find(WEEKLY, self.mailbox)
        if found is not None:
            self.id = found.id
        return None if found is None else found.state

    async def led(self, *ways: Led) -> SubscriberState | None:
        for way in ways:
            await self.leads[way]()
            await self.state()
        self.publisher.clock.ms += LIMITS.again_after_ms
        return await self.state()


BY_OWNER = (SubscriberActor.OWNER, ACTIVE)
WAYS_TO: dict[SubscriberState | None, Sequence[Led]] = {
    None: (),
    PENDING: [(SubscriberActor.READER, PENDING)],
    ACTIVE: [BY_OWNER],
    LEFT: [BY_OWNER, (SubscriberActor.READER, LEFT)],
    SUSPENDED: [BY_OWNER, (SubscriberActor.PROVIDER, SUSPENDED)],
    COMPLAINED: [BY_OWNER, (SubscriberActor.PROVIDER, COMPLAINED)],
}


@pytest.mark.parametrize("source", WAYS_TO, ids=str)
async def test_a_reader_goes_only_where_the_table_leads(place: Place, source: SubscriberState | None) -> None:
    publisher = Publisher(place, place.open_newsletter())
    edges = {(edge.source, edge.by, edge.target) for edge in SUBSCRIBER_EDGES}
    ways = Reader(publisher, Mailbox.parse("nobody@example.net")).leads.keys()
    for number, (by, target) in enumerate(ways):
        reader = Reader(publisher, Mailbox.parse(f"r{number}@d{number}.example"))
        assert await reader.led(*WAYS_TO[source]) is source
        expected = target if (source, by, target) in edges else source
        assert await reader.led((by, target)) is expected, (source, by, target)


async def test_who_was_a_reader_before_has_left_where_the_clock_ends_the_waiting(place: Place) -> None:
    reader = Reader(Publisher(place, place.open_newsletter()), Mailbox.parse("ann@example.net"))
    assert await reader.led(*WAYS_TO[LEFT], (SubscriberActor.READER, PENDING)) is PENDING
    assert await reader.led((SubscriberActor.CLOCK, None)) is LEFT


# ---- articles

NOT_TAKEN = [state for state in ArticleState if state is not ArticleState.TAKEN]
ARTICLES = {(edge.source, edge.target, edge.by) for edge in ARTICLE_EDGES}


class Articles:
    """Articles of one feed, each moved to a state."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.store = place.open_newsletter()
        self.publisher = Publisher(place, self.store)
        self._known = 100

    async def one(self, state: ArticleState) -> LedgerEntry:
        """An article in this state. TAKEN comes with another one, since an issue needs two."""
        if state is ArticleState.TAKEN:
            issue = await self.publisher.digest()
            return (await self.store.entries_of_issue(issue.id))[0]
        self._known += 1
        record = FetchRecord(Feed(WEEKLY, FEED), self.place.clock.ms, new=(new(self._known, state),))
        await self.store.record_fetch(record)
        [found] = await self.store.entries_by_guid(WEEKLY, FEED, [f"guid-{self._known}"])
        return found

    async def now(self, id: ArticleId) -> ArticleState:
        return there(await self.store.entry(id)).state

    async def look(self, move: ArticleMove) -> None:
        await self.store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), self.place.clock.ms, moves=(move,)))


async def test_the_owner_leads_an_article_only_where_the_table_does(place: Place) -> None:
    articles = Articles(place)
    by_hand = ByHand(articles.store, WEEKLY)
    verbs = {ArticleState.WAITING: by_hand.take, ArticleState.SKIPPED: by_hand.skip}
    for source, target in product(ArticleState, verbs):
        entry = await articles.one(source)
        if (source, target, ArticleActor.OWNER) in ARTICLES:
            await verbs[target]([entry])
            assert await articles.now(entry.id) is target
        else:
            with pytest.raises(ArticleRefused):
                await verbs[target]([entry])
            assert await articles.now(entry.id) is source, (source, target)


async def test_the_store_moves_an_article_by_its_feed_or_by_hand_only_along_an_edge(place: Place) -> None:
    """The states that a look or an owner's command has read may be out of date when it writes."""
    articles = Articles(place)
    for source, target in product(ArticleState, NOT_TAKEN):
        looked_at, moved = await articles.one(source), await articles.one(source)
        await articles.look(ArticleMove(looked_at.id, target, "withdrawn"))
        is_edge = (source, target, ArticleActor.FEED) in ARTICLES
        assert await articles.now(looked_at.id) is (target if is_edge else source), (source, target)
        by_hand = [ArticleMove(moved.id, target, "by hand")]
        is_edge = (source, target, ArticleActor.OWNER) in ARTICLES
        assert await articles.store.move_articles(WEEKLY, by_hand) == int(is_edge), (source, target)
        assert await articles.now(moved.id) is (target if is_edge else source), (source, target)


async def test_an_issue_takes_what_waits_alone_and_gives_it_back_when_it_is_stopped(
    place: Place,
) -> None:
    articles = Articles(place)
    for source in ArticleState:
        one, other = await articles.one(source), await articles.one(ArticleState.WAITING)
        draft = DigestDraft(WEEKLY, f"slot of {source}", (one.id, other.id), 2)
        if (source, ArticleState.TAKEN, ArticleActor.PUBLISH) in ARTICLES:
            issue = await articles.store.create_digest(draft, articles.publisher.id(), place.clock.ms)
            assert await articles.now(one.id) is ArticleState.TAKEN
            await articles.store.stop(issue.id, place.clock.ms, "wrong")
            assert await articles.now(one.id) is ArticleState.WAITING
        else:
            with pytest.raises(IssueRefused):
                await articles.store.create_digest(draft, articles.publisher.id(), place.clock.ms)
            assert await articles.now(one.id) is source


def test_the_store_takes_no_word_for_it_that_an_article_is_in_an_issue() -> None:
    assert {edge.by for edge in ARTICLE_EDGES if edge.target is ArticleState.TAKEN} == {ArticleActor.PUBLISH}
