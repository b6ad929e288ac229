"""A message's prefix is stored beside its content, and counts and is read as a part of it."""

import pytest

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.content import InFile, InTable
from secondpost.mail.delivery import State
from secondpost.mail.envelope import Arrival
from secondpost.store.owner_ports import Selection
from tests.store.letters import Letters, leased, settled
from tests.store.place import Place, Store, content_in, there

PREFIX = b"Authentication-Results: mx2.example.net; none\r\nReceived: by us for <\xd0\xb8@example.net>\r\n"
SMALL = b"Subject: small\r\n\r\n" + bytes(range(256)) * 9
LARGE = b"Subject: large\r\n\r\n" + b"x" * 200_000
PIECE_OCTETS = 64 * 1024


async def sent(place: Place, store: Store, *, large: bool) -> Arrival:
    letters = Letters(place, store)
    if not large:
        return await letters.send("one@example.net", content=InTable(SMALL), prefix=PREFIX)
    name = f"content/{store.worker}-large"
    file = place.mail_disk.create(name)
    file.write(LARGE)
    file.close()
    return await letters.send("one@example.net", content=InFile(name, len(LARGE)), prefix=PREFIX)


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
async def test_a_message_is_read_as_its_prefix_and_its_content(place: Place, large: bool) -> None:
    store = place.open()
    arrival = await sent(place, store, large=large)
    whole = PREFIX + (LARGE if large else SMALL)
    [claimed] = await store.claim(await leased(store), place.clock.ms, 10)
    assert claimed.size == arrival.size == len(whole)
    assert await store.content(claimed) == whole
    assert await content_in(store, arrival.queue_id, PIECE_OCTETS) == whole
    held = await store.contents([claimed])
    assert held == {arrival.queue_id: PREFIX if large else whole}


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
async def test_both_count_and_both_go_with_the_last_recipient(place: Place, large: bool) -> None:
    store = place.open()
    arrival = await sent(place, store, large=large)
    size = len(PREFIX) + len(LARGE if large else SMALL)
    assert await store.stored_octets(Domain("example.net")) == size
    assert there(await store.message(arrival.queue_id)).size == size
    lease = await leased(store)
    [claimed] = await store.claim(lease, place.clock.ms, 10)
    await store.settle(lease, [settled(claimed, State.DELIVERED, place.clock.ms)])
    assert await store.stored_octets(Domain("example.net")) == 0
    assert await store.contents([claimed]) == {}
    with pytest.raises(LookupError):
        await anext(store.content_pieces(arrival.queue_id, PIECE_OCTETS))


async def test_redirected_mail_keeps_both(place: Place) -> None:
    store = place.open()
    arrival = await sent(place, store, large=False)
    to = Mailbox.parse("me@elsewhere.example")
    await store.redirect(Selection(states=(State.WAITING,)), to, place.clock.ms, "")
    assert await content_in(store, arrival.queue_id, PIECE_OCTETS) == PREFIX + SMALL
