"""The numbers of issues and readers, as the store counts them."""

from secondpost.mail.address import Mailbox
from secondpost.mail.bounce_kind import BounceKind, Weighed
from secondpost.mail.delivery import State
from secondpost.mail.issue import IssueId
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import SubscriberId, SubscriberState
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.ports import Settlement
from secondpost.store.statistics_ports import DomainMail, LastAnswer, ReaderChange
from secondpost.store.subscriber_ports import Bounce
from secondpost.store.weighing_ports import Suspension
from tests.store.place import Place
from tests.store.readers import WEEKLY, Publisher, leased_issues, marked

NOBODY = SubscriberId(0)


async def pages(store: NewsletterStore, issue: IssueId, since_ms: int, limit: int) -> list[DomainMail]:
    found: list[DomainMail] = []
    after = NOBODY
    while True:
        upto, page = await store.mails_by_domain(issue, after, limit, since_ms, since_ms - 10)
        if upto is None:
            return found
        after = upto
        found += page


async def test_the_mails_of_an_issue_are_counted_by_domain_and_state_page_by_page(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    ids = await publisher.readers("a@one.example", "b@one.example", "c@two.example", "d@two.example")
    issue = await publisher.sent()
    lease = await leased_issues(store)
    claimed = {str(one.recipient): one for one in await store.claim(lease, place.clock.ms, 10)}
    await marked(store, lease, list(claimed.values()))
    now = place.clock.ms

    def said(address: str, state: State, at_ms: int, reply: str, due_ms: int = 0) -> Settlement:
        return Settlement(
            claimed[address].id, state, at_ms, due_ms=due_ms, cause="x", host="mx.example", reply=reply
        )

    await store.settle(
        lease,
        [
            said("a@one.example", State.DELIVERED, now - 5, "250 ok"),
            said("b@one.example", State.DELIVERED, now, "250 queued"),
            said("c@two.example", State.WAITING, now - 3, "451 later", now + 60_000),
            said("d@two.example", State.FAILED, now - 2, "550 no"),
        ],
    )
    [mails] = [each for each in await pages(store, issue.id, now, 10) if each.name == "one.example"]
    assert (mails.state, mails.mails, mails.minutes, mails.hour) == (State.DELIVERED, 2, 1, 2)
    assert mails.answered_ms == now
    two = [each for each in await pages(store, issue.id, now, 10) if each.name == "two.example"]
    assert {(each.state, each.was_put_off, each.mails) for each in two} == {
        (State.WAITING, True, 1),
        (State.FAILED, False, 1),
    }
    in_small_pages = await pages(store, issue.id, now, 1)
    assert sum(each.mails for each in in_small_pages) == 4
    last = await store.answer(issue.id, NOBODY, ids[-1], mails.domain, now)
    assert last == LastAnswer(now, "mx.example", "250 queued")
    assert await store.answer(issue.id, NOBODY, ids[-1], mails.domain, now + 1) is None
    assert await pages(store, IssueId(99), now, 10) == []


async def test_a_mail_counts_as_deferred_once_however_often_it_is_put_off(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@one.example", "b@one.example", "c@one.example")
    issue = await publisher.sent()
    lease = await leased_issues(store)
    for state in (State.WAITING, State.WAITING, State.DELIVERED):
        claimed = await store.claim(lease, place.clock.ms, 10)
        await marked(store, lease, claimed)
        now = place.clock.ms
        settlements = [
            Settlement(one.id, state if nth < 2 else State.DELIVERED, now, due_ms=now + 1, provider="others")
            for nth, one in enumerate(claimed)
        ]
        await store.settle(lease, settlements)
        place.clock.ms += 10
    tallies = await store.issue_tallies([issue.id, IssueId(99)])
    assert tallies[issue.id].deferred == 2
    assert tallies[issue.id].states == {State.DELIVERED: 3}
    nothing = tallies[IssueId(99)]
    assert (nothing.states, nothing.deferred, nothing.returned, nothing.suspended) == ({}, 0, 0, 0)


async def test_readers_whose_mail_came_back_and_who_were_suspended_count_once(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    first, second, third = await publisher.readers("a@one.example", "b@one.example", "c@one.example")
    issue = await publisher.sent()
    now = place.clock.ms
    for evidence, reader in ((1, first), (2, first), (3, second), (4, third)):
        bounce = Bounce(reader, issue.id, QueueId(evidence), BounceKind.DEAD, "5.1.1", "no", now)
        await store.record_bounce(bounce)
    came_to = (Weighed.COUNTED, Weighed.SUSPENDED, Weighed.ACCEPTED, Weighed.FORGIVEN)
    bounced = await store.bounced_readers(issue.id, Weighed.NEW, now, 0, 10)
    chosen = [Suspension(one.number, one.subscriber, to) for one, to in zip(bounced, came_to, strict=True)]
    assert await store.weigh(chosen, now) == 2
    tally = (await store.issue_tallies([issue.id]))[issue.id]
    assert (tally.returned, tally.suspended) == (3, 2)


async def test_changes_of_readers_say_from_where_they_came(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    begin = place.clock.ms
    first, second = await publisher.readers("a@one.example", "b@one.example")
    await publisher.sign_up("c@one.example")
    await Publisher(place, store, "other").readers("a@one.example")
    place.clock.ms += 1
    await store.leave(first, place.clock.ms, "page")
    await store.complain(second, place.clock.ms, "report")
    active, left, complained = SubscriberState.ACTIVE, SubscriberState.LEFT, SubscriberState.COMPLAINED
    expected = {
        ReaderChange(begin, None, active, 2),
        ReaderChange(begin, None, SubscriberState.PENDING, 1),
        ReaderChange(begin + 1, active, left, 1),
        ReaderChange(begin + 1, active, complained, 1),
    }
    upto, changes = await store.reader_changes(WEEKLY, 0, 100)
    assert upto is not None
    assert set(changes) == expected
    assert await store.reader_changes(WEEKLY, upto, 100) == (None, [])
    # Page by page the same: an event looks back beyond its page.
    found: list[ReaderChange] = []
    after: int | None = 0
    while after is not None:
        after, page = await store.reader_changes(WEEKLY, after, 1)
        found += page
    assert sum(each.readers for each in found) == 5
    # A reader who signs up again while active changes nothing.
    third = await store.find(WEEKLY, Mailbox.parse("c@one.example"))
    assert third is not None
    await store.confirm(third.id, publisher.consent())
    await publisher.sign_up("c@one.example")
    _, again = await store.reader_changes(WEEKLY, upto, 100)
    assert [(each.source, each.target) for each in again] == [(SubscriberState.PENDING, active)]
