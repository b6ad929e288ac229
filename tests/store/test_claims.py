"""Claims: leases, fences, the order of claims, and what becomes of claimed rows."""

import asyncio

import pytest

from secondpost.mail.content import InFile, InTable
from secondpost.mail.delivery import DeliveryId, KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.store.owner_ports import Selection
from secondpost.store.ports import Settlement, SiteDue
from tests.store.letters import HELLO, UNSORTED, Letters, leased, recipients, settled
from tests.store.place import Place, content_in, there

RELAY = Lane.RELAY


async def test_what_arrives_is_due_at_once_as_unsorted(place: Place) -> None:
    store = place.open()
    arrival = await Letters(place, store).send("one@example.net")
    assert await store.sites_due([RELAY], place.clock.ms, 10) == [
        SiteDue(RELAY, UNSORTED, arrival.arrived_ms)
    ]
    assert await store.sites_due([Lane.OWN], place.clock.ms, 10) == []
    assert await store.sites_due([RELAY], arrival.arrived_ms - 1, 10) == []
    assert await store.next_due_ms([RELAY, Lane.OWN]) == arrival.arrived_ms


async def test_only_one_has_the_lease_of_a_site(place: Place) -> None:
    here, there = place.open(), place.open()
    await Letters(place, here).send("one@example.net")
    lease = await leased(here)
    assert await there.lease(RELAY, UNSORTED) is None
    assert await there.sites_due([RELAY], place.clock.ms, 10) == []
    assert (await there.lease(RELAY, UNSORTED, 1)) is not None
    await here.give_back(lease)
    again = await leased(there)
    assert again.fence > lease.fence


