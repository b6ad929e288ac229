"""Where mail comes from: what is good by what became of it, and bounds that no caller exceeds."""

from secondpost.mail.address import Domain
from secondpost.mail.arrivals import (
    OTHERS,
    BlockedNetwork,
    CameFrom,
    HourCount,
    NetworkOrigin,
    PrimaryHour,
)
from secondpost.mail.delivery import State
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.envelope import Arrival
from secondpost.mail.queue_id import QueueId
from secondpost.store.verbs import arrivals as bounds
from tests.store.letters import Letters, leased, settled
from tests.store.place import Place, Store

NET, ORG = Domain("example.net"), Domain("example.org")
HERE, THERE = "192.0.2.0/24", "198.51.100.0/24"
AUTHOR = "author.example"


def hour_of(at_ms: int) -> int:
    return at_ms - at_ms % HOUR_MS


def came(arrival: Arrival, author: str = AUTHOR, network: str = HERE) -> CameFrom:
    at_ms = arrival.arrived_ms
    return CameFrom(arrival.queue_id, NET, at_ms, hour_of(at_ms), network, author)


def made(number: int, author: str, network: str, at_ms: int = 0) -> CameFrom:
    return CameFrom(QueueId(number), NET, at_ms, hour_of(at_ms), network, author)


async def ended(store: Store, place: Place, state: State = State.DELIVERED) -> None:
    """Everything that waits ends in this state, a second later."""
    place.clock.ms += 1000
    lease = await leased(store)
    claimed = await store.claim(lease, place.clock.ms, 100)
    await store.settle(lease, [settled(one, state, place.clock.ms) for one in claimed])
    await store.give_back(lease)


async def counts(store: Store) -> list[tuple[str, str, int, int]]:
    """Network, author, good mail, and all else."""
    return [(one.network, one.author, one.good, one.fresh + one.other) for one in await store.hour_counts(0)]


