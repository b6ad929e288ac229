"""A copy of a store sends nothing of what it held, until its owner accepts it."""

import asyncio
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from secondpost.mail.article_states import ArticleState
from secondpost.mail.content import InFile, InTable
from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import IssueState
from secondpost.mail.witness import WitnessFile
from secondpost.store.copy_ports import CopyVerdict, HeldByCopy
from secondpost.store.owner_ports import Selection
from secondpost.store.sqlite.leaving import CONTENT_HOLD
from secondpost.store.sqlite.store import SqliteStore
from secondpost.store.sqlite.witness_file import read_witness
from secondpost.store.verbs.engine import Engine, Verbs
from secondpost.store.verbs.witness import judged
from secondpost.world.ports import Held
from tests.store.letters import UNSORTED, Letters, leased, settled
from tests.store.place import Place, SqlitePlace, database_of, there
from tests.store.readers import WEEKLY, Publisher

RELAY = Lane.RELAY
LOOK_SECONDS = 0.2  # the second of two sweeps would have ended by then


async def becomes_a_copy(place: Place, store: object) -> None:
    """Open it as on another machine."""
    assert isinstance(store, Verbs)
    engine: Engine = store._engine
    elsewhere = partial(judged, WitnessFile(5, "elsewhere"), "here", place.clock.ms, is_new=False)
    await engine.change(elsewhere)


async def all_set_aside(store: object) -> None:
    assert hasattr(store, "set_aside_copied")
    while await store.set_aside_copied() > 0:
        pass


async def states(place: Place) -> list[State]:
    return [row.state for row in await place.open_desk().listed(Selection(), None, 100)]