async def test_first_attempts_are_claimed_in_order_of_arrival_and_once(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    for n in range(12):
        await letters.send(f"u{n}@example.net")
    lease = await leased(store)
    first = await store.claim(lease, place.clock.ms, 5)
    second = await store.claim(lease, place.clock.ms, 50)
    assert recipients([*first, *second]) == [f"u{n}@example.net" for n in range(12)]
    assert await store.claim(lease, place.clock.ms, 50) == []


async def test_recipients_of_one_message_are_beside_each_other(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    await letters.send("a1@a.example", "b1@b.example", "a2@a.example")
    await letters.send("a3@a.example", "b3@b.example")
    claimed = await store.claim(await leased(store), place.clock.ms, 20)
    ids = [one.id.queue_id for one in claimed]
    assert len(ids) == 5
    assert ids == sorted(ids)
    assert [one.id.number for one in claimed if one.id.queue_id == ids[0]] == [1, 3, 2]


async def test_a_domain_with_much_mail_does_not_keep_the_others_of_its_site_waiting(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    for n in range(100):
        await letters.send(f"u{n}@large.example")
    for n in range(30):
        await letters.send(f"u@small{n}.example")
    lease = await leased(store)
    seen: set[str] = set()
    for _ in range(4):
        place.clock.ms += 1
        claimed = await store.claim(lease, place.clock.ms, 10)
        assert len(claimed) == 10
        seen.update(str(one.recipient.domain) for one in claimed)
    assert len(seen) == 31


async def test_nothing_is_claimed_before_it_is_due(place: Place) -> None:
    store = place.open()
    await Letters(place, store).send("one@example.net")
    lease = await leased(store)
    [claimed] = await store.claim(lease, place.clock.ms, 10)
    due_ms = place.clock.ms + 300_000
    await store.settle(
        lease, [settled(claimed, State.WAITING, place.clock.ms, due_ms=due_ms, cause="recipient")]
    )
    assert await store.claim(lease, due_ms - 1, 10) == []
    await store.give_back(lease)
    assert await store.sites_due([RELAY], due_ms, 10) == [SiteDue(RELAY, UNSORTED, due_ms)]
    assert await store.next_due_ms([RELAY]) == due_ms
    [again] = await store.claim(await leased(store), due_ms, 10)
    assert (again.attempts, again.first_attempt_ms) == (1, place.clock.ms)


async def test_a_delivery_ends_and_its_content_goes_with_the_last_recipient(place: Place) -> None:
    store = place.open()
    arrival = await Letters(place, store).send("one@example.net", "two@example.net", content=HELLO)
    lease = await leased(store)
    one, two = await store.claim(lease, place.clock.ms, 10)
    assert await store.content(two) == HELLO.data
    assert await store.settle(lease, [settled(one, State.DELIVERED, place.clock.ms)]) == 1
    assert await store.content(two) == HELLO.data
    assert await store.settle(lease, [settled(two, State.DELIVERED, place.clock.ms)]) == 1
    with pytest.raises(LookupError):
        await store.content(two)
    row = await store.message(arrival.queue_id)
    assert row is not None
    assert not row.has_content
    assert [listed.state for listed in await store.listed(Selection(), None, 10)] == [State.DELIVERED] * 2


async def test_all_recipients_settled_together_leave_no_octets_behind(place: Place) -> None:
    store = place.open()
    recipients_of = [f"u{n}@example.net" for n in range(30)]
    await Letters(place, store).send(*recipients_of, content=InTable(b"x" * 700))
    lease = await leased(store)
    claimed = await store.claim(lease, place.clock.ms, 50)
    await store.settle(lease, [settled(one, State.DELIVERED, place.clock.ms) for one in claimed])
    assert await store.counts() == []


async def test_a_late_settlement_of_a_lost_lease_changes_nothing(place: Place) -> None:
    store = place.open()
    await Letters(place, store).send("one@example.net")
    old = await leased(store)
    [claimed] = await store.claim(old, place.clock.ms, 10)
    await store.give_back(old)
    assert await store.claim(old, place.clock.ms, 10) == []
    new = await leased(store)
    [again] = await store.claim(new, place.clock.ms, 10)
    assert (again.id, again.attempts, again.maybe_duplicate) == (claimed.id, 0, False)
    late, right = await asyncio.gather(
        store.settle(old, [settled(claimed, State.DELIVERED, place.clock.ms)]),
        store.settle(new, [settled(again, State.WAITING, place.clock.ms, cause="recipient")]),
    )
    assert (late, right) == (0, 1)
    assert (await store.listed(Selection(), None, 1))[0].state is State.WAITING


async def test_what_is_handed_back_untried_keeps_its_place_and_is_not_counted(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    for n in range(3):
        await letters.send(f"u{n}@example.net")
    lease = await leased(store)
    [first] = await store.claim(lease, place.clock.ms, 1)
    place.clock.ms += 1000
    back = settled(first, State.WAITING, place.clock.ms, due_ms=place.clock.ms, attempted=False)
    await store.settle(lease, [back])
    claimed = await store.claim(lease, place.clock.ms, 10)
    assert recipients(claimed) == ["u0@example.net", "u1@example.net", "u2@example.net"]
    assert claimed[0].attempts == 0
    assert await store.events(first.id.queue_id) == []


async def test_a_deferral_is_told_with_its_cause(place: Place) -> None:
    store = place.open()
    arrival = await Letters(place, store).send("one@example.net")
    lease = await leased(store)
    [one] = await store.claim(lease, place.clock.ms, 10)
    await store.settle(
        lease,
        [settled(one, State.WAITING, place.clock.ms, cause="unanswered", due_ms=1, maybe_duplicate=True)],
    )
    told = await store.events(arrival.queue_id)
    assert sorted(event.what for event in told) == ["deferred", "maybe-duplicate"]
    assert "unanswered mx.example.net said something" in [event.detail for event in told]
    [again] = await store.claim(lease, place.clock.ms, 10)
    assert again.maybe_duplicate
    await store.settle(lease, [settled(again, State.WAITING, place.clock.ms, cause="recipient")])
    assert (await store.listed(Selection(), None, 1))[0].maybe_duplicate


async def test_what_is_told_of_a_delivery_has_a_bound(place: Place) -> None:
    store = place.open()
    arrival = await Letters(place, store).send("one@example.net")
    lease = await leased(store)
    for _ in range(105):
        [one] = await store.claim(lease, place.clock.ms, 1)
        await store.settle(lease, [settled(one, State.WAITING, place.clock.ms, cause="recipient")])
    assert len(await store.events(arrival.queue_id)) == 100
    assert (await store.listed(Selection(), None, 1))[0].attempts == 105


async def test_dead_letters_and_failures_keep_their_content(place: Place) -> None:
    store = place.open()
    arrival = await Letters(place, store).send("one@example.net", "two@example.net", content=HELLO)
    lease = await leased(store)
    one, two = await store.claim(lease, place.clock.ms, 10)
    kept = Settlement(one.id, State.KEPT, place.clock.ms, kept_for=KeptFor.REFUSED, cause="recipient")
    failed = Settlement(two.id, State.FAILED, place.clock.ms, cause="recipient", reply="550 no")
    assert await store.settle(lease, [kept, failed]) == 2
    assert there(await store.message(arrival.queue_id)).has_content
    assert [(o.state, o.kept_for) for o in await store.listed(Selection(), None, 10)] == [
        (State.KEPT, KeptFor.REFUSED),
        (State.FAILED, None),
    ]
    assert [event.what for event in await store.events(arrival.queue_id)] == ["kept", "failed"]


async def test_large_content_is_a_file_that_goes_after_the_commit(place: Place) -> None:
    store = place.open()
    name = f"content/{store.worker}-large"
    file = place.mail_disk.create(name)
    file.write(b"y" * 200_000)
    file.close()
    await Letters(place, store).send("one@example.net", content=InFile(name, 200_000))
    lease = await leased(store)
    [one] = await store.claim(lease, place.clock.ms, 10)
    assert (one.file, one.size) == (name, 200_000)
    assert await content_in(store, one.id.queue_id, 65_536) == b"y" * 200_000
    await store.settle(lease, [settled(one, State.DELIVERED, place.clock.ms)])
    await store.sweep()
    assert place.mail_disk.names("content") == []


async def test_a_settlement_of_nothing_and_of_strangers_is_harmless(place: Place) -> None:
    store = place.open()
    lease = await leased(store)
    assert await store.settle(lease, []) == 0
    stranger = Settlement(DeliveryId(QueueId(7), 1), State.DELIVERED, 1)
    assert await store.settle(lease, [stranger]) == 0


async def test_many_settlements_at_once_are_each_counted(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    for n in range(70):
        await letters.send(f"u{n}@example.net")
    lease = await leased(store)
    claimed = await store.claim(lease, place.clock.ms, 100)
    counts = await asyncio.gather(
        *(store.settle(lease, [settled(one, State.DELIVERED, place.clock.ms)]) for one in claimed)
    )
    assert counts == [1] * 70
    assert await store.next_due_ms([RELAY]) is None
