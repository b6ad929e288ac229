"""Housekeeping: workers and their death, pruning, the log, closing."""

import asyncio
import os
import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import apsw
import pytest

from secondpost.mail.address import Mailbox
from secondpost.mail.content import InFile, InTable
from secondpost.mail.delivery import KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import WORKERS_MAX
from secondpost.mail.subscriber import SubscriberState
from secondpost.store.owner_ports import Selection
from secondpost.store.ports import COMMAND, Learned, StoreUnavailable
from secondpost.store.sqlite.checkpoint import SPARE_PAGES
from secondpost.store.sqlite.connection import PAGE_OCTETS
from secondpost.store.sqlite.log_bounds import LogBounds
from tests.store.letters import Letters, leased, settled
from tests.store.other_process import other_process, said
from tests.store.place import Place, SqlitePlace
from tests.store.readers import Publisher

RELAY = Lane.RELAY


async def test_workers_have_numbers_of_their_own_and_recent_ones_never_come_again(place: Place) -> None:
    seen = []
    for _ in range(5):
        store = place.open()
        seen.append(store.worker)
        store.close()
    assert len(set(seen)) == 5
    assert all(0 <= number < WORKERS_MAX for number in seen)


async def test_the_living_are_not_swept(place: Place) -> None:
    here, there = place.open(), place.open()
    await Letters(place, here).send("one@example.net")
    lease = await leased(there)
    await there.claim(lease, place.clock.ms, 10)
    swept = await here.sweep()
    assert (swept.workers, swept.maybe_duplicates, swept.files) == (0, (), 0)
    assert (await here.listed(Selection(), None, 1))[0].state is State.CLAIMED


async def test_a_store_is_served_while_a_process_of_the_service_lives(place: SqlitePlace) -> None:
    desk = place.open_newsletter(COMMAND)
    assert not await desk.is_served(), "a command serves nobody"
    other = place.open_newsletter(COMMAND)
    assert not await desk.is_served()
    other.close()
    served = place.open_newsletter("deliver")
    assert await desk.is_served()
    served.close()
    assert not await desk.is_served()
    place.open().close()
    mail = place.open_desk()
    with other_process("claim", place.folder) as process:
        said(process)
        assert await mail.is_served()
    assert not await mail.is_served(), "it was killed, and its row is still there"


async def test_what_a_killed_process_had_claimed_waits_again_as_maybe_duplicate(place: SqlitePlace) -> None:
    store = place.open("receive")
    letters = Letters(place, store)
    for n in range(3):
        await letters.send(*(f"u{k}@d{n}.example" for k in range(90)))
    name = f"content/{store.worker}-named"
    place.mail_disk.create(name).close()
    await letters.send("large@example.net", content=InFile(name, 0))
    with other_process("claim", place.folder) as process:
        worker, claimed = said(process).split()
        assert int(claimed) == 271
        assert (await store.sweep()).workers == 0
    swept = await store.sweep()
    assert (swept.workers, len(swept.maybe_duplicates), swept.files) == (1, 271, 1)
    assert place.mail_disk.names("content") == [os.path.basename(name)]
    assert f"{worker}.lock" not in place.mail_disk.names("workers")
    again = await store.claim(await leased(store), place.clock.ms, 300)
    assert len(again) == 271
    assert all(one.maybe_duplicate for one in again)
    assert [event.what for event in await store.events(again[0].id.queue_id)][:1] == ["maybe-duplicate"]
    assert (await store.sweep()).workers == 0


async def test_each_worker_that_dies_is_told_of_a_delivery(place: Place) -> None:
    """The log line of the second can be lost together with its writer."""
    other = place.open()
    sent = await Letters(place, other).send("one@example.net")
    for deaths in (1, 2, 3):
        store = place.open()
        assert len(await store.claim(await leased(store), place.clock.ms, 10)) == 1
        store.close()
        assert len((await other.sweep()).maybe_duplicates) == 1
        told = [event.what for event in await other.events(sent.queue_id)]
        assert told == ["maybe-duplicate"] * deaths


async def test_who_closes_with_a_lease_left_is_swept_like_the_dead(place: Place) -> None:
    store, other = place.open(), place.open()
    await Letters(place, store).send("one@example.net")
    await store.claim(await leased(store), place.clock.ms, 10)
    store.close()
    swept = await other.sweep()
    assert (swept.workers, len(swept.maybe_duplicates)) == (1, 1)


