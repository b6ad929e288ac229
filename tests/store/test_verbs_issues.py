"""The verbs of slots, issues, freezing and sending: which queries they run."""

import pytest

from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import (
    ISSUE_EDGES,
    ArticleId,
    DigestDraft,
    IssueId,
    IssueState,
    LetterDraft,
    Reckoning,
    issue_sources_of,
)
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import SubscriberId
from secondpost.store.newsletter_ports import (
    CalendarSince,
    FrozenSome,
    IssueRefused,
    LeadershipLost,
    SlotOutcome,
    SlotRecord,
)
from secondpost.store.ports import Lease
from secondpost.store.verbs.freezing import FreezingVerbs
from secondpost.store.verbs.issues import IssuesVerbs, permitted
from secondpost.store.verbs.leading import LeadingVerbs
from secondpost.store.verbs.newsletter_store import NewsletterVerbs
from secondpost.store.verbs.sending import SendingVerbs
from secondpost.store.verbs.slots import SlotsVerbs
from secondpost.store.verbs.standing import StandingVerbs
from secondpost.store.verbs.steps import Row
from tests.store.recording import Given, RecordingEngine, names, over

ID, MESSAGE = IssueId(7), QueueId(70)
LEADER = Lease(Lane.OWN, "leader of publish", 0, 5)
LED: tuple[str, list[Row]] = ("issues.is_led", [(1,)])
CALENDAR = CalendarSince("weekly", "friday 09:00", "UTC", 3)
SKIPPED = SlotRecord("weekly", "2029-W01", SlotOutcome.SKIPPED, 9, "too few")
SKIPPED_ROW: Row = ("weekly", "2029-W01", "skipped", 9, "too few", None)


def row(state: IssueState, planned: int = 3, kind: str = "digest") -> Row:
    body, articles, minimum = ("", 2, 2) if kind == "digest" else ("Hello", 0, 0)
    start_ms = None if state in (IssueState.OPEN, IssueState.FREEZING) else 20
    named = (ID, "weekly", 4, kind, state.value, "2029-W01", MESSAGE, "News", body)
    return (*named, articles, minimum, planned, 1, start_ms, None, "")


async def test_slots_have_one_outcome_and_a_calendar() -> None:
    engine = RecordingEngine(
        [
            ("issues.set_calendar", 1),
            ("issues.calendar", [("friday 09:00", "UTC", 3)]),
            ("naming.being_renamed", []),
            ("issues.record_slot", 0),  # it had one already
            ("issues.slot", [("weekly", "2029-W01", "held", 8, "first", None)]),
            ("issues.slot", []),
            ("issues.last_slot", [SKIPPED_ROW]),
        ]
    )
    store = over(engine, SlotsVerbs)
    await store.set_calendar(CALENDAR)
    assert await store.calendar("weekly") == CALENDAR
    assert (await store.record_slot(SKIPPED)).outcome is SlotOutcome.HELD
    assert await store.slot("weekly", "2029-W02") is None
    assert await store.last_slot("weekly") == SKIPPED
    engine.finished()


async def test_no_slot_is_recorded_while_its_newsletter_is_renamed() -> None:
    engine = RecordingEngine([("naming.being_renamed", [(1,)])])
    assert await over(engine, SlotsVerbs).record_slot(SKIPPED) == SKIPPED
    engine.finished()


async def test_a_foreword_is_kept_and_an_empty_one_takes_it_back() -> None:
    engine = RecordingEngine([("issues.set_note", 1), ("issues.note", [("Hello",)]), ("issues.drop_note", 1)])
    store = over(engine, SlotsVerbs)
    await store.set_note("weekly", "Hello")
    assert await store.note("weekly") == "Hello"
    await store.set_note("weekly", " \n")
    engine.finished()


def making(taken: int) -> RecordingEngine:
    return RecordingEngine(
        [
            ("issues.note", [("Hello",)]),
            ("naming.being_renamed", []),
            ("issues.slot", []),
            ("issues.next_number", [(4,)]),
            ("issues.add_issue", [(ID,)]),
            ("issues.add_issue_message", 1),
            ("issues.record_slot", 1),
            ("issues.take_articles", taken),
            ("issues.drop_note", 1),
            ("approvals.keep_order", 0),
            ("approvals.drop_next_order", 0),
            ("issues.issue", [row(IssueState.OPEN)]),
        ]
    )