async def test_what_a_copy_held_cannot_be_claimed_and_what_comes_later_can(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    await letters.send("old@example.net", "older@example.net")
    await becomes_a_copy(place, store)
    await letters.send("new@example.net")
    await all_set_aside(store)
    claimed = await store.claim(await leased(store), place.clock.ms, 10)
    assert [str(one.recipient) for one in claimed] == ["new@example.net"]
    assert await store.in_doubt() == [HeldByCopy(RELAY, False, 2)]


async def test_only_what_waited_when_the_copy_was_opened_is_set_aside_and_only_once(place: Place) -> None:
    store = place.open()
    await Letters(place, store).send("old@example.net")
    await becomes_a_copy(place, store)
    await all_set_aside(store)
    while await store.settle_doubted(CopyVerdict.ON) > 0:
        pass
    await all_set_aside(store)
    assert await states(place) == [State.WAITING]


async def test_accepted_mail_goes_out_in_its_old_order_as_a_possible_duplicate(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    sent = [await letters.send(f"u{n}@example.net") for n in range(3)]
    await becomes_a_copy(place, store)
    await all_set_aside(store)
    place.clock.ms += 1000
    later = await letters.send("later@example.net")
    assert await store.settle_doubted(CopyVerdict.AGAIN) == 3
    await store.end_copy_hold()
    claimed = await store.claim(await leased(store), place.clock.ms, 10)
    assert [one.id.queue_id for one in claimed] == [each.queue_id for each in (*sent, later)]
    assert [one.maybe_duplicate for one in claimed] == [True, True, True, False]
    assert await store.copy_hold() is None


async def test_mail_that_the_original_delivered_ends_and_the_rest_goes_on(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    gone, left = await letters.send("a@example.net"), await letters.send("b@example.net")
    await becomes_a_copy(place, store)
    await all_set_aside(store)
    named = [DeliveryId(gone.queue_id, 1), DeliveryId(gone.queue_id, 2)]
    assert await store.settle_named(named, CopyVerdict.DELIVERED) == 1
    assert await store.settle_doubted(CopyVerdict.ON) == 1
    found = {row.id.queue_id: row for row in await store.listed(Selection(), None, 10)}
    assert (found[gone.queue_id].state, found[left.queue_id].state) == (State.DELIVERED, State.WAITING)
    assert not found[left.queue_id].maybe_duplicate


async def test_mail_in_doubt_may_be_dropped_with_its_content(place: Place) -> None:
    store = place.open()
    sent = await Letters(place, store).send("a@example.net", content=InTable(b"Subject: x\r\n\r\ny\r\n"))
    await becomes_a_copy(place, store)
    await all_set_aside(store)
    assert await store.settle_doubted(CopyVerdict.DROPPED) == 1
    assert not there(await store.message(sent.queue_id)).has_content


async def test_the_owners_verbs_leave_what_a_copy_holds(place: Place) -> None:
    store = place.open()
    await Letters(place, store).send("a@example.net")
    await becomes_a_copy(place, store)
    await all_set_aside(store)
    moved = await store.move(Selection(), (State.HELD,), State.WAITING, place.clock.ms, "released", "")
    assert moved == 0
    assert await states(place) == [State.HELD]


async def test_readers_who_may_have_the_issue_are_unknown_and_its_counts_add_up(place: Place) -> None:
    store = place.open_newsletter("deliver")
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net", "b@example.net", "c@example.net")
    issue = (await publisher.digest()).id
    await publisher.freeze(issue)
    assert await store.start(issue, place.clock.ms)
    await store.send_batch(issue, place.clock.ms, 2)
    await becomes_a_copy(place, store)
    await all_set_aside(store)
    [doubt] = await store.issues_in_doubt()
    assert (doubt.state, doubt.deliveries) == (IssueState.SENDING, 3)
    assert await store.settle_issue(doubt, CopyVerdict.UNKNOWN) == 3
    await store.end_copy_hold()
    counts = await store.reckoning(issue)
    assert (counts.planned, counts.unknown, counts.adds_up) == (3, 3, True)
    assert await store.finish(issue, place.clock.ms)


async def test_an_issue_goes_on_to_the_readers_to_whom_the_original_did_not_send_it(place: Place) -> None:
    store = place.open_newsletter("deliver")
    publisher = Publisher(place, store)
    first, *_ = await publisher.readers("a@example.net", "b@example.net", "c@example.net")
    issue = await publisher.digest()
    await publisher.freeze(issue.id)
    assert await store.start(issue.id, place.clock.ms)
    await store.send_batch(issue.id, place.clock.ms, 2)
    await becomes_a_copy(place, store)
    await all_set_aside(store)
    assert await store.settle_named([DeliveryId(issue.message, first)], CopyVerdict.DELIVERED) == 1
    [doubt] = await store.issues_in_doubt()
    assert await store.settle_issue(doubt, CopyVerdict.ON) == 1, "the third was not let go yet"
    await store.end_copy_hold()
    await store.send_batch(issue.id, place.clock.ms, 10)
    lease = there(await store.lease(Lane.ISSUES, UNSORTED))
    claimed = await store.claim(lease, place.clock.ms, 10)
    assert sorted(str(one.recipient) for one in claimed) == ["b@example.net", "c@example.net"]
    assert not any(one.maybe_duplicate for one in claimed)


async def test_no_issue_is_made_in_a_copy(place: Place) -> None:
    store = place.open_newsletter()
    await becomes_a_copy(place, store)
    assert await store.lead("publish") is None
    await store.end_copy_hold()
    assert await store.lead("publish") is not None


async def test_articles_are_skipped_that_the_original_may_have_sent(place: Place) -> None:
    store = place.open_newsletter()
    await Publisher(place, store).waiting(2)
    await becomes_a_copy(place, store)
    assert await store.articles_in_doubt() == {WEEKLY: 2}
    while await store.skip_articles(WEEKLY, "it may have been sent") > 0:
        pass
    assert await store.count(WEEKLY, ArticleState.SKIPPED) == 2


async def test_a_new_reader_of_a_copy_gets_no_number_that_the_original_may_have_given(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    [before] = await publisher.readers("a@example.net")
    await becomes_a_copy(place, store)
    [after] = await publisher.readers("b@example.net")
    assert after - before >= 1_000_000


# ---------------------------------------------------------------- the files of SQLite


def folder_of(place: SqlitePlace) -> Path:
    return Path(place.mail_disk.path(""))


async def test_a_database_is_no_copy_however_often_it_is_opened(place: SqlitePlace) -> None:
    for _ in range(3):
        store = place.open()
        await store.advance_epoch()
        assert await store.copy_hold() is None
        store.close()
    assert [path.name for path in folder_of(place).glob("mail.db-witness-*")] == ["mail.db-witness-4"]


async def test_a_folder_copied_to_another_place_is_a_copy(place: SqlitePlace, tmp_path: Path) -> None:
    store = place.open()
    await store.advance_epoch()
    await Letters(place, store).send("a@example.net")
    await place.close()
    shutil.copytree(place.folder, tmp_path / "other", dirs_exist_ok=True)
    other = SqlitePlace(str(tmp_path / "other"))
    try:
        assert there(await other.open().copy_hold()).why.startswith("it was copied")
    finally:
        await other.close()
    assert await place.open().copy_hold() is None, "the original goes on"


async def test_an_older_database_written_into_the_same_file_is_a_copy(place: SqlitePlace) -> None:
    store = place.open()
    database = folder_of(place) / "mail.db"
    await place.close()
    older = database.read_bytes()
    store = place.open()
    for _ in range(2):
        await store.advance_epoch()
    await place.close()
    database.write_bytes(older)  # the same inode
    assert there(await place.open().copy_hold()).why == "an older copy was put in its place"


async def test_a_snapshot_is_a_copy_wherever_it_is_opened(place: SqlitePlace) -> None:
    store = place.open()
    database_of(store).execute("UPDATE witness SET is_copy = 1")
    await place.close()
    assert there(await place.open().copy_hold()).why == "it was restored from a snapshot"
    await place.close()
    again = place.open()
    assert await again.copy_hold() is not None, "it stays held until it is accepted"
    await again.end_copy_hold()
    await place.close()
    assert await place.open().copy_hold() is None


async def test_a_database_without_its_witness_is_a_copy(place: SqlitePlace) -> None:
    store = place.open()
    await store.advance_epoch()
    await place.close()
    for path in folder_of(place).glob("mail.db-witness-*"):
        path.unlink()
    assert there(await place.open().copy_hold()).why == "the witness file beside it is missing"


async def test_a_crash_between_database_and_witness_is_no_copy(place: SqlitePlace) -> None:
    store = place.open()
    database_of(store).execute("UPDATE witness SET epoch = epoch + 1")
    await place.close()
    (folder_of(place) / "mail.db-witness-2").write_bytes(b"torn")
    again = place.open()
    assert await again.copy_hold() is None
    assert there(read_witness(place.mail_disk, "mail.db")).epoch == 2


async def content_of_an_ended_message_under_hold(place: SqlitePlace, store: SqliteStore) -> Held:
    """Its file would be removed but for the hold, which a snapshot has."""
    name = f"content/{store.worker}-1"
    place.mail_disk.create(name).close()
    sent = await Letters(place, store).send("a@example.net", content=InFile(name, 0))
    held = there(place.mail_disk.hold(CONTENT_HOLD))
    lease = await leased(store)
    [claimed] = await store.claim(lease, place.clock.ms, 1)
    await store.settle(lease, [settled(claimed, State.DELIVERED, place.clock.ms)])
    await store.sweep()
    assert not there(await store.message(sent.queue_id)).has_content
    assert place.mail_disk.names("content") == [name.partition("/")[2]]
    return held


async def test_no_content_file_is_removed_while_a_snapshot_holds_them(place: SqlitePlace) -> None:
    store = place.open()
    held = await content_of_an_ended_message_under_hold(place, store)
    held.release()
    await store.sweep()
    assert place.mail_disk.names("content") == []


async def test_a_sweep_waits_for_another_that_removes_the_files(
    place: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = place.open()
    held = await content_of_an_ended_message_under_hold(place, store)
    held.release()
    may_remove = asyncio.Event()
    remove = store._engine.remove_files

    async def remove_late(names: Sequence[str]) -> None:
        await may_remove.wait()
        await remove(names)

    monkeypatch.setattr(store._engine, "remove_files", remove_late)
    sweeps = [asyncio.create_task(store.sweep()) for _ in range(2)]
    ended, _ = await asyncio.wait(sweeps, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    assert ended == set()
    may_remove.set()
    await asyncio.gather(*sweeps)
    assert place.mail_disk.names("content") == []
