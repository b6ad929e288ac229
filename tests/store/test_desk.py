"""The desk: lists, counts, and the owner's verbs."""

import pytest

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.content import InTable
from secondpost.mail.delivery import DeliveryId, KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.store.owner_ports import InState, Selection
from secondpost.store.ports import Settlement
from tests.store.letters import UNSORTED, Letters, leased, recipients
from tests.store.place import Place

RELAY = Lane.RELAY


async def test_pages_follow_each_other_and_a_selection_narrows_them(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    first = await letters.send("One@example.net", "two@example.net", "three@example.org")
    second = await letters.send("four@example.net", lane=Lane.OWN)
    ids = [DeliveryId(first.queue_id, n) for n in (1, 2, 3)] + [DeliveryId(second.queue_id, 1)]

    async def found(
        selection: Selection, after: DeliveryId | None = None, limit: int = 10
    ) -> list[DeliveryId]:
        return [one.id for one in await store.listed(selection, after, limit)]

    assert await found(Selection()) == ids
    assert await found(Selection(), limit=2) == ids[:2]
    assert await found(Selection(), after=ids[1], limit=2) == ids[2:]
    assert await found(Selection(), after=ids[3]) == []
    assert await found(Selection(ids=(first.queue_id,))) == ids[:3]
    assert await found(Selection(ids=(QueueId(1),))) == []
    assert await found(Selection(deliveries=(ids[1], ids[3]))) == [ids[1], ids[3]]
    assert await found(Selection(domain=Domain("example.net"))) == [ids[0], ids[1], ids[3]]
    assert await found(Selection(address="one@EXAMPLE.net")) == [ids[0]]
    assert await found(Selection(address="SOMEBODY@sender.example")) == ids
    assert await found(Selection(states=(State.WAITING,))) == ids
    assert await found(Selection(states=(State.KEPT, State.HELD))) == []
    assert await found(Selection(site=UNSORTED, domain=Domain("example.org"))) == [ids[2]]
    assert await found(Selection(site="elsewhere")) == []


async def test_a_selection_narrows_by_what_came_of_it_and_by_age_and_size(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    large = await letters.send("one@example.net", content=InTable(b"x" * 100))
    await letters.send("two@example.org", content=InTable(b"x" * 10))
    for kept_for in KeptFor:
        await store.accept(letters.arrival(f"{kept_for}@example.net", content=InTable(b"x")), kept_for)
    await letters.send("own@example.com", lane=Lane.OWN, content=InTable(b"x"))
    lease = await leased(store)
    [claimed] = await store.claim(lease, place.clock.ms, 1)
    later = place.clock.ms + 5
    await store.settle(lease, [Settlement(claimed.id, State.WAITING, later, due_ms=later, cause="connect")])
    await store.hint_site(RELAY, Domain("example.org"), "elsewhere")
    await store.site_down(UNSORTED, "connect", "", 1, 2)

    async def found(selection: Selection) -> list[str]:
        return [one.recipient.partition("@")[0] for one in await store.listed(selection, None, 10)]

    held, refused = InState(State.WAITING, held_by_site=True), InState(State.KEPT, KeptFor.REFUSED)
    assert await found(Selection(in_states=(held,))) == ["one"], "own mail is held by no primary"
    assert await found(Selection(in_states=(refused,))) == ["refused"]
    assert await found(Selection(in_states=(held, refused, InState(State.HELD)))) == ["one", "refused"]
    assert await found(Selection(in_states=(InState(State.WAITING), held))) == ["one", "two", "own"]
    assert await found(Selection(states=(State.KEPT,), in_states=(held, refused))) == ["refused"]
    assert await found(Selection(states=(State.WAITING,), in_states=(refused,))) == []
    assert await found(Selection(causes=("connect", "lost"))) == ["one"]
    assert await found(Selection(arrived_before_ms=large.arrived_ms + 2)) == ["one", "two"]
    assert await found(Selection(arrived_before_ms=large.arrived_ms)) == []
    assert await found(Selection(larger_than=9)) == ["one", "two"]
    assert await found(Selection(larger_than=10, causes=("connect",), domain=Domain("example.net"))) == [
        "one"
    ]
    now = place.clock.ms
    moved = await store.move(
        Selection(in_states=(refused,)), (State.KEPT,), State.DROPPED, now, "dropped", ""
    )
    assert moved == 1
    assert "refused" not in await found(Selection(states=(State.KEPT,)))


async def test_counts_tell_every_state_that_keeps_content(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    first = await letters.send("one@example.net", content=InTable(b"x" * 100))
    second = await letters.send("two@example.net", content=InTable(b"x" * 30))
    third = await letters.send("three@example.net", content=InTable(b"x" * 7))
    quarantined = letters.arrival("four@example.net", content=InTable(b"x"))
    await store.accept(quarantined, KeptFor.QUARANTINE)
    lease = await leased(store)
    await store.claim(lease, place.clock.ms, 1)
    selection = Selection(ids=(third.queue_id,))
    await store.move(selection, (State.WAITING,), State.HELD, place.clock.ms, "held", "")
    await store.site_down(UNSORTED, "connect", "", 1, 2)
    counts = {count.state: count for count in await store.counts()}
    assert {state: (c.deliveries, c.octets, c.oldest_ms) for state, c in counts.items()} == {
        State.CLAIMED: (1, 100, first.arrived_ms),
        State.WAITING: (1, 30, second.arrived_ms),
        State.HELD: (1, 7, third.arrived_ms),
        State.KEPT: (1, 1, quarantined.arrived_ms),
    }
    assert {(c.lane, c.domain, c.site, c.site_down) for c in counts.values()} == {
        (RELAY, "example.net", UNSORTED, True)
    }


async def test_the_oldest_waiting_is_found_among_tried_and_untried(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    oldest = await letters.send("one@example.net")
    await letters.send("two@example.net")
    lease = await leased(store)
    [claimed] = await store.claim(lease, place.clock.ms, 1)
    later = place.clock.ms + 5000
    await store.settle(
        lease, [Settlement(claimed.id, State.WAITING, place.clock.ms, due_ms=later, cause="recipient")]
    )
    [count] = await store.counts()
    assert (count.deliveries, count.oldest_ms) == (2, oldest.arrived_ms)


async def test_held_mail_waits_for_its_owner(place: Place) -> None:
    store = place.open()
    arrival = await Letters(place, store).send("one@example.net", "two@example.net")
    one = Selection(deliveries=(DeliveryId(arrival.queue_id, 1),))
    now = place.clock.ms
    assert await store.move(one, (State.WAITING,), State.HELD, now, "held", "by me") == 1
    assert await store.move(one, (State.WAITING,), State.HELD, now, "held", "by me") == 0
    lease = await leased(store)
    assert recipients(await store.claim(lease, now, 10)) == ["two@example.net"]
    assert await store.next_due_ms([RELAY]) is None
    assert await store.move(one, (State.HELD,), State.WAITING, now + 5, "released", "") == 1
    assert await store.next_due_ms([RELAY]) == now + 5
    assert recipients(await store.claim(lease, now + 5, 10)) == ["one@example.net"]
    assert [(event.number, event.what, event.detail) for event in await store.events(arrival.queue_id)] == [
        (1, "held", "by me"),
        (1, "released", ""),
    ]


async def test_dead_letters_can_be_retried_and_forget_what_they_were_kept_for(place: Place) -> None:
    store = place.open()
    arrival = Letters(place, store).arrival("one@example.net")
    await store.accept(arrival, KeptFor.QUARANTINE)
    now = place.clock.ms + 9
    assert await store.move(Selection(), (State.KEPT,), State.WAITING, now, "retried", "") == 1
    [listed] = await store.listed(Selection(), None, 1)
    assert (listed.state, listed.kept_for, listed.due_ms) == (State.WAITING, None, now)


async def test_dropped_mail_loses_its_content_and_cannot_come_back(place: Place) -> None:
    store = place.open()
    arrival = await Letters(place, store).send("one@example.net")
    everything, now = Selection(), place.clock.ms
    assert await store.move(everything, (State.WAITING,), State.DROPPED, now, "dropped", "") == 1
    with pytest.raises(LookupError):
        await anext(store.content_pieces(arrival.queue_id, 100))
    assert await store.counts() == []
    assert await store.move(everything, (State.DROPPED,), State.WAITING, now, "retried", "") == 0


async def test_many_are_moved_in_batches(place: Place) -> None:
    store = place.open()
    await Letters(place, store).send(*(f"u{n}@d{n % 3}.example" for n in range(450)))
    selection = Selection(domain=Domain("d1.example"))
    assert await store.move(selection, (State.WAITING,), State.HELD, place.clock.ms, "held", "") == 150
    assert await store.move(Selection(), (State.WAITING,), State.HELD, place.clock.ms, "held", "") == 300
    assert await store.move(Selection(), (State.HELD,), State.WAITING, place.clock.ms, "released", "") == 450
    assert sum(count.deliveries for count in await store.counts()) == 450


async def test_nobody_moves_mail_to_kept_or_claimed(place: Place) -> None:
    store = place.open()
    for state in (State.KEPT, State.CLAIMED):
        with pytest.raises(ValueError, match=state.value):
            await store.move(Selection(), (State.WAITING,), state, 1, "", "")


async def test_redirected_mail_goes_to_another_mailbox_in_lane_own(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    arrival = await letters.send("one@example.net", "two@example.net", content=InTable(b"x" * 50))
    kept = letters.arrival("three@example.net", content=InTable(b"x" * 8))
    await store.accept(kept, KeptFor.REFUSED)
    lease = await leased(store)
    await store.claim(lease, place.clock.ms, 1)
    place.clock.ms += 100
    to = Mailbox.parse("me@elsewhere.example")
    assert await store.redirect(Selection(), to, place.clock.ms, "by me") == 2
    mine = await store.claim(await leased(store, lane=Lane.OWN), place.clock.ms, 10)
    assert [(c.recipient, c.lane, c.origin, c.attempts) for c in mine] == [(to, Lane.OWN, RELAY, 0)] * 2
    assert await store.stored_octets(Domain("example.net")) == 50
    assert [(count.lane, count.deliveries, count.octets) for count in await store.counts()] == [
        (Lane.OWN, 2, 8),
        (RELAY, 1, 50),
    ]
    assert [event.what for event in await store.events(arrival.queue_id)] == ["redirected"]
    assert await store.next_due_ms([RELAY]) is None


async def test_redirected_mail_is_found_by_its_first_recipient_however_often_it_was_redirected(
    place: Place,
) -> None:
    store = place.open()
    arrival = await Letters(place, store).send("Ada@example.net", "two@example.net")
    one = Selection(deliveries=(DeliveryId(arrival.queue_id, 1),))
    assert await store.redirect(one, Mailbox.parse("me@elsewhere.example"), place.clock.ms, "by me") == 1
    assert await store.redirect(one, Mailbox.parse("you@safe.example"), place.clock.ms, "") == 1
    for address in ("ada@EXAMPLE.net", "You@safe.example"):
        [found] = await store.listed(Selection(address=address), None, 10)
        assert (found.recipient, found.first_recipient) == ("you@safe.example", "Ada@example.net")
    assert await store.listed(Selection(address="me@elsewhere.example"), None, 10) == []
    [other] = await store.listed(Selection(address="two@example.net"), None, 10)
    assert other.first_recipient is None
    assert [(event.number, event.what, event.detail) for event in await store.events(arrival.queue_id)] == [
        (1, "redirected", "from Ada@example.net to me@elsewhere.example by me"),
        (1, "redirected", "from me@elsewhere.example to you@safe.example"),
    ]
    [mine] = await store.claim(await leased(store, lane=Lane.OWN), place.clock.ms, 10)
    assert mine.first_recipient == Mailbox.parse("Ada@example.net")
    [its] = await store.claim(await leased(store), place.clock.ms, 10)
    assert its.first_recipient is None


async def test_content_comes_in_pieces(place: Place) -> None:
    store = place.open()
    data = bytes(range(256)) * 400
    arrival = await Letters(place, store).send("one@example.net", content=InTable(data))
    pieces = [piece async for piece in store.content_pieces(arrival.queue_id, 10_000)]
    assert b"".join(pieces) == data
    assert max(len(piece) for piece in pieces) == 10_000
    with pytest.raises(LookupError):
        await anext(store.content_pieces(QueueId(5), 10))


async def test_content_that_goes_while_it_is_read_is_an_error_not_a_short_message(place: Place) -> None:
    store = place.open()
    arrival = await Letters(place, store).send("one@example.net", content=InTable(b"x" * 10_000))
    pieces = store.content_pieces(arrival.queue_id, 1000)
    await anext(pieces)
    await store.move(Selection(), (State.WAITING,), State.DROPPED, place.clock.ms, "dropped", "")
    with pytest.raises(LookupError):
        [piece async for piece in pieces]


async def test_a_command_works_beside_the_service_and_takes_no_leases(place: Place) -> None:
    store = place.open()
    await Letters(place, store).send("one@example.net")
    desk = place.open_desk()
    moved = await desk.move(Selection(), (State.WAITING,), State.HELD, place.clock.ms, "held", "")
    assert moved == 1
    assert await store.next_due_ms([RELAY]) is None
    with pytest.raises(RuntimeError):
        await desk.lease(RELAY, UNSORTED)


async def test_an_unknown_message_has_nothing_to_tell(place: Place) -> None:
    store = place.open()
    assert await store.message(QueueId(3)) is None
    assert await store.events(QueueId(3)) == []
