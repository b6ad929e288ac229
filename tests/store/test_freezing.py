"""An issue is frozen for exactly the readers of one moment, or not at all."""

import pytest

from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import State
from secondpost.mail.duration import MINUTE_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import IssueState, Reckoning
from secondpost.mail.subscriber import SubscriberState
from secondpost.store.newsletter_ports import IssueRefused, LeadershipLost
from tests.store.place import Place
from tests.store.readers import CONTENT, Publisher, leased_issues

ISSUES = [Lane.ISSUES]


async def test_every_active_reader_has_one_row_and_nobody_else(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    readers = await publisher.readers(*(f"u{n}@d{n % 3}.example" for n in range(10)))
    await publisher.sign_up("pending@d0.example")
    await store.leave(readers[4], place.clock.ms, "one-click")
    issue = await publisher.digest()
    frozen = await publisher.freeze(issue.id)
    assert (frozen.state, frozen.planned) == (IssueState.FROZEN, 9)
    rows = await store.deliveries(issue.id, (), None, 100)
    assert [row.subscriber for row in rows] == [id for id in readers if id != readers[4]]
    assert {row.state for row in rows} == {State.FROZEN}
    assert await store.reckoning(issue.id) == Reckoning(9, under_way=9)


async def test_who_comes_and_goes_while_it_freezes_changes_nothing(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    readers = await publisher.readers(*(f"u{n}@example.net" for n in range(10)))
    issue = await publisher.digest()
    leader = await store.lead("publish")
    assert leader is not None
    await store.begin_freeze(issue.id, leader)
    await store.freeze_batch(issue.id, leader, 3)
    await store.leave(readers[1], place.clock.ms, "one-click")
    await store.leave(readers[7], place.clock.ms, "one-click")
    await store.leave(readers[8], place.clock.ms, "one-click")
    await publisher.sign_up("u8@example.net")
    await store.confirm(readers[8], publisher.consent())
    await store.erase(readers[9], place.clock.ms)
    await store.erase(readers[0], place.clock.ms)
    await publisher.readers("late@example.net")
    while not (await store.freeze_batch(issue.id, leader, 3)).is_last:
        pass
    frozen = await store.freeze_done(issue.id, leader, place.clock.ms)
    assert frozen.planned == 9
    assert [row.subscriber for row in await store.deliveries(issue.id, (), None, 100)] == readers[:9]


async def test_nothing_can_be_claimed_before_it_is_sending(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net", "b@example.net")
    issue = await publisher.digest()
    leader = publisher.leader = await store.lead("publish")
    assert leader is not None
    await store.begin_freeze(issue.id, leader)
    await store.freeze_batch(issue.id, leader, 1)
    assert await store.sites_due(ISSUES, place.clock.ms, 10) == []
    while not (await store.freeze_batch(issue.id, leader, 1)).is_last:
        pass
    start_ms = place.clock.ms + 900_000
    await store.freeze_done(issue.id, leader, start_ms)
    lease = await leased_issues(store)
    assert await store.claim(lease, start_ms + 1, 10) == []
    assert not await store.start(issue.id, start_ms - 1)
    assert await store.send_batch(issue.id, start_ms - 1, 10) == 0
    assert await store.start(issue.id, start_ms)
    assert await store.send_batch(issue.id, start_ms, 1) == 1
    assert len(await store.claim(lease, start_ms, 10)) == 1
    assert await store.send_batch(issue.id, start_ms, 10) == 1
    assert await store.send_batch(issue.id, start_ms, 10) == 0
    [claimed] = await store.claim(lease, start_ms, 10)
    assert (claimed.issue, await store.content(claimed)) == (issue.id, CONTENT)
    # Those who confirmed last are due first, within the minute before the start.
    assert start_ms - MINUTE_MS <= claimed.arrived_ms <= start_ms


async def test_a_freeze_that_died_is_swept_away_whole(place: Place) -> None:
    dead, store = place.open_newsletter(), place.open_newsletter()
    publisher = Publisher(place, dead)
    await publisher.readers(*(f"u{n}@example.net" for n in range(10)))
    issue = await publisher.digest()
    leader = await dead.lead("publish")
    assert leader is not None
    await dead.begin_freeze(issue.id, leader)
    await dead.freeze_batch(issue.id, leader, 4)
    assert await store.lead("publish") is None
    assert await store.sweep_freezing() == 0
    await dead.give_back(leader)  # as when its worker is swept
    assert await store.sweep_freezing() == 1
    again = await store.issue(issue.id)
    assert again is not None
    assert (again.state, again.planned, again.article_count) == (IssueState.OPEN, 0, 2)
    assert await store.deliveries(issue.id, (), None, 10) == []
    assert await store.reckoning(issue.id) == Reckoning(0)
    with pytest.raises(LeadershipLost):
        await dead.freeze_batch(issue.id, leader, 4)
    frozen = await Publisher(place, store).freeze(issue.id)
    assert (frozen.state, frozen.planned) == (IssueState.FROZEN, 10)


async def test_a_freeze_with_a_row_missing_is_not_finished(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net", "b@example.net", "c@example.net")
    issue = await publisher.digest()
    leader = await store.lead("publish")
    assert leader is not None
    await store.begin_freeze(issue.id, leader)
    await store.freeze_batch(issue.id, leader, 2)
    with pytest.raises(IssueRefused, match="for 3 readers and has 2 rows"):
        await store.freeze_done(issue.id, leader, place.clock.ms)
    assert await store.sweep_freezing() == 1


async def test_an_issue_without_content_or_beside_another_is_not_frozen(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    other = Publisher(place, store, "daily", publisher.ids)
    await publisher.readers("a@example.net")
    first = await publisher.digest()
    await publisher.freeze(first.id)
    second = await publisher.digest()
    with pytest.raises(IssueRefused, match="another issue of weekly"):
        await publisher.freeze(second.id)
    other.leader = publisher.leader
    assert (await other.freeze((await other.digest()).id)).planned == 0
    with pytest.raises(IssueRefused, match="it was frozen before"):
        await publisher.freeze(first.id)
    with pytest.raises(IssueRefused, match="its content is fixed"):
        await store.write_content(first.id, "Other", b"other")


async def test_a_reader_of_two_newsletters_is_in_the_issues_of_both(place: Place) -> None:
    store = place.open_newsletter()
    weekly = Publisher(place, store)
    daily = Publisher(place, store, "daily", weekly.ids)
    await weekly.readers("a@example.net")
    await daily.readers("A@example.net", "b@example.net")
    daily.leader = weekly.leader = await store.lead("publish")
    first = await weekly.freeze((await weekly.digest()).id)
    second = await daily.freeze((await daily.digest()).id)
    assert (first.planned, second.planned) == (1, 2)
    assert await store.find("daily", Mailbox.parse("a@example.net")) is not None
    assert (await store.reader_counts("daily"))[SubscriberState.ACTIVE] == 2