DRAFT = DigestDraft("weekly", "2029-W01", (ArticleId(31), ArticleId(30)), 2)


async def test_a_digest_takes_its_articles_in_order() -> None:
    engine = making(taken=2)
    made = await over(engine, IssuesVerbs).create_digest(DRAFT, MESSAGE, 1)
    assert (made.id, made.state) == (ID, IssueState.OPEN)
    assert engine.finished()[7].chosen == [(31, 1), (30, 2)]


async def test_a_digest_is_refused_when_an_article_has_gone() -> None:
    engine = making(taken=1)
    with pytest.raises(IssueRefused):
        await over(engine, IssuesVerbs).create_digest(DRAFT, MESSAGE, 1)
    assert names(engine.asked)[-1] == "issues.take_articles"


@pytest.mark.parametrize(
    "given",
    [
        [("issues.note", []), ("naming.being_renamed", [(1,)])],
        [("issues.note", []), ("naming.being_renamed", []), ("issues.slot", [SKIPPED_ROW])],
    ],
)
async def test_nothing_is_made_under_half_a_name_or_for_a_slot_that_is_over(
    given: list[tuple[str, list[Row]]],
) -> None:
    engine = RecordingEngine(given)
    with pytest.raises(IssueRefused):
        await over(engine, IssuesVerbs).create_digest(DRAFT, MESSAGE, 1)
    engine.finished()


async def test_a_letter_takes_no_articles() -> None:
    engine = RecordingEngine(
        [
            ("naming.being_renamed", []),
            ("issues.slot", []),
            ("issues.next_number", [(4,)]),
            ("issues.add_issue", [(ID,)]),
            ("issues.add_issue_message", 1),
            ("issues.record_slot", 1),
            ("issues.issue", [row(IssueState.OPEN, kind="letter")]),
        ]
    )
    await over(engine, IssuesVerbs).create_letter(LetterDraft("weekly", "l1", "News", "Hello"), MESSAGE, 1)
    assert engine.finished()[3].binds == ("weekly", 4, "letter", "l1", MESSAGE, "News", "Hello", 0, 0, 1)


async def test_content_is_written_while_the_issue_is_open() -> None:
    engine = RecordingEngine(
        [
            ("issues.issue", [row(IssueState.OPEN)]),
            ("issues.write_subject", 1),
            ("issues.write_content", 1),
            ("issues.write_size", 1),
        ]
    )
    await over(engine, IssuesVerbs).write_content(ID, "News", b"content")
    assert engine.finished()[3].binds == (MESSAGE, 7)
    engine = RecordingEngine([("issues.issue", [row(IssueState.SENDING)])])
    with pytest.raises(IssueRefused):
        await over(engine, IssuesVerbs).write_content(ID, "News", b"content")


async def test_issues_are_looked_at_one_by_one_and_by_page() -> None:
    found = row(IssueState.SENDING)
    engine = RecordingEngine(
        [
            ("issues.issue", [found]),
            ("issues.issue_by_number", []),
            ("issues.issue_of_message", [found]),
            ("issues.newest_issues", [found]),
            ("issues.issues_under_way", [found]),
            ("issues.issue", [found]),
            ("issues.reckoning", [("delivered", 1), ("waiting", 1), ("dropped", 1)]),
            ("issues.active_readers", [(3,)]),
            (
                "issues.readers_by_domain",
                [("example.net", "mx.example", 2), ("example.org", "unsorted", 1)],
            ),
            ("issues.issue_content", [(b"content",)]),
            ("issues.issue_content", []),
        ]
    )
    store = over(engine, IssuesVerbs)
    issue = await store.issue(ID)
    assert issue is not None
    assert await store.issue_by_number("weekly", 5) is None
    assert await store.issue_of_message(MESSAGE) == issue
    assert await store.issues("weekly", None, 10) == [issue]
    assert await store.issues_under_way() == [issue]
    assert await store.reckoning(ID) == Reckoning(3, delivered=1, stopped=1, under_way=1)
    assert await store.active_readers("weekly") == 3
    assert await store.readers_by_provider("weekly") == {"others": 3}
    assert await store.issue_content(ID) == b"content"
    with pytest.raises(LookupError):
        await store.issue_content(ID)
    engine.finished()


