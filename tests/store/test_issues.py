"""An issue is never empty, never two for one slot, and done only if it adds up."""

import apsw
import pytest

from secondpost.mail.address import Domain
from secondpost.mail.article_states import ArticleState
from secondpost.mail.delivery import State
from secondpost.mail.duration import DAY_MS, MINUTE_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import DigestDraft, EmptyIssue, IssueState, LetterDraft, Reckoning
from secondpost.store.newsletter_ports import (
    CalendarSince,
    IssueRefused,
    SlotOutcome,
    SlotRecord,
)
from secondpost.store.verbs.engine import BATCH_ROWS
from tests.store.place import Place, SqlitePlace, database_of, there
from tests.store.readers import CONTENT, WEEKLY, Publisher, leased_issues, marked, outcome


async def test_a_digest_takes_its_articles_and_its_slot_and_the_note(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await store.set_note(WEEKLY, "Dear readers")
    one, two, three = await publisher.waiting(3)
    issue = await store.create_digest(DigestDraft(WEEKLY, "2026-W47", (two, one), 2), publisher.id(), 7)
    assert (issue.number, issue.state, issue.body, issue.article_count) == (
        1,
        IssueState.OPEN,
        "Dear readers",
        2,
    )
    assert [entry.id for entry in await store.entries_of_issue(issue.id)] == [two, one]
    assert [entry.id for entry in await store.entries(WEEKLY, ArticleState.WAITING, 10)] == [three]
    assert await store.note(WEEKLY) == ""
    assert await store.slot(WEEKLY, "2026-W47") == SlotRecord(
        WEEKLY, "2026-W47", SlotOutcome.ISSUED, 7, "", issue.id
    )
    assert await store.issues_under_way() == [issue]


async def test_an_article_is_never_in_two_issues(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    one, two, three = await publisher.waiting(3)
    await store.create_digest(DigestDraft(WEEKLY, "first", (one, two), 2), publisher.id(), 1)
    with pytest.raises(IssueRefused, match="no longer waiting"):
        await store.create_digest(DigestDraft(WEEKLY, "second", (two, three), 2), publisher.id(), 2)
    assert await store.slot(WEEKLY, "second") is None
    assert len(await store.issues(WEEKLY, None, 10)) == 1


async def test_a_slot_brings_one_issue_and_has_one_outcome(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    first = SlotRecord(WEEKLY, "2026-W47", SlotOutcome.SKIPPED, 1, "1 of 2 articles")
    assert await store.record_slot(first) == first
    assert await store.record_slot(SlotRecord(WEEKLY, "2026-W47", SlotOutcome.MISSED, 2, "late")) == first
    assert await store.last_slot(WEEKLY) == first
    with pytest.raises(IssueRefused, match="has been decided"):
        await store.create_digest(
            DigestDraft(WEEKLY, "2026-W47", await publisher.waiting(2), 2), publisher.id(), 3
        )


async def test_the_calendar_is_what_was_written_down_last(place: Place) -> None:
    store = place.open_newsletter()
    assert await store.calendar(WEEKLY) is None
    for kept in (
        CalendarSince(WEEKLY, "friday 09:00", "Europe/Oslo", 7),
        CalendarSince(WEEKLY, "when ready", "UTC", 9),
    ):
        await store.set_calendar(kept)
        assert await store.calendar(WEEKLY) == kept
    assert await store.calendar("another") is None


async def test_an_empty_issue_has_no_value() -> None:
    for articles, minimum in ((), 2), ((1,), 2), ((), 0), ((), -1):
        with pytest.raises(EmptyIssue):
            DigestDraft(WEEKLY, "slot", articles, minimum)  # type: ignore[arg-type]
    for body in ("", " \n\t "):
        with pytest.raises(EmptyIssue):
            LetterDraft(WEEKLY, "slot", "Hello", body)


@pytest.mark.parametrize(
    ("kind", "body", "articles", "minimum"),
    [
        ("digest", "", 0, 0),
        ("digest", "", 0, 2),
        ("digest", "", 1, 2),
        ("digest", "words", 1, 0),
        ("letter", "", 0, 0),
        ("letter", " \n", 0, 0),
    ],
)
async def test_an_empty_issue_cannot_be_written_even_past_the_constructor(
    place: SqlitePlace, kind: str, body: str, articles: int, minimum: int
) -> None:
    db = database_of(place.open_newsletter())
    with pytest.raises(apsw.ConstraintError):
        db.execute(
            "INSERT INTO issue (newsletter, number, kind, state, slot, message, body, article_count, minimum,"
            " created_ms) VALUES ('weekly', 1, ?, 'open', 's', 1, ?, ?, ?, 1)",
            (kind, body, articles, minimum),
        )


async def test_a_digest_whose_articles_are_gone_is_not_frozen(place: SqlitePlace) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    issue = await publisher.digest()
    lost = "UPDATE article SET state = 'waiting', issue = NULL, place = NULL WHERE id = 1"
    database_of(store).execute(lost)
    with pytest.raises(apsw.ConstraintError, match="does not have its articles"):
        await publisher.freeze(issue.id)


async def test_a_letter_goes_the_same_way(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net")
    letter = await store.create_letter(LetterDraft(WEEKLY, "letter-1", "Hi", "Words"), publisher.id(), 1)
    with pytest.raises(IssueRefused, match="no content"):
        await publisher.freeze(letter.id)
    with pytest.raises(ValueError, match="has content"):
        await store.write_content(letter.id, "Hi", b"")
    await store.write_content(letter.id, "Hi", b"first")
    await store.write_content(letter.id, "Hi again", b"second")
    frozen = await publisher.freeze(letter.id)
    assert (frozen.subject, await store.issue_content(letter.id)) == ("Hi again", b"second")


async def test_an_issue_is_done_when_every_reader_is_accounted_for(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    readers = await publisher.readers(*(f"u{n}@example.net" for n in range(6)))
    issue = await publisher.sent()
    await store.leave(readers[5], place.clock.ms, "one-click")
    lease = await leased_issues(store)
    claimed = await store.claim(lease, place.clock.ms, 10)
    assert len(claimed) == 5
    assert not await store.finish(issue.id, place.clock.ms)
    await marked(store, lease, claimed)
    states = (State.DELIVERED, State.DELIVERED, State.FAILED, State.EXPIRED, State.UNKNOWN)
    await store.settle(
        lease,
        [outcome(one, state, place.clock.ms) for one, state in zip(claimed, states, strict=True)],
    )
    expected = Reckoning(6, delivered=2, suppressed=1, failed=1, expired=1, unknown=1)
    assert await store.reckoning(issue.id) == expected
    assert expected.adds_up
    assert await store.finish(issue.id, place.clock.ms)
    assert not await store.finish(issue.id, place.clock.ms)
    done = await store.issue_by_number(WEEKLY, 1)
    assert done is not None
    assert (done.state, done.finished_ms) == (IssueState.DONE, place.clock.ms)
    assert await store.issue_content(issue.id) == CONTENT
    assert await store.issues_under_way() == []


async def test_a_stop_before_the_first_delivery_gives_the_articles_back(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers(*(f"u{n}@example.net" for n in range(5)))
    issue = await publisher.digest()
    await publisher.freeze(issue.id)
    stopped = await store.stop(issue.id, place.clock.ms, "a mistake in the title")
    assert stopped.state is IssueState.STOPPED
    assert len(await store.entries(WEEKLY, ArticleState.WAITING, 10)) == 2
    assert await store.reckoning(issue.id) == Reckoning(5, stopped=5)
    assert (await store.reckoning(issue.id)).adds_up
    assert (await store.stop(issue.id, place.clock.ms, "again")).state is IssueState.STOPPED
    with pytest.raises(IssueRefused):
        await store.retry_unknown(issue.id, None, place.clock.ms)
    again = await publisher.digest()
    assert again.number == 2


async def test_a_later_stop_ends_the_rest(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers(*(f"u{n}@example.net" for n in range(6)))
    issue = await publisher.sent()
    lease = await leased_issues(store)
    first, second, third, fourth = await store.claim(lease, place.clock.ms, 4)
    assert len(await marked(store, lease, [first, second])) == 2
    await store.settle(lease, [outcome(first, State.DELIVERED, place.clock.ms)])
    await store.stop(issue.id, place.clock.ms, "enough")
    assert await store.entries(WEEKLY, ArticleState.WAITING, 10) == []
    assert await store.reckoning(issue.id) == Reckoning(6, delivered=1, stopped=2, under_way=3)
    assert await store.commit_marks(lease, [third.id]) == frozenset()
    await store.settle(lease, [outcome(second, State.DELIVERED, place.clock.ms)])
    await store.settle(lease, [outcome(fourth, State.WAITING, place.clock.ms, due_ms=1)])
    assert await store.claim(lease, place.clock.ms, 10) == []
    assert await store.reckoning(issue.id) == Reckoning(6, delivered=2, stopped=4)
    assert await store.next_due_ms([fourth.lane]) is None


async def test_a_held_issue_sends_nothing_more_and_each_reader_gets_it_once_when_it_goes_on(
    place: Place,
) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers(*(f"u{n}@example.net" for n in range(6)))
    issue = await publisher.sent()
    lease = await leased_issues(store)
    first, second, third, fourth = await store.claim(lease, place.clock.ms, 4)
    assert len(await marked(store, lease, [first, second])) == 2
    held = await store.hold(issue.id, "a wrong link")
    assert (held.state, held.reason) == (IssueState.HELD, "a wrong link")
    # The dots of two were on their way, and end by their outcomes; the others wait with the issue.
    await store.settle(lease, [outcome(first, State.DELIVERED, place.clock.ms)])
    assert await store.commit_marks(lease, [third.id]) == frozenset()
    await store.settle(lease, [outcome(fourth, State.WAITING, place.clock.ms, due_ms=1)])
    await store.settle(lease, [outcome(second, State.DELIVERED, place.clock.ms)])
    assert await store.claim(lease, place.clock.ms, 10) == []
    assert await store.next_due_ms([fourth.lane]) is None
    assert await store.send_batch(issue.id, place.clock.ms, 10) == 0
    assert await store.reckoning(issue.id) == Reckoning(6, delivered=2, under_way=4)
    assert not await store.finish(issue.id, place.clock.ms)
    assert await store.release_batch(issue.id, place.clock.ms, 10) == 0
    assert (await store.resume(issue.id, place.clock.ms)).state is IssueState.SENDING
    assert await store.release_batch(issue.id, place.clock.ms, 10) == 4
    rest = await store.claim(lease, place.clock.ms, 10)
    assert {one.id for one in rest}.isdisjoint({first.id, second.id})
    assert len(await marked(store, lease, rest)) == 4
    await store.settle(lease, [outcome(one, State.DELIVERED, place.clock.ms) for one in rest])
    assert await store.reckoning(issue.id) == Reckoning(6, delivered=6)
    assert await store.finish(issue.id, place.clock.ms)


async def test_an_issue_held_before_its_time_waits_for_it_when_it_goes_on(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net")
    issue = await publisher.freeze((await publisher.digest()).id, start_ms=place.clock.ms + 1_000)
    assert (await store.hold(issue.id, "wait")).state is IssueState.HELD
    assert not await store.start(issue.id, place.clock.ms + 2_000)
    assert (await store.resume(issue.id, place.clock.ms)).state is IssueState.FROZEN
    await store.hold(issue.id, "wait")
    stopped = await store.stop(issue.id, place.clock.ms, "no")
    assert (stopped.state, stopped.reason) == (IssueState.STOPPED, "no")
    assert await store.reckoning(issue.id) == Reckoning(1, stopped=1)


async def test_what_is_unknown_is_tried_again_only_once_and_only_when_the_owner_says_so(
    place: Place,
) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net", "b@example.net")
    issue = await publisher.sent()
    lease = await leased_issues(store)
    claimed = await store.claim(lease, place.clock.ms, 10)
    await marked(store, lease, claimed)
    await store.settle(lease, [outcome(one, State.UNKNOWN, place.clock.ms) for one in claimed])
    assert await store.finish(issue.id, place.clock.ms)
    assert await store.next_due_ms([claimed[0].lane]) is None
    subscriber = claimed[0].subscriber
    assert await store.retry_unknown(issue.id, subscriber, place.clock.ms) == 1
    assert there(await store.issue(issue.id)).state is IssueState.SENDING
    [again] = await store.claim(lease, place.clock.ms, 10)
    assert again.id == claimed[0].id
    await marked(store, lease, [again])
    await store.settle(lease, [outcome(again, State.UNKNOWN, place.clock.ms)])
    assert await store.retry_unknown(issue.id, subscriber, place.clock.ms) == 0
    assert await store.retry_unknown(issue.id, None, place.clock.ms) == 1
    rows = await store.deliveries(issue.id, (State.UNKNOWN,), None, 10)
    assert [(row.subscriber, row.was_retried) for row in rows] == [(subscriber, True)]


async def test_nothing_is_tried_again_beside_a_newer_issue(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net")
    issue = await publisher.sent()
    lease = await leased_issues(store)
    claimed = await store.claim(lease, place.clock.ms, 10)
    await marked(store, lease, claimed)
    await store.settle(lease, [outcome(one, State.UNKNOWN, place.clock.ms) for one in claimed])
    await store.finish(issue.id, place.clock.ms)
    await publisher.sent()
    with pytest.raises(IssueRefused, match="another issue"):
        await store.retry_unknown(issue.id, None, place.clock.ms)


async def test_issues_are_listed_newest_first(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    for _ in range(3):
        await publisher.digest()
    page = await store.issues(WEEKLY, None, 2)
    assert [issue.number for issue in page] == [3, 2]
    assert [issue.number for issue in await store.issues(WEEKLY, 2, 2)] == [1]
    assert await store.issue_by_number("daily", 1) is None


async def test_the_rows_of_an_old_issue_go_and_its_counts_stay(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.many(BATCH_ROWS + 40)
    old = await publisher.sent()
    lease = await leased_issues(store)
    while len(claimed := await store.claim(lease, place.clock.ms, 100)) > 0:
        await marked(store, lease, claimed)
        readers = [one.subscriber for one in claimed if one.subscriber is not None]
        states = [State.UNKNOWN if reader % 50 == 0 else State.DELIVERED for reader in readers]
        await store.settle(
            lease, [outcome(one, state, place.clock.ms) for one, state in zip(claimed, states, strict=True)]
        )
    before = await store.reckoning(old.id)
    assert before.unknown > 0
    assert await store.forget_rows(place.clock.ms + 1) == 0, "it is still sending"
    assert await store.finish(old.id, place.clock.ms)
    assert await store.forget_rows(place.clock.ms) == 0, "it is not old yet"
    place.clock.ms += 1
    assert [await store.forget_rows(place.clock.ms) for _ in range(3)] == [BATCH_ROWS, 40, 0]
    assert await store.deliveries(old.id, (), None, 10) == []
    assert await store.events(old.message) == []
    assert await store.reckoning(old.id) == before
    assert await store.issue_content(old.id) == CONTENT
    assert len(await store.entries_of_issue(old.id)) == 2
    assert await store.counts() == [], "nothing unknown is counted any more"
    assert await store.retry_unknown(old.id, None, place.clock.ms) == 0
    new = await publisher.sent()
    assert await store.forget_rows(place.clock.ms + 1) == 0
    assert (await store.reckoning(new.id)).under_way == BATCH_ROWS + 40


async def test_the_rows_of_a_stopped_issue_stay_as_long_as_one_is_under_way(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net", "b@example.net")
    issue = await publisher.sent()
    lease = await leased_issues(store)
    claimed = await store.claim(lease, place.clock.ms, 1)
    await marked(store, lease, claimed)
    await store.stop(issue.id, place.clock.ms, "test")
    place.clock.ms += 1
    assert await store.forget_rows(place.clock.ms) == 0
    await store.settle(lease, [outcome(claimed[0], State.DELIVERED, place.clock.ms)])
    assert await store.forget_rows(place.clock.ms) == 2
    assert await store.reckoning(issue.id) == Reckoning(2, delivered=1, stopped=1)
    assert (await store.reckoning(issue.id)).adds_up


async def test_those_who_confirmed_last_get_an_issue_first(place: Place) -> None:
    """Within each domain; an issue that takes days begins with those who know best why they get it."""
    store = place.open_newsletter()
    publisher, day_of_first = Publisher(place, store), place.clock.ms
    for days in (400, 2, 9000, 30):  # before the issue; one longer ago than the order distinguishes
        place.clock.ms = day_of_first + (9000 - days) * DAY_MS
        await publisher.readers(f"confirmed{days}@example.net")
    place.clock.ms = day_of_first + 9000 * DAY_MS
    issue = await publisher.sent()
    await store.hint_site(Lane.ISSUES, Domain("example.net"), "mx.example.net")
    lease = await store.lease(Lane.ISSUES, "mx.example.net")
    assert lease is not None
    going = [row for _ in range(4) for row in await store.claim(lease, place.clock.ms, 1)]
    assert [row.recipient.local for row in going] == [f"confirmed{days}" for days in (2, 30, 400, 9000)]
    assert all(place.clock.ms - MINUTE_MS <= row.arrived_ms <= place.clock.ms for row in going)
    assert (await store.reckoning(issue.id)).under_way == 4
