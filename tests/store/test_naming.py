"""A newsletter is renamed completely, even if the process is killed in the middle.

Nothing is made of a half-renamed newsletter.
"""

from collections.abc import Iterator

import apsw
import pytest

from secondpost.mail.address import Mailbox
from secondpost.mail.article_states import ArticleState
from secondpost.mail.issue import ArticleId, DigestDraft, Issue
from secondpost.mail.subscriber import Consent, SubscriberId, SubscriberState
from secondpost.mail.subscriber_states import Reason
from secondpost.store.feed_ports import Feed
from secondpost.store.naming_ports import RENAMED_ROWS_MAX, FormerName, KnownNewsletter, RenameRefused
from secondpost.store.newsletter_ports import (
    CalendarSince,
    FetchRecord,
    IssueRefused,
    SlotOutcome,
    SlotRecord,
)
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.ports import Lease
from secondpost.store.subscriber_ports import Imported, SignedUp
from tests.store.left_rows import Table
from tests.store.place import Place, SqlitePlace, database_of
from tests.store.readers import FEED, WEEKLY, Publisher, new

DAILY = "daily"
OF_A_NEWSLETTER = (
    *("subscriber", "reader_tally", "suppression", "sign_up_outcome", "feed", "distrusted_guid"),
    *("article", "issue", "slot", "note", "calendar", "next_order", "approval"),
)
Rows = dict[str, list[str]]


async def led(store: NewsletterStore) -> Lease:
    leader = await store.lead("publish")
    assert leader is not None
    return leader


FEW = 2  # rows per batch, so that a few rows are many batches


async def moved(store: NewsletterStore, old: str, leader: Lease, rows_max: int = RENAMED_ROWS_MAX) -> None:
    while await store.rename_batch(old, leader, rows_max) > 0:
        pass


async def furnished(place: Place, store: NewsletterStore) -> Issue:
    """A newsletter with rows in every table."""
    publisher = Publisher(place, store)
    ids = await publisher.readers(*(f"r{n}@example.net" for n in range(7)))
    await store.leave(ids[0], 1, "page")
    await store.suspend(ids[1], 1, "bounces")
    await store.complain(ids[2], 1, "report")
    await store.erase(ids[3], 1)
    assert await publisher.sign_up("pending@example.net") is SignedUp.CONFIRM
    await store.suppress(WEEKLY, [Mailbox.parse("never@example.net")], Reason.OWNER, 1, "")
    await store.set_note(WEEKLY, "A foreword.")
    issue = await publisher.sent()
    await store.stop(issue.id, place.clock.ms, "")
    await publisher.waiting(5)
    await store.record_fetch(
        FetchRecord(
            Feed(WEEKLY, FEED, title="The Blog", distrusted_guids=frozenset({"a", "b", "c"})),
            place.clock.ms,
            new=tuple(new(100 + n, ArticleState.SEEN) for n in range(4)),
        )
    )
    await store.record_slot(SlotRecord(WEEKLY, "2029-W01", SlotOutcome.SKIPPED, 5, "too few"))
    await store.set_note(WEEKLY, "Another foreword.")
    await store.set_calendar(CalendarSince(WEEKLY, "friday 09:00", "UTC", 7))
    waiting = [entry.id for entry in await store.entries(WEEKLY, ArticleState.WAITING, 2)]
    await store.set_next_order(WEEKLY, waiting)
    await store.ask_approval(DigestDraft(WEEKLY, "2029-W02", tuple(waiting), 2), None, 5)
    assert publisher.leader is not None
    await store.give_back(publisher.leader)
    place.clock.ms += 1_000  # ids of another worker must differ
    return issue


async def rows_of(place: Place, name: str) -> Rows:
    """All rows with the name, without the name itself."""
    tables = (await place.rows())["newsletter.db"]
    return {table: sorted(_of_newsletter(table, tables[table], name)) for table in OF_A_NEWSLETTER}