# ---------------------------------------------------------------- freezing


async def test_a_freeze_fixes_its_audience() -> None:
    engine = RecordingEngine(
        [
            LED,
            ("issues.issue", [row(IssueState.OPEN)]),
            ("issues.has_content", [(1,)]),
            ("issues.other_under_way", []),
            ("naming.being_renamed", []),
            ("engine.last_event", [(90,)]),
            ("issues.active_readers", [(3,)]),
            ("issues.begin_freeze", 1),
            ("issues.issue", [row(IssueState.FREEZING)]),
        ]
    )
    assert (await over(engine, FreezingVerbs).begin_freeze(ID, LEADER)).state is IssueState.FREEZING
    begun = engine.finished()[7]
    assert (begun.binds, begun.chosen) == ((ID, 90, 3, LEADER.fence), [("open",)])


@pytest.mark.parametrize(
    "given",
    [
        [("issues.has_content", [])],
        [("issues.has_content", [(1,)]), ("issues.other_under_way", [(1,)])],
        [
            ("issues.has_content", [(1,)]),
            ("issues.other_under_way", []),
            ("naming.being_renamed", [(1,)]),
        ],
    ],
)
async def test_a_freeze_is_refused(given: list[tuple[str, list[Row]]]) -> None:
    engine = RecordingEngine([LED, ("issues.issue", [row(IssueState.OPEN)]), *given])
    with pytest.raises(IssueRefused):
        await over(engine, FreezingVerbs).begin_freeze(ID, LEADER)
    engine.finished()


async def test_who_leads_no_more_freezes_nothing() -> None:
    store = over(RecordingEngine([("issues.is_led", [])] * 3), FreezingVerbs)
    with pytest.raises(LeadershipLost):
        await store.begin_freeze(ID, LEADER)
    with pytest.raises(LeadershipLost):
        await store.freeze_batch(ID, LEADER, 10)
    with pytest.raises(LeadershipLost):
        await store.freeze_done(ID, LEADER, 20)


@pytest.mark.parametrize(("last", "is_last"), [([(50,)], False), ([], True)])
async def test_rows_are_written_behind_the_last_one(last: list[Row], is_last: bool) -> None:
    engine = RecordingEngine(
        [
            LED,
            ("issues.freezing", [("weekly", MESSAGE, 90, 40)]),
            ("issues.last_of_next_readers", last),
            ("issues.freeze", 2),
            ("issues.frozen_upto", 1),
        ]
    )
    done = await over(engine, FreezingVerbs).freeze_batch(ID, LEADER, 10)
    assert done == FrozenSome(2, is_last)
    freeze, upto = engine.finished()[3:]
    assert freeze.binds[:2] == ("weekly", 40)
    assert upto.binds == (ID, freeze.binds[2])


async def test_a_freeze_is_done_when_its_rows_are_all_there() -> None:
    counted: list[Given] = [
        ("issues.issue", [row(IssueState.FREEZING)]),
        ("issues.reckoning", [("frozen", 3)]),
    ]
    whole: list[Given] = [LED, ("issues.freezing", [("weekly", MESSAGE, 90, (1 << 63) - 1)]), *counted]
    engine = RecordingEngine([*whole, ("issues.frozen", 1), ("issues.issue", [row(IssueState.FROZEN)])])
    assert (await over(engine, FreezingVerbs).freeze_done(ID, LEADER, 20)).state is IssueState.FROZEN
    assert engine.finished()[4].chosen == [("freezing",)]
    half: list[Given] = [LED, ("issues.freezing", [("weekly", MESSAGE, 90, 40)]), *counted]
    left: list[Given] = [("issues.leave_freezing", 1), ("issues.issue", [row(IssueState.FREEZING)])]
    engine = RecordingEngine([*half, *left, ("issues.reckoning", [("frozen", 3)])])
    with pytest.raises(IssueRefused):
        await over(engine, FreezingVerbs).freeze_done(ID, LEADER, 20)
    engine.finished()


