"""Mail to readers is checked again at the claim and before the dot, and survives a crash."""

from itertools import pairwise

from secondpost.deliver.settling import Settler
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.delivery import State
from secondpost.mail.duration import DAY_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import Reckoning
from secondpost.mail.subscriber import SubscriberState
from secondpost.mail.subscriber_states import Reason
from secondpost.store.owner_ports import Selection
from tests.alarms import unlogged_alarms
from tests.store.place import Place, there
from tests.store.readers import WEEKLY, Publisher, leased_issues, marked, outcome


async def test_who_left_or_was_suppressed_since_the_freeze_gets_nothing(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    readers = await publisher.readers(*(f"u{n}@example.net" for n in range(6)))
    issue = await publisher.sent()
    await store.leave(readers[0], place.clock.ms, "one-click")
    await store.suppress("", [Mailbox.parse("U1@example.net")], Reason.OWNER, place.clock.ms, "asked")
    await store.erase(readers[2], place.clock.ms)
    await store.complain(readers[3], place.clock.ms, "arf")
    lease = await leased_issues(store)
    claimed = await store.claim(lease, place.clock.ms, 10)
    assert [one.subscriber for one in claimed] == readers[4:]
    assert await store.reckoning(issue.id) == Reckoning(6, suppressed=4, under_way=2)
    assert "u2@" not in str([row.recipient for row in await store.deliveries(issue.id, (), None, 10)])


async def test_where_all_that_is_due_is_withheld_the_next_is_claimed(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    readers = await publisher.readers(*(f"u{n}@example.net" for n in range(20)))
    await publisher.sent()
    for id in readers[:19]:
        await store.leave(id, place.clock.ms, "one-click")
    lease = await leased_issues(store)
    claimed = await store.claim(lease, place.clock.ms, 4)
    assert [one.subscriber for one in claimed] == readers[19:]
    assert await store.claim(lease, place.clock.ms, 4) == []
    assert await store.next_due_ms([Lane.ISSUES]) is None


async def test_who_leaves_after_the_claim_is_stopped_before_the_dot(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    readers = await publisher.readers("a@example.net", "b@example.net")
    issue = await publisher.sent()
    lease = await leased_issues(store)
    claimed = await store.claim(lease, place.clock.ms, 10)
    await store.leave(readers[0], place.clock.ms, "one-click")
    assert [one.subscriber for one in await marked(store, lease, claimed)] == [readers[1]]
    assert await store.reckoning(issue.id) == Reckoning(2, suppressed=1, under_way=1)
    assert await store.settle(lease, [outcome(claimed[0], State.DELIVERED, place.clock.ms)]) == 0
    assert await store.settle(lease, [outcome(claimed[1], State.DELIVERED, place.clock.ms)]) == 1


async def test_an_outcome_is_durable_no_later_than_the_mark_that_its_connection_asks_for_next(
    place: Place,
) -> None:
    """So after a crash at most as many deliveries are unknown as connections were open."""
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers(*(f"u{n}@example.net" for n in range(30)))
    issue = await publisher.sent()
    lease = await leased_issues(store)
    claimed = await store.claim(lease, place.clock.ms, 30)
    settler = Settler(store, unlogged_alarms())
    await marked(store, lease, claimed[:1])
    for answered, following in pairwise(claimed):
        settler.add(lease, outcome(answered, State.DELIVERED, place.clock.ms))
        assert await store.commit_marks(lease, [following.id]) == {following.id}
        under_way = await store.deliveries(issue.id, (State.COMMITTING,), None, 30)
        assert [row.id for row in under_way] == [following.id]
    settler.add(lease, outcome(claimed[-1], State.DELIVERED, place.clock.ms))
    await settler.all_finished()
    assert await store.reckoning(issue.id) == Reckoning(30, delivered=30)


async def test_a_mark_under_a_lost_lease_does_not_hold(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net")
    await publisher.sent()
    old = await leased_issues(store)
    claimed = await store.claim(old, place.clock.ms, 10)
    await store.give_back(old)
    assert await marked(store, old, claimed) == []
    new = await leased_issues(store)
    [again] = await store.claim(new, place.clock.ms, 10)
    assert await marked(store, old, [again]) == []
    assert await marked(store, new, [again]) == [again]
    assert await marked(store, new, [again]) == [again]


async def test_a_dead_worker_leaves_its_claims_waiting_and_its_commits_unknown(place: Place) -> None:
    dead, store = place.open_newsletter("deliver"), place.open_newsletter("deliver")
    publisher = Publisher(place, dead)
    await publisher.readers(*(f"u{n}@example.net" for n in range(5)))
    await publisher.sign_up("new@example.net")
    issue = await publisher.sent()
    lease = await leased_issues(dead)
    claimed = await dead.claim(lease, place.clock.ms, 4)
    await marked(dead, lease, claimed[:2])
    own = await leased_issues(dead, Lane.OWN)
    [confirmation] = await dead.claim(own, place.clock.ms, 10)
    assert (confirmation.issue, str(confirmation.recipient)) == (None, "new@example.net")
    assert await dead.content(confirmation) == b"please confirm"
    dead.close()  # with leases: swept like those of dead workers
    swept = await store.sweep()
    assert set(swept.unknown) == {one.id for one in claimed[:2]}
    assert swept.maybe_duplicates == (confirmation.id,)
    assert await store.reckoning(issue.id) == Reckoning(5, unknown=2, under_way=3)
    lease = await leased_issues(store)
    rest = await store.claim(lease, place.clock.ms, 10)
    assert len(rest) == 3
    assert not any(one.maybe_duplicate for one in rest)
    [again] = await store.claim(await leased_issues(store, Lane.OWN), place.clock.ms, 10)
    assert again.maybe_duplicate


async def test_a_lease_given_back_in_mid_commit_leaves_it_unknown(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net", "b@example.net")
    issue = await publisher.sent()
    lease = await leased_issues(store)
    claimed = await store.claim(lease, place.clock.ms, 10)
    await marked(store, lease, claimed[:1])
    await store.give_back(lease)
    assert await store.reckoning(issue.id) == Reckoning(2, unknown=1, under_way=1)


async def test_a_reply_leads_on_from_committing(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net")
    issue = await publisher.sent()
    lease = await leased_issues(store)
    claimed = await store.claim(lease, place.clock.ms, 10)
    await marked(store, lease, claimed)
    due_ms = place.clock.ms + 300_000
    await store.settle(lease, [outcome(claimed[0], State.WAITING, place.clock.ms, due_ms=due_ms)])
    assert await store.claim(lease, due_ms - 1, 10) == []
    [again] = await store.claim(lease, due_ms, 10)
    assert (again.attempts, again.first_attempt_ms) == (1, place.clock.ms)
    assert (await store.reckoning(issue.id)).under_way == 1


async def test_an_issue_expires_from_its_first_attempt_and_nobody_is_told(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net", "b@example.net")
    issue = await publisher.sent()
    lease = await leased_issues(store)
    place.clock.ms += 30 * DAY_MS  # waiting for pace costs no attempt
    domain = Domain("example.net")
    to = State.EXPIRED
    assert await store.expire(Lane.ISSUES, domain, place.clock.ms, place.clock.ms, to) == 0
    [one] = await store.claim(lease, place.clock.ms, 1)
    await store.settle(lease, [outcome(one, State.WAITING, place.clock.ms, due_ms=place.clock.ms + 1)])
    assert await store.expire(Lane.ISSUES, domain, place.clock.ms - DAY_MS, place.clock.ms, to) == 0
    place.clock.ms += 5 * DAY_MS
    assert await store.expire(Lane.ISSUES, domain, place.clock.ms - DAY_MS, place.clock.ms, to) == 1
    assert await store.reckoning(issue.id) == Reckoning(2, expired=1, under_way=1)


async def test_a_dead_server_holds_the_next_issue_up_for_some_days_and_no_longer(place: Place) -> None:
    """One row is tried for all that wait for a site; the others expire too if it stays away."""
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@dead.example", "b@dead.example", "c@slow.example")
    issue = await publisher.sent()
    for name in ("dead", "slow"):
        await store.hint_site(Lane.ISSUES, Domain(f"{name}.example"), f"mx.{name}.example")
    lease = await store.lease(Lane.ISSUES, "mx.dead.example")
    assert lease is not None
    down_ms = place.clock.ms
    claimed = await store.claim(lease, down_ms, 10)
    await store.site_down("mx.dead.example", "connect", "refused", down_ms, down_ms + 30_000)
    await store.settle(lease, [outcome(claimed[0], State.WAITING, down_ms, due_ms=down_ms)])
    await store.give_back(lease)

    met: list[tuple[str, str]] = []

    def kind_of(cause: str, reply: str) -> BounceKind:
        met.append((cause, reply))
        return BounceKind.TEMPORARY

    async def expired(days: int) -> list[int]:
        now_ms = down_ms + days * DAY_MS + 1
        before_ms, end = now_ms - 3 * DAY_MS, State.EXPIRED
        return [
            await store.expire(Lane.ISSUES, Domain(f"{name}.example"), before_ms, now_ms, end, kind_of)
            for name in ("dead", "slow")
        ]

    place.clock.ms += DAY_MS
    await store.site_down("mx.dead.example", "connect", "still refused", place.clock.ms, place.clock.ms)
    assert await expired(2) == [0, 0]
    assert await expired(3) == [2, 0]
    assert await store.reckoning(issue.id) == Reckoning(3, expired=2, under_way=1)
    # Each leaves a bounce, of what it met last: the one that was tried, and the one that was not.
    assert met == [("recipient", "said"), ("connect", "still refused")]
    bounces = [await store.bounces_of(there(one.subscriber), 5) for one in claimed]
    assert [[(one.issue, one.kind, one.text) for one in of_reader] for of_reader in bounces] == [
        [(issue.id, BounceKind.TEMPORARY, "said")],
        [(issue.id, BounceKind.TEMPORARY, "still refused")],
    ]
    # For a site that went down only now the wait is the same.
    await store.site_down("mx.slow.example", "connect", "refused", down_ms + 9 * DAY_MS, 0)
    assert await expired(10) == [0, 0]
    assert await expired(12) == [0, 1]


async def test_a_campaign_shares_a_site_fairly_and_goes_in_order(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers(*(f"u{n}@large.example" for n in range(40)))
    await publisher.readers(*(f"u@small{n}.example" for n in range(5)))
    await publisher.sent()
    lease = await leased_issues(store)
    claimed = await store.claim(lease, place.clock.ms, 12)
    domains = [str(one.recipient.domain) for one in claimed]
    assert {f"small{n}.example" for n in range(5)} <= set(domains)
    large = [one.subscriber for one in claimed if str(one.recipient.domain) == "large.example"]
    assert large == sorted(large)  # type: ignore[type-var]


async def test_a_confirmation_goes_only_to_who_still_waits_for_it(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.sign_up("a@example.net")
    await publisher.sign_up("b@example.net")
    reader = await store.find(WEEKLY, Mailbox.parse("a@example.net"))
    assert reader is not None
    assert await store.confirm(reader.id, publisher.consent())
    claimed = await store.claim(await leased_issues(store, Lane.OWN), place.clock.ms, 10)
    assert [str(one.recipient) for one in claimed] == ["b@example.net"]
    assert [row.state for row in await store.deliveries_of(reader.id, 10)] == [State.SUPPRESSED]
    assert (await store.reader_counts(WEEKLY))[SubscriberState.PENDING] == 1


async def test_the_owner_holds_and_drops_rows_but_leads_none_to_another_mailbox(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net", "b@example.net")
    issue = await publisher.sent()
    everything = Selection()
    assert await store.redirect(everything, Mailbox.parse("me@example.org"), place.clock.ms, "") == 0
    move = (everything, (State.WAITING,), State.HELD, place.clock.ms, "held", "")
    assert await store.move(*move) == 2
    lease = await leased_issues(store)
    assert await store.claim(lease, place.clock.ms, 10) == []
    [first, second] = await store.listed(everything, None, 10)
    one = Selection(deliveries=(first.id,))
    await store.move(one, (State.HELD,), State.DROPPED, place.clock.ms, "dropped", "")
    other = Selection(deliveries=(second.id,))
    await store.move(other, (State.HELD,), State.WAITING, place.clock.ms, "released", "")
    claimed = await store.claim(lease, place.clock.ms, 10)
    await marked(store, lease, claimed)
    await store.settle(lease, [outcome(claimed[0], State.FAILED, place.clock.ms)])
    assert await store.reckoning(issue.id) == Reckoning(2, failed=1, stopped=1)
