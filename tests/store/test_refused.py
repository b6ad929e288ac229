"""Refused mail: counted separately from waiting mail, and dropped oldest first."""

import asyncio

import pytest
from msgspec import structs

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.content import InFile, InTable
from secondpost.mail.delivery import DeliveryId, KeptFor, State
from secondpost.mail.envelope import Arrival, Lane
from secondpost.store.owner_ports import InState, Refused, Selection
from secondpost.store.ports import Dropped, Settlement
from secondpost.store.verbs.engine import BATCH_ROWS
from secondpost.store.verbs.refused import CONTENT_OCTETS_MAX
from tests.store.letters import UNSORTED, Letters, leased
from tests.store.place import Place, Store, content_in

RELAY = Lane.RELAY
NET, ORG = Domain("example.net"), Domain("example.org")
WHY = "kept for 7 days after the primary refused it"


async def refuse(place: Place, store: Store, *addresses: str, octets: int = 100) -> list[Arrival]:
    """A message for each address, refused by the primary a second after the previous one."""
    letters = Letters(place, store)
    arrivals = [letters.arrival(one, content=InTable(b"x" * octets)) for one in addresses]
    await asyncio.gather(*(store.accept(arrival) for arrival in arrivals))
    await refuse_all(place, store)
    return arrivals


async def refuse_all(place: Place, store: Store, lane: Lane = RELAY) -> None:
    lease = await leased(store, lane=lane)
    settlements = []
    for claimed in await store.claim(lease, place.clock.ms, 1000):
        place.clock.ms += 1000
        settlements.append(
            Settlement(claimed.id, State.KEPT, place.clock.ms, kept_for=KeptFor.REFUSED, cause="recipient")
        )
    await store.settle(lease, settlements)
    await store.give_back(lease)


async def left(store: Store) -> list[str]:
    states = (State.WAITING, State.HELD, State.KEPT)
    return [listed.recipient for listed in await store.listed(Selection(states=states), None, 1000)]


async def test_what_was_refused_takes_no_room_from_what_waits(place: Place) -> None:
    store = place.open()
    await refuse(place, store, "guess@example.net", "guess@example.org")
    await Letters(place, store).send("one@example.net", content=InTable(b"x" * 30))
    quarantined = Letters(place, store, 7).arrival("two@example.net", content=InTable(b"x" * 5))
    await store.accept(quarantined, KeptFor.QUARANTINE)
    assert await store.stored_octets(NET) == 35
    assert await store.stored_octets(ORG) == 0
    assert [(one.domain, one.deliveries, one.octets) for one in await store.refused()] == [
        (NET, 1, 100),
        (ORG, 1, 100),
    ]
    counts = {(c.domain, c.state, c.kept_for): (c.deliveries, c.octets) for c in await store.counts()}
    assert counts == {
        ("example.net", State.KEPT, KeptFor.QUARANTINE): (1, 5),
        ("example.net", State.KEPT, KeptFor.REFUSED): (1, 100),
        ("example.net", State.WAITING, None): (1, 30),
        ("example.org", State.KEPT, KeptFor.REFUSED): (1, 100),
    }