async def test_an_abandoned_freeze_is_swept_in_batches() -> None:
    engine = RecordingEngine(
        [("issues.abandoned", [(ID,)]), ("issues.thaw", 200), ("issues.thaw", 0), ("issues.open_again", 1)]
    )
    assert await over(engine, FreezingVerbs).sweep_abandoned() == 1
    assert engine.finished()[3].chosen == [("freezing",)]


async def test_the_lease_of_a_dead_leader_falls_and_that_of_a_living_one_stands() -> None:
    taken: list[Given] = [
        ("witness.row", []),
        ("claims.take_lease", []),
        ("issues.leader", [(1, "workers/1")]),
    ]
    engine = RecordingEngine([*taken, ("issues.drop_leader", 1), ("claims.take_lease", [(6,)])])
    lease = await over(engine, LeadingVerbs).lead("publish")
    assert lease is not None
    assert lease.fence == 6
    engine.finished()
    engine = RecordingEngine(taken, busy_locks=("workers/1",))
    assert await over(engine, LeadingVerbs).lead("publish") is None
    engine.finished()


# ---------------------------------------------------------------- sending


async def test_an_issue_starts_from_frozen_alone() -> None:
    engine = RecordingEngine([("issues.start", 1), ("issues.start", 0)])
    store = over(engine, SendingVerbs)
    assert await store.start(ID, 20)
    assert not await store.start(ID, 20)
    assert engine.finished()[0].chosen == [("frozen",)]


async def test_rows_are_let_go_behind_the_last_one() -> None:
    sending: tuple[str, list[Row]] = ("issues.sending", [(MESSAGE, 40, 20)])
    engine = RecordingEngine(
        [
            sending,
            ("issues.next_rows", [(50,)]),
            ("issues.let_go", 9),
            ("issues.sent_upto", 1),
            sending,
            ("issues.next_rows", [(None,)]),
            ("issues.sending", []),
        ]
    )
    store = over(engine, SendingVerbs)
    assert await store.send_batch(ID, 30, 10) == 9
    assert await store.send_batch(ID, 30, 10) == 0
    assert await store.send_batch(ID, 30, 10) == 0
    assert engine.finished()[2].binds == (MESSAGE, 40, 50, 20, 60_000, 10_800_000)


@pytest.mark.parametrize(("state", "gives_back"), [("delivered", False), ("frozen", True)])
async def test_a_stop_gives_articles_back_that_no_reader_got(state: str, gives_back: bool) -> None:
    given: list[Given] = (
        [("issues.give_back_articles", 2), ("approvals.give_back_order", 1)] if gives_back else []
    )
    engine = RecordingEngine(
        [
            ("issues.issue", [row(IssueState.SENDING)]),
            ("issues.reckoning", [(state, 1)]),
            *given,
            ("issues.end_issue", 1),
            ("issues.issue", [row(IssueState.STOPPED)]),
            ("issues.next_rows", [(50,)]),
            ("issues.waiting_between", [(3,)]),
            ("issues.stop_rows", 1),
            ("claims.next_turns", 1),
            ("issues.next_rows", [(None,)]),
        ]
    )
    assert (await over(engine, SendingVerbs).stop(ID, 30, "wrong")).state is IssueState.STOPPED
    [ended] = [query for query in engine.finished() if query.name == "issues.end_issue"]
    assert ended.chosen == permitted(IssueState.STOPPED)


async def test_what_is_freezing_or_done_cannot_be_stopped() -> None:
    for state in (IssueState.FREEZING, IssueState.DONE):
        engine = RecordingEngine([("issues.issue", [row(state)])])
        with pytest.raises(IssueRefused):
            await over(engine, SendingVerbs).stop(ID, 30, "wrong")


