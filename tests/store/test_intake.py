"""Intake: accepted mail is visible to all processes, and refused mail leaves nothing."""

import asyncio
from collections.abc import AsyncIterator

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.content import InTable
from secondpost.mail.delivery import DeliveryId, KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.store.owner_ports import DeliveryRow, Selection
from secondpost.store.ports import Learned, ProvenPrefix
from secondpost.store.verbs.engine import BATCH_ROWS
from tests.store.letters import Letters
from tests.store.place import Place, Store


async def test_an_accepted_message_is_seen_by_another_process_store(place: Place) -> None:
    here, there = place.open("receive"), place.open("deliver")
    arrival = await Letters(place, here).send("one@example.net", "two@example.org")
    listed = await there.listed(Selection(), None, 10)
    assert [(one.recipient, one.state, one.due_ms) for one in listed] == [
        ("one@example.net", State.WAITING, arrival.arrived_ms),
        ("two@example.org", State.WAITING, arrival.arrived_ms),
    ]
    row = await there.message(arrival.queue_id)
    assert row is not None
    assert (row.sender, row.size, row.helo, row.protocol, row.has_content) == (
        "somebody@sender.example",
        arrival.content.size,
        "mail.sender.example",
        "ESMTPS",
        True,
    )


async def test_an_accepted_message_is_there_after_the_store_was_closed(place: Place) -> None:
    first = place.open()
    arrival = await Letters(place, first).send("one@example.net")
    first.close()
    assert await place.open().message(arrival.queue_id) is not None


async def test_many_at_once_are_all_accepted_and_none_twice(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    arrivals = [letters.arrival(f"u{n}@d{n % 7}.example", f"v{n}@d0.example") for n in range(300)]
    await asyncio.gather(*(store.accept(arrival) for arrival in arrivals))
    listed = [one async for page in _pages(store, 100) for one in page]
    assert [one.id.queue_id for one in listed] == [a.queue_id for a in arrivals for _ in range(2)]
    assert [one.recipient for one in listed if one.id.number == 1] == [
        str(arrival.envelope.recipients[0]) for arrival in arrivals
    ]


async def _pages(store: Store, limit: int) -> AsyncIterator[list[DeliveryRow]]:
    after: DeliveryId | None = None
    while len(page := await store.listed(Selection(), after, limit)) > 0:
        yield page
        after = page[-1].id


async def test_the_null_sender_and_quoted_local_parts_come_back_as_they_were(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    arrival = letters.arrival('"a@b c"@example.net', sender="")
    await store.accept(arrival)
    lease = await store.lease(Lane.RELAY, "unsorted")
    assert lease is not None
    [claimed] = await store.claim(lease, place.clock.ms, 10)
    assert claimed.sender == arrival.envelope.sender
    assert claimed.recipient == arrival.envelope.recipients[0]


async def test_quarantined_mail_is_kept_at_once_and_never_due(place: Place) -> None:
    store = place.open()
    arrival = Letters(place, store).arrival("one@example.net")
    await store.accept(arrival, KeptFor.QUARANTINE)
    [one] = await store.listed(Selection(), None, 10)
    assert (one.state, one.kept_for) == (State.KEPT, KeptFor.QUARANTINE)
    assert await store.next_due_ms([Lane.RELAY]) is None


async def test_a_refused_message_fails_alone(place: Place) -> None:
    """Its queue id exists already; the others of its group are still accepted."""
    store = place.open()
    letters = Letters(place, store)
    first = await letters.send("one@example.net")
    others = [letters.arrival("two@example.net") for _ in range(20)]
    results = await asyncio.gather(
        *(store.accept(arrival) for arrival in [*others[:10], first, *others[10:]]), return_exceptions=True
    )
    assert [index for index, result in enumerate(results) if result is not None] == [10]
    assert len(await store.listed(Selection(), None, 100)) == 21
    assert place.failures == []


async def test_stored_octets_count_a_message_once_per_domain_until_its_last_recipient_there(
    place: Place,
) -> None:
    store = place.open()
    letters = Letters(place, store)
    await letters.send("a@example.net", "b@example.net", "c@example.org", content=InTable(b"x" * 1000))
    await letters.send("a@example.net", content=InTable(b"x" * 10))
    await letters.send("a@example.net", content=InTable(b"x" * 500), lane=Lane.OWN)
    assert await store.stored_octets(Domain("example.net")) == 1010
    assert await store.stored_octets(Domain("example.org")) == 1000
    assert await store.stored_octets(Domain("example.com")) == 0
    await _drop(store, place, "a@example.net")
    assert await store.stored_octets(Domain("example.net")) == 1000
    await _drop(store, place, "b@example.net")
    assert await store.stored_octets(Domain("example.net")) == 0
    assert await store.stored_octets(Domain("example.org")) == 1000


async def _drop(store: Store, place: Place, address: str) -> None:
    selection = Selection(address=address)
    await store.move(selection, (State.WAITING,), State.DROPPED, place.clock.ms, "dropped", "")


async def test_what_was_learned_is_remembered_under_every_spelling_and_replaced(place: Place) -> None:
    store = place.open()
    mailbox = Mailbox.parse("Some.One@example.net")
    assert await store.learned(mailbox) is None
    await store.learn(mailbox, Learned(False, 5, "probe"))
    await store.learn(Mailbox.parse("some.one@EXAMPLE.net"), Learned(True, 7, "delivery"))
    assert await store.learned(mailbox) == Learned(True, 7, "delivery")


async def test_who_gives_up_waiting_does_not_disturb_the_others(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    gone, stays = letters.arrival("one@example.net"), letters.arrival("two@example.net")
    leaving = asyncio.ensure_future(store.accept(gone))
    staying = asyncio.ensure_future(store.accept(stays))
    leaving.cancel()
    await staying
    assert await store.message(stays.queue_id) is not None


async def test_proven_prefixes_are_there_for_the_next_process_the_latest_of_them(place: Place) -> None:
    store = place.open("receive")
    for prefix, at_ms in (("192.0.2.0/24", 50), ("2001:db8::/64", 30), ("198.51.100.0/24", 10)):
        await store.prove_prefix(ProvenPrefix(prefix, at_ms))
    await store.prove_prefix(ProvenPrefix("2001:db8::/64", 70))
    await store.prove_prefix(ProvenPrefix("192.0.2.0/24", 40))  # from a process that was late
    store.close()
    after = place.open("receive")
    latest = [ProvenPrefix("192.0.2.0/24", 50), ProvenPrefix("2001:db8::/64", 70)]
    assert await after.proven_prefixes(20, 10) == latest
    assert await after.proven_prefixes(0, 2) == latest
    assert await after.proven_prefixes(0, 1) == latest[1:]


async def test_prefixes_that_were_proven_long_ago_are_forgotten_in_batches(place: Place) -> None:
    store = place.open()
    for n in range(BATCH_ROWS + 5):
        await store.prove_prefix(ProvenPrefix(f"10.0.{n}.0/24", n))
    forgotten = []
    while (some := await store.forget_prefixes(BATCH_ROWS + 3)) > 0:
        forgotten.append(some)
    assert forgotten == [BATCH_ROWS, 3]
    assert [one.at_ms for one in await store.proven_prefixes(0, 10)] == [BATCH_ROWS + 3, BATCH_ROWS + 4]