async def test_who_gave_everything_back_leaves_nothing_to_sweep(place: Place) -> None:
    store, other = place.open(), place.open()
    await store.give_back(await leased(store))
    store.close()
    assert (await other.sweep()).workers == 0
    assert place.mail_disk.names("workers") == [f"{other.worker}.lock"]


async def test_prune_forgets_what_ended_long_ago_and_nothing_else(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    ended = await letters.send("one@example.net", "two@example.net")
    half = await letters.send("three@example.net", "four@example.net")
    lease = await leased(store)
    claimed = await store.claim(lease, place.clock.ms, 3)
    await store.settle(lease, [settled(one, State.DELIVERED, place.clock.ms) for one in claimed])
    assert await store.prune(place.clock.ms) == 0
    assert await store.prune(place.clock.ms + 1) == 1
    assert await store.message(ended.queue_id) is None
    assert await store.events(ended.queue_id) == []
    assert [one.id.queue_id for one in await store.listed(Selection(), None, 10)] == [half.queue_id] * 2
    assert await store.prune(place.clock.ms + 1) == 0


async def test_whom_we_know_is_remembered_longer_than_whom_there_is_not(place: Place) -> None:
    """A recipient who gets mail once in a season is still known when the primary is down."""
    store = place.open()
    for name, known, at_ms in (
        ("there", True, 50),
        ("long", True, 5),
        ("not", False, 50),
        ("lately", False, 99),
    ):
        await store.learn(Mailbox.parse(f"{name}@example.net"), Learned(known, at_ms, "probe"))
    assert await store.forget_learned(known_before_ms=10, unknown_before_ms=90) == 2
    assert await store.forget_learned(known_before_ms=10, unknown_before_ms=90) == 0
    left = [
        name
        for name in ("there", "long", "not", "lately")
        if await store.learned(Mailbox.parse(f"{name}@example.net")) is not None
    ]
    assert left == ["there", "lately"]


async def test_of_too_many_learned_recipients_the_oldest_that_were_not_there_go_first(place: Place) -> None:
    store = place.open()
    for name, known, at_ms in (
        ("old", True, 1),
        ("guess1", False, 2),
        ("guess2", False, 3),
        ("new", True, 4),
    ):
        await store.learn(Mailbox.parse(f"{name}@example.net"), Learned(known, at_ms, "probe"))

    async def left() -> list[str]:
        names = ("old", "guess1", "guess2", "new")
        return [
            name for name in names if await store.learned(Mailbox.parse(f"{name}@example.net")) is not None
        ]

    assert await store.bound_learned(4) == 0
    assert await store.bound_learned(3) == 1
    assert await left() == ["old", "guess2", "new"]
    assert await store.bound_learned(1) == 2
    assert await left() == ["new"]


async def test_dead_letters_are_never_pruned(place: Place) -> None:
    store = place.open()
    await store.accept(Letters(place, store).arrival("one@example.net"), KeptFor.QUARANTINE)
    assert await store.prune(place.clock.ms + 10**12) == 0
    assert len(await store.listed(Selection(), None, 10)) == 1


async def test_a_closed_store_says_so_and_has_kept_what_was_under_way(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    under_way = store.accept(letters.arrival("one@example.net"))
    store.close()
    await under_way
    with pytest.raises(StoreUnavailable):
        await store.accept(letters.arrival("two@example.net"))
    with pytest.raises(StoreUnavailable):
        await store.listed(Selection(), None, 1)
    assert [one.recipient for one in await place.open().listed(Selection(), None, 10)] == ["one@example.net"]


async def test_the_log_is_cut_and_room_is_given_back_after_a_drain(place: SqlitePlace) -> None:
    store, most = place.open(), place.log_bounds.room_octets_max
    letters = Letters(place, store)
    content = InTable(b"x" * 120_000)
    messages = 8 + most // 120_000
    await asyncio.gather(*(letters.send("u@example.net", content=content) for _ in range(messages)))
    log, database = Path(place.folder, "mail/mail.db-wal"), Path(place.folder, "mail/mail.db")
    assert log.stat().st_size > most
    assert await store.checkpoint() > most
    before = log.stat().st_size
    await store.accept(letters.arrival("u@example.net", content=content))
    assert await store.checkpoint() == 0, "so little is not worth a sync"
    assert log.stat().st_size == before, "it is begun anew, and not given back while somebody writes"
    place.log_bounds = LogBounds(quiet_seconds=0.0)
    other = place.open()
    await other.checkpoint()
    assert log.stat().st_size == 0
    other.close()
    full = database.stat().st_size
    lease = await leased(store)
    while len(claimed := await store.claim(lease, place.clock.ms, 200)) > 0:
        await store.settle(lease, [settled(one, State.DELIVERED, place.clock.ms) for one in claimed])
    for _ in range(20):
        await store.checkpoint()
    assert await store.counts() == []
    store.close()
    assert full > most
    assert database.stat().st_size < (SPARE_PAGES + 200) * PAGE_OCTETS


async def test_room_is_given_back_beside_one_who_takes_a_lease_again_and_again(place: SqlitePlace) -> None:
    place.log_bounds = LogBounds(room_octets_max=4_000_000, quiet_seconds=0.2)
    store = place.open()
    letters, content = Letters(place, store), InTable(b"x" * 120_000)
    await asyncio.gather(*(letters.send("u@example.net", content=content) for _ in range(40)))
    log = Path(place.folder, "mail/mail.db-wal")
    assert log.stat().st_size >= place.log_bounds.room_octets_max
    await store.checkpoint()
    looks = 0
    while log.stat().st_size > 0:
        await store.give_back(await leased(store))
        await asyncio.sleep(0.01)
        await store.checkpoint()
        looks += 1
        assert looks < 1000
    assert looks > 2, "it had to be quiet for a while"


async def test_an_index_that_cannot_be_opened_is_not_the_fault_of_a_batch(place: SqlitePlace) -> None:
    place.log_bounds = LogBounds(pause_units=1, pause_octets=1)
    store = place.open_newsletter()
    await Publisher(place, store).sign_up("ann@example.net")  # so that the writer has what it needs
    for spare in range(4):
        name = f"newsletter-{spare}"
        with _files_left(spare):
            await Publisher(place, store, name).many(1)
        assert (await store.reader_counts(name))[SubscriberState.ACTIVE] == 1
    assert place.failures == []


@contextmanager
def _files_left(spare: int) -> Iterator[None]:
    """Limit the number of further files that can be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(spare):
            os.close(taken.pop())
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_who_writes_without_a_pause_keeps_the_log_short(place: SqlitePlace) -> None:
    first = place.open_newsletter()
    log = Path(place.folder, "newsletter/newsletter.db-wal")
    await Publisher(place, first).many(1000)
    least = log.stat().st_size
    place.log_bounds = LogBounds(pause_units=1, pause_octets=256 * 1024)
    store = place.open_newsletter()
    for letter in "abc":
        await Publisher(place, store, f"newsletter-{letter}").many(1000)
    assert log.stat().st_size <= least + place.log_bounds.pause_octets, "it was begun anew again and again"
    reader = apsw.Connection(str(place.folder) + "/newsletter/newsletter.db", flags=apsw.SQLITE_OPEN_READONLY)
    with closing(reader), closing(reader.execute("SELECT mailbox FROM subscriber")) as rows:
        next(rows)
        await Publisher(place, store, "newsletter-d").many(1000)
    assert place.failures == []
    assert (await store.reader_counts("newsletter-d"))[SubscriberState.ACTIVE] == 1000


@pytest.mark.parametrize(("octets", "messages", "most"), [(4096, 1500, 1.3), (50_000, 200, 1.08)])
async def test_held_mail_takes_little_more_room_than_its_content(
    place: SqlitePlace, octets: int, messages: int, most: float
) -> None:
    store = place.open()
    letters = Letters(place, store)
    arrivals = [
        letters.arrival(f"some.body{n}@backed-up.example.net", content=InTable(os.urandom(octets)))
        for n in range(messages)
    ]
    await asyncio.gather(*(store.accept(arrival) for arrival in arrivals))
    store.close()  # the last one to close checkpoints
    empty = 60 * PAGE_OCTETS  # tables without rows
    assert Path(place.folder, "mail/mail.db").stat().st_size - empty < most * octets * messages