async def test_an_issue_is_held_and_goes_on() -> None:
    engine = RecordingEngine(
        [
            ("issues.issue", [row(IssueState.SENDING)]),
            ("issues.hold", 1),
            ("issues.issue", [row(IssueState.HELD)]),
            ("issues.issue", [row(IssueState.HELD)]),  # held again
            ("issues.issue", [row(IssueState.HELD)]),
            ("issues.resume", 1),
            ("issues.issue", [row(IssueState.SENDING)]),
            ("issues.held_rows", [(MESSAGE, 1, 5), (MESSAGE, 2, 5)]),
            ("issues.release_rows", 2),
            ("claims.next_turns", 1),
            ("issues.held_rows", []),
        ]
    )
    store = over(engine, SendingVerbs)
    assert (await store.hold(ID, "wait")).state is IssueState.HELD
    assert (await store.hold(ID, "wait longer")).state is IssueState.HELD
    assert (await store.resume(ID, 30)).state is IssueState.SENDING
    assert await store.release_batch(ID, 30, 250) == 2
    assert await store.release_batch(ID, 30, 250) == 0
    [held, resumed] = [run for run in engine.finished() if run.name in ("issues.hold", "issues.resume")]
    assert (held.binds, held.chosen) == ((ID, "wait"), permitted(IssueState.HELD))
    assert resumed.binds == (ID, 30)


async def test_what_is_not_under_way_is_not_held_and_what_is_not_held_not_resumed() -> None:
    for state in (IssueState.OPEN, IssueState.FREEZING, IssueState.DONE, IssueState.STOPPED):
        with pytest.raises(IssueRefused, match="cannot be held"):
            await over(RecordingEngine([("issues.issue", [row(state)])]), SendingVerbs).hold(ID, "wait")
    for state in (IssueState.OPEN, IssueState.SENDING, IssueState.DONE, IssueState.STOPPED):
        with pytest.raises(IssueRefused, match="not held"):
            await over(RecordingEngine([("issues.issue", [row(state)])]), SendingVerbs).resume(ID, 30)


async def test_a_sweep_goes_on_with_what_was_stopped_and_opens_what_was_abandoned() -> None:
    engine = RecordingEngine([("issues.half_stopped", []), ("issues.abandoned", [])])
    assert await over(engine, NewsletterVerbs).sweep_freezing() == 0
    engine.finished()


async def test_a_stop_that_was_cut_short_goes_on() -> None:
    engine = RecordingEngine([("issues.half_stopped", [(MESSAGE, 30)]), ("issues.next_rows", [(None,)])])
    await over(engine, SendingVerbs).finish_stops()
    engine.finished()


async def test_an_issue_is_done_when_it_adds_up() -> None:
    found: list[Given] = [
        ("issues.issue", [row(IssueState.SENDING)]),
        ("issues.reckoning", [("delivered", 3)]),
    ]
    engine = RecordingEngine([*found, ("issues.end_issue", 1)])
    assert await over(engine, SendingVerbs).finish(ID, 40)
    assert engine.finished()[2].chosen == [("sending",)]
    for state, delivered in ((IssueState.SENDING, 2), (IssueState.FROZEN, 3)):
        engine = RecordingEngine(
            [("issues.issue", [row(state)]), ("issues.reckoning", [("delivered", delivered)])]
        )
        assert not await over(engine, SendingVerbs).finish(ID, 40)
        engine.finished()


async def test_what_could_be_retried_is_counted_by_the_rules_of_the_retry() -> None:
    engine = RecordingEngine(
        [("issues.issue", [row(IssueState.SENDING)]), ("issues.unknown_to_retry", [(2,)])]
    )
    assert await over(engine, SendingVerbs).unknown_to_retry(ID, SubscriberId(8)) == 2
    assert engine.finished()[1].binds == (ID, 8)
    engine = RecordingEngine([("issues.issue", [row(IssueState.STOPPED)])])
    with pytest.raises(IssueRefused):
        await over(engine, SendingVerbs).unknown_to_retry(ID, None)


async def test_the_last_digest_has_a_number_of_its_own() -> None:
    engine = RecordingEngine([("issues.last_digest", [(3,)])])
    assert await over(engine, IssuesVerbs).last_digest("weekly") == 3
    engine.finished()