def _of_newsletter(name: str, table: Table, newsletter: str) -> Iterator[str]:
    of, readers = table.columns.index("newsletter"), 2
    for row in table.rows:
        if row[of] == newsletter and (name != "reader_tally" or row[readers] != 0):  # a state without readers
            yield repr([value for value in row if value != newsletter])


def test_no_table_that_names_newsletters_is_forgotten(place: SqlitePlace) -> None:
    db = database_of(place.open_newsletter())
    columns = "SELECT m.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c"
    found = db.execute(f"{columns} WHERE m.type = 'table' AND c.name = 'newsletter'").fetchall()
    assert {str(name) for (name,) in found} == set(OF_A_NEWSLETTER)


async def test_all_of_it_moves_and_the_old_name_leads_there(place: Place) -> None:
    store = place.open_newsletter()
    issue = await furnished(place, store)
    before = await rows_of(place, WEEKLY)
    assert all(len(rows) > 0 for rows in before.values())
    assert await store.left_behind([DAILY]) == [KnownNewsletter(WEEKLY, 1, 7, 1)]
    leader = await led(store)
    await store.begin_rename(WEEKLY, DAILY, place.clock.ms, leader)
    assert await store.former_names() == [FormerName(WEEKLY, DAILY, is_done=False)]
    await moved(store, WEEKLY, leader)
    assert (await rows_of(place, DAILY)) == before
    assert all(len(rows) == 0 for rows in (await rows_of(place, WEEKLY)).values())
    assert await store.former_names() == [FormerName(WEEKLY, DAILY, is_done=True)]
    assert (await store.now_named(WEEKLY), await store.now_named("other")) == (DAILY, None)
    assert await store.left_behind([DAILY]) == []
    found = await store.issue_by_number(DAILY, issue.number)
    assert found is not None
    assert found.id == issue.id
    await store.give_back(leader)
    publisher = Publisher(place, store, DAILY)
    publisher._articles, publisher._slots = 50, 50
    assert (await publisher.sent()).planned == 3


async def test_what_was_killed_in_the_middle_goes_on_from_wherever_it_was(place: Place) -> None:
    store = place.open_newsletter()
    await furnished(place, store)
    before = await rows_of(place, WEEKLY)
    batches, is_done = 0, False
    while not is_done:
        # Each process does one batch; the next one continues.
        leader = await led(store)
        await store.begin_rename(WEEKLY, DAILY, place.clock.ms, leader)
        is_done = await store.rename_batch(WEEKLY, leader, FEW) == 0
        batches += 1
        assert await place.contradictions() == []
        await store.give_back(leader)
        store.close()
        store = place.open_newsletter()
    assert batches > 15
    assert (await rows_of(place, DAILY)) == before
    assert all(len(rows) == 0 for rows in (await rows_of(place, WEEKLY)).values())


async def test_nothing_is_made_of_what_is_half_there(place: Place) -> None:
    store = place.open_newsletter()
    await furnished(place, store)
    publisher = Publisher(place, store, DAILY)
    leader = await led(store)
    await store.begin_rename(WEEKLY, DAILY, place.clock.ms, leader)
    for _ in range(9):
        assert await store.rename_batch(WEEKLY, leader, FEW) > 0
    for name in (WEEKLY, DAILY):
        draft = DigestDraft(name, "slot", (ArticleId(1),), 1)
        with pytest.raises(IssueRefused, match="is being renamed"):
            await store.create_digest(draft, publisher.id(), place.clock.ms)
        there = await rows_of(place, name)
        await store.record_fetch(FetchRecord(Feed(name, FEED), place.clock.ms, new=(new(900),)))
        await store.record_slot(SlotRecord(name, "2029-W09", SlotOutcome.MISSED, 5, ""))
        assert (await rows_of(place, name)) == there
    await moved(store, WEEKLY, leader, FEW)
    await store.record_fetch(FetchRecord(Feed(DAILY, FEED), place.clock.ms, new=(new(900),)))
    assert len(await store.entries_by_guid(DAILY, FEED, ["guid-900"])) == 1