async def test_mail_of_an_author_is_good_once_the_primary_took_mail_of_that_author(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    for _ in range(3):
        await store.note_arrivals([came(await letters.send("me@example.net"))])
        assert await store.settle_arrivals() == 0  # it waits
        await ended(store, place)
        assert await store.settle_arrivals() == 1
    assert await store.hour_counts(0) == [HourCount(NET, hour_of(place.clock.ms), HERE, AUTHOR, 2, 1, 0)]
    assert (await store.known_authors(NET), await store.known_authors(ORG)) == (1, 0)


async def test_two_that_wait_at_once_do_not_vouch_for_each_other(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    both = [await letters.send("me@example.net"), await letters.send("me@example.net")]
    await store.note_arrivals([came(arrival) for arrival in both])
    await ended(store, place)
    assert await store.settle_arrivals() == 2
    assert [(one.good, one.fresh) for one in await store.hour_counts(0)] == [(0, 2)]


async def test_what_the_primary_refused_or_took_late_is_not_good(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    await store.note_arrivals([came(await letters.send("me@example.net"))])
    await ended(store, place)
    await store.note_arrivals([came(await letters.send("me@example.net"))])
    await ended(store, place, State.FAILED)
    await store.settle_arrivals()
    await store.note_arrivals([came(await letters.send("me@example.net"))])
    place.clock.ms += HOUR_MS
    await ended(store, place)
    await store.settle_arrivals()
    assert sum(good for _, _, good, _ in await counts(store)) == 0
    assert sum(other for _, _, _, other in await counts(store)) == 3


async def test_mail_without_an_author_is_other_at_once(place: Place) -> None:
    store = place.open()
    await store.note_arrivals([made(1, OTHERS, HERE), made(2, OTHERS, HERE), made(3, OTHERS, THERE)])
    assert await store.hour_counts(0) == [
        HourCount(NET, 0, HERE, OTHERS, 0, 0, 2),
        HourCount(NET, 0, THERE, OTHERS, 0, 0, 1),
    ]


async def test_the_rows_of_an_hour_are_bounded_and_nothing_is_lost_from_the_sum(place: Place) -> None:
    store = place.open()
    many = 3 * bounds.NETWORKS_PER_HOUR_MAX
    networks = [f"10.{number // 256}.{number % 256}.0/24" for number in range(many)]
    for start in range(0, many, 100):
        await store.note_arrivals(
            [made(start + n, OTHERS, one) for n, one in enumerate(networks[start:][:100])]
        )
    found = await counts(store)
    assert len(found) == bounds.NETWORKS_PER_HOUR_MAX + 1
    assert sum(other for _, _, _, other in found) == many


async def test_authors_of_an_hour_are_bounded_too(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    authors = [f"a{number}.example" for number in range(bounds.AUTHORS_PER_HOUR_MAX + 20)]
    for _ in range(2):
        for start in range(0, len(authors), 55):
            some = authors[start:][:55]
            await store.note_arrivals([came(await letters.send("me@example.net"), one) for one in some])
            await ended(store, place)
        await store.settle_arrivals()
    rows = [row for row in await counts(store) if row[2] > 0]
    assert len(rows) == bounds.AUTHORS_PER_HOUR_MAX + 1
    assert sum(good for _, _, good, _ in rows) == len(authors)


async def test_an_hour_in_which_the_primary_was_down_once_stays_so(place: Place) -> None:
    store = place.open()
    for at_ms, is_up in ((0, True), (0, False), (0, True), (HOUR_MS, True), (HOUR_MS, True)):
        await store.note_primaries([PrimaryHour(NET, at_ms, is_up)])
    assert await store.primary_hours(0) == [PrimaryHour(NET, 0, False), PrimaryHour(NET, HOUR_MS, True)]
    assert await store.primary_hours(1) == [PrimaryHour(NET, HOUR_MS, True)]


async def test_networks_are_looked_up_once_and_again_after_a_time(place: Place) -> None:
    store = place.open()
    await store.note_arrivals([made(1, OTHERS, HERE), made(2, OTHERS, THERE)])
    assert await store.networks_unknown(0, 10) == [HERE, THERE]
    origin = NetworkOrigin(64_500, "EXAMPLE", "NO")
    await store.learn_origins({HERE: origin}, 5000)
    assert await store.networks_unknown(0, 10) == [THERE]
    assert await store.networks_unknown(5001, 1) == [HERE]
    assert await store.origins() == {HERE: origin}


async def test_a_blocked_network_changes_until_it_ends(place: Place) -> None:
    store = place.open()
    begun = BlockedNetwork(NET, "AS64500", 1000, 5000, 4000, 5, 2)
    later = BlockedNetwork(NET, "AS64500", 1000, 5000, 9000, 15, 3, 20_000)
    await store.keep_blocked([begun])
    await store.keep_blocked([later, BlockedNetwork(ORG, HERE, 30_000, 31_000, 30_500, 6, 2)])
    assert [one.origin for one in await store.blocked_networks()] == ["AS64500", HERE]
    assert (await store.blocked_networks())[0] == later


async def test_all_of_it_is_forgotten_in_time(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    await store.note_arrivals([came(await letters.send("me@example.net")), made(1, OTHERS, HERE)])
    await ended(store, place)
    await store.settle_arrivals()
    await store.note_primaries([PrimaryHour(NET, 0, True)])
    await store.learn_origins({HERE: NetworkOrigin(64_500, "", "")}, 0)
    await store.keep_blocked([BlockedNetwork(NET, HERE, 0, 0, 0, 5, 2, 0)])
    standing = BlockedNetwork(NET, THERE, 0, 0, 0, 5, 2)
    await store.keep_blocked([standing])
    while await store.forget_arrivals(place.clock.ms + 1) > 0:
        pass
    assert (await store.hour_counts(0), await store.primary_hours(0), await store.origins()) == ([], [], {})
    assert await store.known_authors(NET) == 0
    assert await store.blocked_networks() == [standing]