async def test_what_is_unknown_is_retried_until_none_is_left() -> None:
    done: tuple[str, list[Row]] = ("issues.issue", [row(IssueState.DONE)])
    sending: tuple[str, list[Row]] = ("issues.issue", [row(IssueState.SENDING)])
    engine = RecordingEngine(
        [
            done,
            ("issues.other_under_way", []),
            ("issues.retry_unknown", 2),
            ("issues.send_again", 1),
            sending,
            ("issues.retry_unknown", 0),
        ]
    )
    assert await over(engine, SendingVerbs).retry_unknown(ID, SubscriberId(8), 50) == 2
    assert engine.finished()[3].chosen == [("done",)]
    engine = RecordingEngine([done, ("issues.other_under_way", [(1,)])])
    with pytest.raises(IssueRefused):
        await over(engine, SendingVerbs).retry_unknown(ID, None, 50)


async def test_rows_of_an_old_issue_are_forgotten_while_it_is_over() -> None:
    old: tuple[str, list[Row]] = ("issues.old_issue", [(MESSAGE,)])
    forgetting: list[Given] = [
        ("issues.count_off_unknown", 0),
        ("issues.forget_events", 1),
        ("issues.forget_rows", 9),
    ]
    engine = RecordingEngine([old, ("issues.next_rows", [(50,)]), ("issues.is_over", [(1,)]), *forgetting])
    assert await over(engine, SendingVerbs).forget_rows(1) == 9
    engine.finished()
    engine = RecordingEngine([old, ("issues.next_rows", [(50,)]), ("issues.is_over", [])])
    assert await over(engine, SendingVerbs).forget_rows(1) == 0
    assert await over(RecordingEngine([("issues.old_issue", [])]), SendingVerbs).forget_rows(1) == 0


# ---------------------------------------------------------------- status


async def test_mail_to_readers_is_counted_and_listed() -> None:
    mail: Row = (MESSAGE, 8, ID, 8, "a@a.example", "unknown", 1, 9, "lost", "mx", "", 1, 10, "mx", 0)
    engine = RecordingEngine(
        [
            ("standing.reader_tally_of_mail", [("issues", "waiting", 4), ("own", "held", 1)]),
            ("standing.deferred_of_issues", [(ID, 2)]),
            ("standing.deferred_own", [(1,)]),
            ("standing.last_deferred", [mail]),
            ("standing.failed_confirmations", []),
            ("standing.delivery", [mail]),
            ("standing.deliveries", [mail]),
            ("standing.deliveries_of_reader", [mail]),
            ("standing.events_of_delivery", [(9, "unknown", "mx")]),
        ]
    )
    store = over(engine, StandingVerbs)
    stands = await store.mail_to_readers()
    assert (stands.issues_waiting, stands.held, stands.all_deferred) == (4, 1, 3)
    last = await store.last_deferred(ID)
    assert last is not None
    assert (last.state, last.was_retried) == (State.UNKNOWN, True)
    assert await store.failed_confirmations(0, 10) == []
    assert await store.delivery(DeliveryId(MESSAGE, 8)) == last
    assert await store.deliveries(ID, (State.UNKNOWN,), None, 10) == [last]
    assert await store.deliveries_of(SubscriberId(8), 10) == [last]
    [event] = await store.events_of_delivery(DeliveryId(MESSAGE, 8))
    assert (event.at_ms, event.what) == (9, "unknown")
    assert engine.finished()[6].chosen == [("unknown",)]


def test_the_states_that_a_query_is_given_are_those_of_the_table() -> None:
    for target in IssueState:
        sources = {edge.source for edge in ISSUE_EDGES if edge.target is target and edge.source is not None}
        assert set(issue_sources_of(target)) == sources
        assert permitted(target) == [(source.value,) for source in issue_sources_of(target)]
    assert issue_sources_of(IssueState.SENDING, IssueState.FROZEN) == (IssueState.FROZEN,)
    assert issue_sources_of(IssueState.SENDING, IssueState.OPEN) == ()
