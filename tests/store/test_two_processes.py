"""Two processes write to one store at once: both make progress, and nothing is lost."""

import asyncio

import pytest

from secondpost.mail.content import InTable
from secondpost.mail.delivery import State
from secondpost.store.owner_ports import Selection
from secondpost.store.ports import StoreUnavailable
from tests.store.letters import Letters
from tests.store.other_process import other_process, said
from tests.store.place import SqlitePlace


async def test_one_receives_while_the_other_delivers(place: SqlitePlace) -> None:
    store = place.open("receive")
    letters = Letters(place, store)
    with other_process("deliver", place.folder) as process:
        assert said(process) == "ready"

        async def client(many: int) -> None:
            for n in range(many):
                await store.accept(letters.arrival(f"u{n}@d{n % 5}.example", content=InTable(b"x" * 3000)))

        await asyncio.gather(*(client(40) for _ in range(25)))
        assert process.stdin is not None
        process.stdin.close()
        delivered = await asyncio.to_thread(said, process)
    assert int(delivered) == 1000
    assert await store.counts() == []
    assert {one.state for one in await store.listed(Selection(), None, 2000)} == {State.DELIVERED}


async def test_two_that_open_an_empty_folder_at_once_share_one_store(place: SqlitePlace) -> None:
    with other_process("claim", place.folder) as one, other_process("claim", place.folder, "2") as two:
        # Only one of them gets the lease; the other ends with an assertion, but both have opened.
        lines = await asyncio.gather(asyncio.to_thread(said, one), asyncio.to_thread(said, two))
        assert sorted(len(line) > 0 for line in lines) == [False, True]


async def test_a_lock_held_by_another_process_delays_mail_and_loses_none(place: SqlitePlace) -> None:
    store = place.open("receive")
    letters = Letters(place, store)
    with other_process("lock", place.folder) as process:
        assert said(process) == "locked"
        waiting = [asyncio.ensure_future(store.accept(letters.arrival("one@example.net"))) for _ in range(5)]
        done, _ = await asyncio.wait(waiting, timeout=0.5)
        assert len(done) == 0
        assert await store.listed(Selection(), None, 10) == []
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        await asyncio.gather(*waiting)
    assert len(await store.listed(Selection(), None, 10)) == 5


async def test_a_lock_held_too_long_is_a_temporary_refusal(place: SqlitePlace) -> None:
    store = place.open("receive", busy_seconds=0.2)
    letters = Letters(place, store)
    with other_process("lock", place.folder) as process:
        assert said(process) == "locked"
        with pytest.raises(StoreUnavailable):
            await store.accept(letters.arrival("one@example.net"))
    await store.accept(letters.arrival("two@example.net"))
    assert [one.recipient for one in await store.listed(Selection(), None, 10)] == ["two@example.net"]
    assert place.failures == []