async def test_an_open_issue_is_frozen_only_when_all_readers_are_there(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net", "b@example.net", "c@example.net")
    issue = await publisher.digest()
    leader = publisher.leader = await led(store)
    await store.begin_rename(WEEKLY, DAILY, place.clock.ms, leader)
    await store.rename_batch(WEEKLY, leader, FEW)
    with pytest.raises(IssueRefused, match="is being renamed"):
        await publisher.freeze(issue.id)
    await moved(store, WEEKLY, leader, FEW)
    frozen = await publisher.freeze(issue.id)
    assert (frozen.newsletter, frozen.planned) == (DAILY, 3)


async def test_it_is_refused_where_two_newsletters_would_become_one(place: Place) -> None:
    store = place.open_newsletter()
    await furnished(place, store)
    other = Publisher(place, store, DAILY)
    place.clock.ms += 1_000
    await other.readers("other@example.net")
    leader = await led(store)
    with pytest.raises(RenameRefused, match="has readers or issues of its own"):
        await store.begin_rename(WEEKLY, DAILY, place.clock.ms, leader)
    await store.give_back(leader)
    under_way = Publisher(place, store, "monthly")
    await under_way.readers("m@example.net")
    issue = await under_way.digest()
    await under_way.freeze(issue.id)
    assert under_way.leader is not None
    with pytest.raises(RenameRefused, match="issue 1 of monthly is frozen"):
        await store.begin_rename("monthly", "yearly", place.clock.ms, under_way.leader)
    assert await store.former_names() == []


async def test_what_the_new_name_learned_of_the_feeds_meanwhile_goes(place: Place) -> None:
    """It was in the file before: articles of the first fetch would never be mailed."""
    store = place.open_newsletter()
    await furnished(place, store)
    before = await rows_of(place, WEEKLY)
    seen = tuple(new(n, ArticleState.SEEN) for n in (100, 101, 500))
    feed = Feed(DAILY, FEED, baseline_done=True, distrusted_guids=frozenset({"z"}))
    await store.record_fetch(FetchRecord(feed, place.clock.ms, new=seen))
    await store.record_slot(SlotRecord(DAILY, "2029-W01", SlotOutcome.MISSED, 5, "it began after it"))
    await store.set_note(DAILY, "of the new name")
    twice = Publisher(place, store, DAILY)
    assert await twice.sign_up("r4@example.net", "198.51.100.0/24") is SignedUp.CONFIRM
    assert await twice.sign_up("fresh@example.net", "198.51.100.0/24") is SignedUp.CONFIRM
    leader = await led(store)
    await store.begin_rename(WEEKLY, DAILY, place.clock.ms, leader)
    await moved(store, WEEKLY, leader, FEW)
    after = await rows_of(place, DAILY)
    for table in ("feed", "distrusted_guid", "article", "issue", "slot", "note", "suppression"):
        assert after[table] == before[table], table
    assert len(after["subscriber"]) == len(before["subscriber"]) + 1
    assert await state(store, "r4@example.net") is SubscriberState.ACTIVE
    assert await state(store, "fresh@example.net") is SubscriberState.PENDING


async def state(store: NewsletterStore, address: str) -> SubscriberState:
    found = await store.find(DAILY, Mailbox.parse(address))
    assert found is not None
    return found.state


async def test_who_signed_up_under_the_old_name_since_comes_along(place: Place) -> None:
    """The service continued with the old configuration."""
    store = place.open_newsletter()
    await furnished(place, store)
    [kept] = [await store.find(WEEKLY, Mailbox.parse("r0@example.net"))]
    leader = await led(store)
    await store.begin_rename(WEEKLY, DAILY, place.clock.ms, leader)
    await moved(store, WEEKLY, leader)
    strays = Publisher(place, store)
    await strays.readers("r0@example.net", "r2@example.net", "stray@example.net")
    await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), place.clock.ms, new=(new(100),)))
    await store.begin_rename(WEEKLY, DAILY, place.clock.ms, leader)
    await moved(store, WEEKLY, leader)
    assert await state(store, "stray@example.net") is SubscriberState.ACTIVE
    assert await state(store, "r0@example.net") is SubscriberState.ACTIVE, "had left, and agreed anew"
    assert await state(store, "r2@example.net") is SubscriberState.COMPLAINED
    back = await store.find(DAILY, Mailbox.parse("r0@example.net"))
    assert back is not None
    assert kept is not None
    assert (back.id, back.consent is None) == (kept.id, False), "the links in old mails are theirs"
    assert await store.left_behind([DAILY]) == []
    assert await place.contradictions() == []