async def test_addresses_of_which_nothing_was_known_share_the_room_of_their_domain(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    for number in range(6):
        arrival = letters.arrival(f"u{number}@example.net", content=InTable(b"x" * 10))
        unverified = frozenset(arrival.envelope.recipients) if number % 2 == 0 else frozenset()
        await store.accept(structs.replace(arrival, unverified=unverified))
    await refuse_all(place, store, Lane.UNVERIFIED)
    await refuse_all(place, store)
    assert (await store.stored_octets(NET), await store.unverified_octets(NET)) == (0, 0)
    [refused] = await store.refused()
    assert (refused.deliveries, refused.octets, refused.oldest_ms) == (6, 60, place.clock.ms - 5000)
    late = place.clock.ms + 1
    assert await store.drop_refused(NET, late, 20, late, "") == Dropped(4, 40)
    assert await left(store) == ["u3@example.net", "u5@example.net"]
    held = [InState(State.WAITING, held_by_site=True)]
    await store.move(Selection(), (State.KEPT,), State.WAITING, late, "retried", "")
    arrival = letters.arrival("new@example.net")
    await store.accept(structs.replace(arrival, unverified=frozenset(arrival.envelope.recipients)))
    await store.site_down(UNSORTED, "connect", "", 1, 2)
    assert len(await store.listed(Selection(in_states=tuple(held)), None, 10)) == 3


async def test_what_is_tried_again_counts_as_waiting(place: Place) -> None:
    store = place.open()
    await refuse(place, store, "one@example.net")
    await store.move(Selection(), (State.KEPT,), State.WAITING, place.clock.ms, "retried", "")
    assert (await store.stored_octets(NET), await store.refused()) == (100, [])


async def test_a_message_counts_as_refused_only_when_no_other_recipient_waits_for_it(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    sent = await letters.send(*(f"u{n}@example.net" for n in range(4)), content=InTable(b"x" * 50))
    lease = await leased(store)
    claimed = await store.claim(lease, place.clock.ms, 10)

    async def octets() -> tuple[int, int]:
        return await store.stored_octets(NET), sum(one.octets for one in await store.refused())

    async def end(*numbers: int, refused: bool) -> None:
        state, kept_for = (State.KEPT, KeptFor.REFUSED) if refused else (State.DELIVERED, None)
        rows = [Settlement(claimed[n].id, state, place.clock.ms, kept_for=kept_for) for n in numbers]
        await store.settle(lease, rows)

    await end(0, 1, refused=True)
    assert await octets() == (50, 0)
    await end(2, refused=False)
    assert await octets() == (50, 0)
    await end(3, refused=True)
    assert await octets() == (0, 50)
    for number in (2, 1):
        one = Selection(deliveries=(DeliveryId(sent.queue_id, number),))
        await store.move(one, (State.KEPT,), State.WAITING, place.clock.ms, "retried", "")
        assert await octets() == (50, 0)
    assert await store.drop_refused(NET, place.clock.ms + 1, None, place.clock.ms, "") == Dropped(1, 0)


async def test_what_was_refused_before_then_is_dropped_with_its_content_and_says_why(place: Place) -> None:
    store = place.open()
    old, new = await refuse(place, store, "old@example.net", "new@example.net")
    await refuse(place, store, "old@example.org")
    [of_net, _] = await store.refused()
    assert of_net == Refused(NET, 2, 200, old.arrived_ms + 1 + 1000)
    before = of_net.oldest_ms + 1
    now = place.clock.ms + 5
    assert await store.drop_refused(NET, of_net.oldest_ms, None, now, WHY) == Dropped(0, 0)
    assert await store.drop_refused(NET, before, None, now, WHY) == Dropped(1, 100)
    assert await store.drop_refused(NET, before, None, now, WHY) == Dropped(0, 0)
    assert await left(store) == ["new@example.net", "old@example.org"]
    with pytest.raises(LookupError):
        [piece async for piece in store.content_pieces(old.queue_id, 100)]
    assert await content_in(store, new.queue_id, 100) == b"x" * 100
    told = (await store.events(old.queue_id))[-1]
    assert (told.number, told.what, told.detail, told.at_ms) == (1, "dropped", WHY, now)


async def test_nothing_else_is_dropped_however_old(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    for kept_for in (KeptFor.EXPIRED, KeptFor.QUARANTINE):
        await store.accept(letters.arrival(f"{kept_for}@example.net"), kept_for)
    await letters.send("waiting@example.net")
    redirected = await letters.send("first@example.net")
    to = Mailbox.parse("me@elsewhere.example")
    await store.redirect(Selection(ids=(redirected.queue_id,)), to, place.clock.ms, "")
    await refuse_all(place, store, Lane.OWN)
    for domain in (NET, to.domain):
        assert (await store.drop_refused(domain, place.clock.ms + 10**12, None, 1, WHY)).deliveries == 0
    assert len(await left(store)) == 4
    assert await store.refused() == []


async def test_the_oldest_go_until_so_much_is_left(place: Place) -> None:
    store = place.open()
    await refuse(place, store, *(f"u{n}@example.net" for n in range(10)))
    late = place.clock.ms + 1
    assert await store.drop_refused(NET, late, 1000, late, "") == Dropped(0, 0)
    assert await store.drop_refused(NET, late, 650, late, "") == Dropped(4, 400)
    assert await left(store) == [f"u{n}@example.net" for n in range(4, 10)]
    assert await store.drop_refused(NET, late, 650, late, "") == Dropped(0, 0)
    assert await store.drop_refused(NET, late, 0, late, "") == Dropped(6, 600)
    assert await store.refused() == []


async def test_a_batch_has_a_bound_in_rows_and_in_content(place: Place) -> None:
    store = place.open()
    await refuse(place, store, *(f"u{n}@example.net" for n in range(BATCH_ROWS + 7)), octets=10)
    late = place.clock.ms + 1
    batches = [(await store.drop_refused(NET, late, None, late, "")).deliveries for _ in range(3)]
    assert batches == [BATCH_ROWS, 7, 0]
    large = CONTENT_OCTETS_MAX // 4 - 1
    await refuse(place, store, *(f"u{n}@example.net" for n in range(7)), octets=large)
    late = place.clock.ms + 1
    batches = [(await store.drop_refused(NET, late, None, late, "")).deliveries for _ in range(3)]
    assert batches == [4, 3, 0]


async def test_a_dropped_file_leaves_the_disk(place: Place) -> None:
    store = place.open()
    name = f"content/{store.worker}-refused"
    place.mail_disk.create(name).close()
    letters = Letters(place, store)
    await letters.send("one@example.net", content=InFile(name, 0))
    await refuse_all(place, store)
    await store.drop_refused(NET, place.clock.ms + 1, None, place.clock.ms, "")
    await store.sweep()
    assert place.mail_disk.names("content") == []
    assert await store.next_due_ms([RELAY]) is None
    assert (await store.lease(RELAY, UNSORTED)) is not None