async def test_no_list_under_the_old_name_brings_back_who_had_left(place: Place) -> None:
    store = place.open_newsletter()
    await furnished(place, store)
    leader = await led(store)
    await store.begin_rename(WEEKLY, DAILY, place.clock.ms, leader)
    await moved(store, WEEKLY, leader)
    for how in ("import", "owner"):
        listed = [Imported(Mailbox.parse("r0@example.net"), state=SubscriberState.ACTIVE)]
        consent = Consent("at the fair", how, "", place.clock.ms)
        await store.import_batch(WEEKLY, listed, SubscriberState.ACTIVE, consent, place.clock.ms)
        await store.begin_rename(WEEKLY, DAILY, place.clock.ms, leader)
        await moved(store, WEEKLY, leader)
        assert await state(store, "r0@example.net") is SubscriberState.LEFT


async def test_old_names_lead_on_and_a_name_that_is_used_again_leads_nowhere(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    [id] = await publisher.readers("a@example.net")
    leader = await led(store)
    for old, new_name in ((WEEKLY, DAILY), (DAILY, "hourly"), ("hourly", WEEKLY)):
        await store.begin_rename(old, new_name, place.clock.ms, leader)
        await moved(store, old, leader)
        assert await reader(store, id) == new_name
    assert [await store.now_named(name) for name in (WEEKLY, DAILY, "hourly")] == [None, WEEKLY, WEEKLY]


async def reader(store: NewsletterStore, id: SubscriberId) -> str:
    found = await store.subscriber(id)
    assert found is not None
    return found.newsletter


async def test_one_that_is_given_up_is_not_missed(place: Place) -> None:
    store = place.open_newsletter()
    await furnished(place, store)
    assert await store.retire(WEEKLY, 5)
    assert not await store.retire(WEEKLY, 6)
    assert await store.left_behind([]) == []
    assert await store.known_newsletters() == [WEEKLY]
    leader = await led(store)
    await store.begin_rename(WEEKLY, DAILY, place.clock.ms, leader)
    assert [one.name for one in await store.left_behind([])] == [WEEKLY]


async def test_a_batch_changes_a_bounded_number_of_rows(place: SqlitePlace) -> None:
    store = place.open_newsletter()
    await Publisher(place, store).many(1_000)
    leader = await led(store)
    changes: list[int] = []
    db, before = database_of(store), 0

    def trace(cursor: apsw.Cursor, statement: str, bindings: object) -> bool:
        nonlocal before
        if statement.startswith("BEGIN"):
            before = db.total_changes()
        if statement == "COMMIT":
            changes.append(db.total_changes() - before)
        return True

    await store.begin_rename(WEEKLY, DAILY, place.clock.ms, leader)
    db.set_exec_trace(trace)
    await moved(store, WEEKLY, leader)
    per_row = 3  # the row and two counts
    assert len(changes) > 1_000 // RENAMED_ROWS_MAX
    assert max(changes) <= RENAMED_ROWS_MAX * per_row + 1  # plus clearing the ledger
