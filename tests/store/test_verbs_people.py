"""The verbs for readers: which queries they run."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from secondpost.mail.address import Mailbox
from secondpost.mail.bounce_kind import BounceKind, Weighed
from secondpost.mail.duration import DAY_MS
from secondpost.mail.issue import IssueId
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import NO_SUBSCRIBER, Consent, SubscriberId, SubscriberState
from secondpost.mail.subscriber_states import SUBSCRIBER_EDGES, Reason, SubscriberActor, subscriber_sources_of
from secondpost.store.subscriber_ports import (
    Bounce,
    HashedSuppression,
    ImportCount,
    Imported,
    SignedUp,
    SignUpLimits,
    Suppression,
)
from secondpost.store.verbs.copies import CopiesVerbs
from secondpost.store.verbs.importing import ImportingVerbs
from secondpost.store.verbs.known_readers import ERASING
from secondpost.store.verbs.readers import ReadersVerbs
from secondpost.store.verbs.sign_up_outcomes import OUTCOMES_MAX, SignUpOutcomesVerbs
from secondpost.store.verbs.signing_up import SigningUpVerbs
from secondpost.store.verbs.steps import Query, Row
from secondpost.store.verbs.suppressed import keyed_hash
from secondpost.store.verbs.suppressing import SuppressingVerbs
from tests.store.recording import Given, RecordingEngine, names, over

WEEKLY = "weekly"
ANN = Mailbox.parse("Ann@example.net")
BOB = Mailbox.parse("bob@example.net")
KEY, OTHER_KEY = b"k" * 16, b"o" * 16
HASH = keyed_hash("ann@example.net", KEY)
AGREED = Consent("/weekly/", "form", "yes", 1_000, "192.0.2.0/24")
MESSAGE = QueueId(77)
ID = SubscriberId(5)
LIMITS = SignUpLimits()

KEYS: Given = ("suppressing.keys", [("suppression", KEY)])
NOT_SUPPRESSED: Given = ("suppressing.suppression", [])
FOR_GOOD: Given = ("suppressing.suppression", [("", "owner", 1, "", 0)])
LAST_EVENT: Given = ("engine.last_event", [(41,)])
TOLD: Given = ("readers.tell", 1)
LED: Sequence[Given] = (LAST_EVENT, ("readers.lead", 1), TOLD)
UNBOUND: Sequence[Given] = (
    ("readers.sign_ups", [(0,)]),
    ("readers.confirmations", [(0, None)]),
    ("readers.asked_at", [(0,)]),
    ("readers.asked_at", [(0,)]),
    *[("readers.asked_in_all", [(0,)]), ("readers.active_in_all", [(0,)])],
    *[("readers.asked_in_all", [(0,)]), ("readers.asked_in_all", [(0,)])],
)


def known(state: SubscriberState) -> Row:
    return (ID, WEEKLY, str(ANN), state.value, 1, HASH)


def by_id(state: SubscriberState) -> Given:
    return ("readers.by_id", [known(state)])


def reader_row(state: SubscriberState) -> Row:
    agreed = ("/weekly/", "form", "yes", 1_000, "192.0.2.0/24")
    return (ID, WEEKLY, str(ANN), state.value, 1, 1, '[["name","Ann"]]', *agreed)


def asking(before: SubscriberState | None) -> list[Given]:
    """From the savepoint to the confirmation."""
    after = SubscriberState.PENDING if before is None else before
    return [
        ("readers.asking_begins", 0),
        ("readers.add_consent", [(3,)]),
        LAST_EVENT,
        ("intake.add_domains", 1),
        ("readers.pend", 0),
        ("readers.add_readers", 1),
        ("readers.by_key", [known(after)]),
        TOLD,
        ("intake.add_domains", 1),
        ("readers.add_own_message", 1),
        ("readers.add_own_delivery", 1),
        ("readers.confirm_content", 1),
    ]


def noting() -> list[Given]:
    return [
        ("readers.asking_ends", 0),
        ("readers.count_sign_up", 1),
        ("readers.note_outcome", [(OUTCOMES_MAX + 9,)]),
        ("readers.bound_outcomes", 0),
    ]


# ---- joining


async def test_a_sign_up_asks_a_new_reader_to_confirm() -> None:
    engine = RecordingEngine(
        [KEYS, NOT_SUPPRESSED, ("readers.by_key", []), *UNBOUND, *asking(None), *noting()]
    )
    outcome = await over(engine, SigningUpVerbs).sign_up(WEEKLY, ANN, AGREED, MESSAGE, LIMITS, b"confirm")
    assert outcome is SignedUp.CONFIRM
    run = {query.name: query for query in engine.finished()}
    assert run["readers.pend"].binds == (WEEKLY, "ann@example.net", 1_000, 42, 3, str(ANN))
    assert run["readers.add_readers"] == Query(
        "readers.add_readers",
        (WEEKLY, 42),
        [(str(ANN), "ann@example.net", "example.net", HASH, "pending", 1_000, 1_000, 3, None)],
    )
    assert run["readers.add_own_delivery"].binds == (MESSAGE, "example.net", str(ANN), 7, 1_000, ID)
    assert run["readers.count_sign_up"].binds == ("192.0.2.0/24", 1_000, "example.net", ID)
    assert run["readers.bound_outcomes"].binds == (9,)


@pytest.mark.parametrize(
    ("state", "standing", "outcome"),
    [
        (SubscriberState.ACTIVE, NOT_SUPPRESSED, SignedUp.ALREADY),
        (SubscriberState.COMPLAINED, NOT_SUPPRESSED, SignedUp.SUPPRESSED),
        (SubscriberState.PENDING, FOR_GOOD, SignedUp.SUPPRESSED),
    ],
)
async def test_a_sign_up_that_asks_no_one_takes_the_same_steps_and_takes_them_back(
    state: SubscriberState, standing: Given, outcome: SignedUp
) -> None:
    back: Given = ("readers.asking_is_taken_back", 0)
    engine = RecordingEngine(
        [KEYS, standing, ("readers.by_key", [known(state)]), *UNBOUND, *asking(state), back, *noting()]
    )
    found = await over(engine, SigningUpVerbs).sign_up(WEEKLY, ANN, AGREED, MESSAGE, LIMITS, b"confirm")
    assert found is outcome
    run = {query.name: query for query in engine.finished()}
    assert run["readers.count_sign_up"].binds == ("192.0.2.0/24", 1_000, "", None)
    assert run["readers.note_outcome"].binds == (WEEKLY, HASH, 1_000, "form", outcome.value)


async def test_the_owner_adds_a_reader() -> None:
    engine = RecordingEngine(
        [
            *[KEYS, NOT_SUPPRESSED, ("readers.by_key", []), ("readers.add_consent", [(3,)]), LAST_EVENT],
            *[("intake.add_domains", 1), ("readers.add_readers", 1)],
            *[("readers.by_key", [known(SubscriberState.ACTIVE)]), TOLD],
            ("readers.reader", [reader_row(SubscriberState.ACTIVE)]),
        ]
    )
    added = await over(engine, SigningUpVerbs).add(WEEKLY, ANN, AGREED, 1_000, None)
    assert added is not None
    assert (added.id, added.state, added.attributes) == (ID, SubscriberState.ACTIVE, (("name", "Ann"),))
    told = engine.finished()[8]
    assert told == Query("readers.tell", (1_000, "added", "active"), [(ID, "/weekly/", 3, None)])


async def test_the_owner_confirms_who_waits_and_not_who_left() -> None:
    for state, confirming in (
        (SubscriberState.PENDING, [("readers.add_consent", [(3,)]), *LED]),
        (SubscriberState.LEFT, []),
    ):
        read: Given = ("readers.reader", [reader_row(state)])
        engine = RecordingEngine(
            [KEYS, NOT_SUPPRESSED, ("readers.by_key", [known(state)]), *confirming, read]
        )
        assert await over(engine, SigningUpVerbs).add(WEEKLY, ANN, AGREED, 1_000, None) is not None
        engine.finished()


async def test_a_suppressed_address_is_not_added() -> None:
    engine = RecordingEngine([KEYS, FOR_GOOD])
    assert await over(engine, SigningUpVerbs).add(WEEKLY, ANN, AGREED, 1_000, None) is None


async def test_a_confirmation_lifts_what_yields_and_answers_the_sign_up() -> None:
    lifted: list[Given] = [
        ("suppressing.lift_by_reader", 0),
        ("readers.sign_up_answered", 1),
        ("readers.outcome_confirmed", 1),
    ]
    engine = RecordingEngine(
        [
            *[by_id(SubscriberState.PENDING), NOT_SUPPRESSED, ("readers.has_event", [])],
            *[("readers.add_consent", [(3,)]), *LED, *lifted],
        ]
    )
    assert await over(engine, SigningUpVerbs).confirm(ID, AGREED, MESSAGE)
    run = {query.name: query for query in engine.finished()}
    assert run["readers.lead"] == Query("readers.lead", ("active", 1_000, 42), [(ID, 3)])
    assert run["readers.tell"].chosen == [(ID, "/weekly/", 3, MESSAGE)]
    refused = RecordingEngine([by_id(SubscriberState.PENDING), FOR_GOOD])
    assert not await over(refused, SigningUpVerbs).confirm(ID, AGREED)


# ---- leaving


@pytest.mark.parametrize("state", list(SubscriberState))
async def test_no_verb_leads_a_reader_where_the_table_has_no_edge(state: SubscriberState) -> None:
    verbs: list[tuple[SubscriberState, SubscriberActor, Callable[[SigningUpVerbs], Awaitable[bool]]]] = [
        (SubscriberState.LEFT, SubscriberActor.READER, lambda store: store.leave(ID, 9, "page")),
        (SubscriberState.LEFT, SubscriberActor.OWNER, lambda store: store.remove(ID, 9, "asked")),
        (SubscriberState.SUSPENDED, SubscriberActor.PROVIDER, lambda store: store.suspend(ID, 9, "full")),
        (SubscriberState.COMPLAINED, SubscriberActor.PROVIDER, lambda store: store.complain(ID, 9, "report")),
    ]
    for target, by, verb in verbs:
        may = any(
            edge.source is state and edge.target is target and edge.by is by for edge in SUBSCRIBER_EDGES
        )
        given = [by_id(state), *(LED if may else [])]
        if may and target is SubscriberState.COMPLAINED:
            given.append(("suppressing.suppress", 1))
        engine = RecordingEngine(given)
        assert await verb(over(engine, SigningUpVerbs)) is may
        engine.finished()


async def test_the_same_mail_changes_something_once_and_a_stranger_nothing() -> None:
    engine = RecordingEngine([by_id(SubscriberState.ACTIVE), ("readers.has_event", [(1,)])])
    assert not await over(engine, SigningUpVerbs).leave(ID, 9, "mail", MESSAGE)
    assert not await over(RecordingEngine([("readers.by_id", [])]), SigningUpVerbs).leave(ID, 9, "page")


async def test_erasing_suppresses_first_and_takes_all_that_names_the_reader() -> None:
    engine = RecordingEngine(
        [by_id(SubscriberState.ACTIVE), ("suppressing.suppress", 1), ("readers.missing_in_freeze", 0)]
        + [(query, 1) for query in ERASING]
    )
    assert await over(engine, SigningUpVerbs).erase(ID, 9)
    run = engine.finished()
    assert run[1] == Query("suppressing.suppress", (WEEKLY, "erased", 9, "", 1), [(HASH,)])
    assert all(query.chosen == [(ID,)] for query in run[3:])


# ---- suppression


async def test_the_suppressed_by_another_stores_hash_are_recognised_first() -> None:
    engine = RecordingEngine(
        [
            ("suppressing.keys", [("suppression", KEY), ("suppression 6f", OTHER_KEY)]),
            *[
                ("suppressing.recognise", 1),
                ("suppressing.forget_recognised", 1),
                ("suppressing.suppress", 2),
            ],
        ]
    )
    twice = [ANN, BOB, ANN]
    assert await over(engine, SuppressingVerbs).suppress(WEEKLY, twice, Reason.OWNER, 9, "said so") == 2
    [_, recognise, forget, suppress] = engine.finished()
    theirs = [keyed_hash(f"{name}@example.net", OTHER_KEY) for name in ("ann", "bob")]
    ours = [keyed_hash(f"{name}@example.net", KEY) for name in ("ann", "bob")]
    assert recognise.chosen == list(zip(theirs, ours, strict=True))
    assert forget.chosen == [(hash,) for hash in theirs]
    assert suppress == Query(
        "suppressing.suppress", (WEEKLY, "owner", 9, "said so", 0), [(hash,) for hash in sorted(ours)]
    )


async def test_a_suppression_is_lifted_by_its_hash() -> None:
    for written in (1, 0):
        engine = RecordingEngine([KEYS, ("suppressing.unsuppress", written)])
        assert await over(engine, SuppressingVerbs).unsuppress(WEEKLY, ANN) is (written == 1)
        assert engine.finished()[1].binds == (HASH, WEEKLY)


async def test_of_two_suppressions_of_one_hash_the_firmer_is_written() -> None:
    yielding = HashedSuppression(b"h", OTHER_KEY, Suppression(WEEKLY, Reason.ERASED, 1, "", True))
    firm = HashedSuppression(b"h", OTHER_KEY, Suppression(WEEKLY, Reason.BOUNCED, 2, "list", False))
    engine = RecordingEngine([("suppressing.add_key", 1), ("suppressing.suppress_each", 1)])
    assert await over(engine, SuppressingVerbs).suppress_hashes([yielding, firm, yielding]) == 1
    [key, each] = engine.finished()
    assert key.binds == (f"suppression {OTHER_KEY.hex()}", OTHER_KEY)
    assert each.chosen == [(b"h", WEEKLY, "bounced", 2, "list", 0, OTHER_KEY)]


async def test_readers_are_recognised_in_pages() -> None:
    engine = RecordingEngine([("suppressing.keys_behind", [(5, "a@b"), (6, "c@d")]), KEYS])
    assert await over(engine, SuppressingVerbs).recognise(ID, 10) == 6
    assert engine.finished()[0].binds == (ID, 10)
    behind_all = RecordingEngine([("suppressing.keys_behind", []), KEYS])
    assert await over(behind_all, SuppressingVerbs).recognise(None, 10) is None


async def test_more_than_a_batch_at_once_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 250"):
        over(RecordingEngine([]), SuppressingVerbs).suppress(WEEKLY, [ANN] * 251, Reason.OWNER, 1, "")


# ---- lists


def line_known(state: SubscriberState, **facts: int | str | None) -> Row:
    found: dict[str, int | str | None] = {
        "is_suppressed": 0,
        "was_reader": 0,
        "agreed_how": None,
        "agreed_ms": None,
        "was_taken_away": 0,
    }
    return ("ann@example.net", ID, state.value, *(found | facts).values())


def sorting(*found: Row, suppressed: Sequence[Row] = ()) -> list[Given]:
    return [KEYS, ("importing.suppressed_among", suppressed), ("importing.known_among", found)]


async def imported(
    given: Sequence[Given], *lines: Imported, messages: Sequence[QueueId] = ()
) -> tuple[ImportCount, list[Query]]:
    engine = RecordingEngine(given)
    store = over(engine, ImportingVerbs)
    shared = Consent("paper", "import", "list.csv", 500)
    count = await store.import_batch(WEEKLY, lines, SubscriberState.PENDING, shared, 1_000, messages)
    return count, engine.finished()


async def test_new_readers_of_a_list_agree_to_the_same_once_and_are_told_by_state() -> None:
    count, run = await imported(
        [
            *sorting(),
            *[("importing.same_consent", []), ("readers.add_consent", [(8,)])],
            *[LAST_EVENT, ("intake.add_domains", 1), ("readers.add_readers", 2)],
            *[("importing.tell_added", 1), ("importing.tell_added", 1)],
        ],
        Imported(ANN, state=SubscriberState.ACTIVE),
        Imported(BOB, state=SubscriberState.LEFT, since_ms=300),
        Imported(BOB, state=SubscriberState.LEFT),
    )
    assert count == ImportCount(added=1, confirmed=0, suppressed=0, known=1, left=1)
    added = next(query for query in run if query.name == "readers.add_readers")
    assert added.chosen is not None
    assert [row[4:8] for row in added.chosen] == [("active", 1_000, 1_000, 8), ("left", 300, 1_000, None)]
    assert run[-2:] == [
        Query("importing.tell_added", (WEEKLY, 1_000, "active"), [("ann@example.net", "paper", 8)]),
        Query("importing.tell_added", (WEEKLY, 1_000, "left"), [("bob@example.net", "left elsewhere", None)]),
    ]


async def test_a_list_confirms_who_waits_and_never_was_a_reader() -> None:
    line = Imported(ANN, state=SubscriberState.ACTIVE)
    writing: list[Given] = [
        *[("importing.same_consent", [(8,)]), LAST_EVENT, ("readers.lead", 1), TOLD],
    ]
    count, run = await imported([*sorting(line_known(SubscriberState.PENDING)), *writing], line)
    assert count == ImportCount(added=0, confirmed=1, suppressed=0, known=0)
    assert run[-2:] == [
        Query("readers.lead", ("active", 1_000, 42), [(ID, 8)]),
        Query("readers.tell", (1_000, "confirmed", "active"), [(ID, "paper", 8, None)]),
    ]
    for row in (
        line_known(SubscriberState.PENDING, was_reader=1),
        line_known(SubscriberState.PENDING, is_suppressed=1),
        line_known(SubscriberState.SUSPENDED),
        line_known(SubscriberState.LEFT),
    ):
        count, _ = await imported(sorting(row), line)
        assert count == ImportCount(added=0, confirmed=0, suppressed=0, known=1)


async def test_a_list_takes_away_who_left_elsewhere_unless_they_agreed_here_since() -> None:
    line = Imported(ANN, state=SubscriberState.LEFT, since_ms=300)
    undated = Imported(ANN, state=SubscriberState.LEFT)
    active = SubscriberState.ACTIVE
    for row, one, goes in (
        (line_known(active, agreed_how="form", agreed_ms=299), line, True),
        (line_known(active, agreed_how="form", agreed_ms=301), line, False),
        (line_known(active, agreed_how="import", agreed_ms=301), line, True),
        (line_known(active, agreed_how="form", agreed_ms=301), undated, True),
        (
            line_known(SubscriberState.ACTIVE, agreed_how="form", agreed_ms=1, was_taken_away=1),
            undated,
            False,
        ),
        (line_known(SubscriberState.PENDING), line, True),
        (line_known(SubscriberState.COMPLAINED), line, False),
    ):
        count, run = await imported([*sorting(row), *(LED if goes else [])], one)
        assert (count.left, count.known) == ((1, 0) if goes else (0, 1))
        if goes:
            assert run[-1].binds == (1_000, "imported", "left")
            assert run[-1].chosen == [(ID, "left elsewhere", None, None)]


async def test_a_suppressed_line_brings_no_one_in_and_still_takes_away() -> None:
    line = Imported(ANN, state=SubscriberState.LEFT)
    count, _ = await imported(sorting(suppressed=[("ann@example.net",)]), line)
    assert count == ImportCount(added=0, confirmed=0, suppressed=1, known=0)
    row = line_known(SubscriberState.ACTIVE, is_suppressed=1)
    count, _ = await imported([*sorting(row, suppressed=[("ann@example.net",)]), *LED], line)
    assert count == ImportCount(added=0, confirmed=0, suppressed=1, known=0)


async def test_who_is_pending_in_a_list_is_asked_and_a_line_may_carry_its_suppression() -> None:
    said = Suppression("", Reason.OWNER, 7, "by post")
    count, run = await imported(
        [
            *sorting(line_known(SubscriberState.PENDING)),
            *[("intake.add_domains", 1), ("importing.ask_messages", 1), ("importing.ask_deliveries", 1)],
            ("suppressing.suppress_each", 1),
        ],
        Imported(ANN, suppressions=(said,)),
        messages=[MESSAGE],
    )
    assert count == ImportCount(added=0, confirmed=0, suppressed=0, known=1, asked=1)
    assert run[1].chosen == [("ann@example.net", HASH, 1)]
    assert run[4] == Query("importing.ask_messages", (WEEKLY, 1_000), [("ann@example.net", MESSAGE)])
    assert run[-1].chosen == [(HASH, "", "owner", 7, "by post", 0, KEY)]


async def test_consents_from_a_network_are_one_readers_alone() -> None:
    lines = [Imported(mailbox, state=SubscriberState.ACTIVE, consent=AGREED) for mailbox in (ANN, BOB)]
    _, run = await imported(
        [
            *sorting(),
            *[("readers.add_consent", [(8,)]), ("readers.add_consent", [(9,)])],
            *[LAST_EVENT, ("intake.add_domains", 1), ("readers.add_readers", 2)],
            ("importing.tell_added", 2),
        ],
        *lines,
    )
    assert run[-1].chosen == [("ann@example.net", "/weekly/", 8), ("bob@example.net", "/weekly/", 9)]


async def test_who_never_confirmed_goes_and_who_was_a_reader_has_left_again() -> None:
    engine = RecordingEngine(
        [("importing.forget_sign_ups", 0), ("importing.forget_outcomes", 0)]
        + [("importing.pending_before", [(5,), (6,)]), ("importing.were_readers", [(5,)]), *LED]
        + [(query, 1) for query in ERASING]
    )
    engine.clock.ms = 2 * DAY_MS
    assert await over(engine, ImportingVerbs).forget_pending(900) == 2
    run = engine.finished()
    assert run[0].binds[0] == DAY_MS
    assert run[6] == Query(
        "readers.tell", (2 * DAY_MS, "left", "left"), [(5, "never confirmed anew", None, None)]
    )
    assert all(query.chosen == [(6,)] for query in run[7:])
    waiting = (SubscriberState.PENDING,)  # the state that `importing.pending_before` selects
    assert (
        subscriber_sources_of(None, SubscriberActor.CLOCK)
        == subscriber_sources_of(SubscriberState.LEFT, SubscriberActor.CLOCK)
        == waiting
    )


# ---- copies, bounces, reading


async def test_a_copy_goes_to_no_reader_and_to_no_suppressed_address() -> None:
    sending: list[Given] = [
        *[("intake.add_domains", 1), ("readers.add_own_message", 1)],
        *[("readers.add_own_delivery", 1), ("readers.confirm_content", 1)],
    ]
    engine = RecordingEngine([KEYS, NOT_SUPPRESSED, *sending])
    assert await over(engine, CopiesVerbs).send_copy(WEEKLY, ANN, MESSAGE, b"copy", 9)
    assert engine.finished()[4].binds == (MESSAGE, "example.net", str(ANN), 4, 9, NO_SUBSCRIBER)
    refused = RecordingEngine([KEYS, FOR_GOOD])
    assert not await over(refused, CopiesVerbs).send_copy(WEEKLY, ANN, MESSAGE, b"copy", 9)


async def test_a_bounce_counts_once() -> None:
    bounce = Bounce(ID, IssueId(2), MESSAGE, BounceKind.DEAD, "5.1.1", "no such user", 9)
    engine = RecordingEngine([by_id(SubscriberState.ACTIVE), ("readers.add_bounce", 1), TOLD])
    assert await over(engine, ReadersVerbs).record_bounce(bounce)
    assert engine.finished()[2].chosen == [(ID, "dead 5.1.1", None, None)]
    again = RecordingEngine([by_id(SubscriberState.ACTIVE), ("readers.add_bounce", 0)])
    assert not await over(again, ReadersVerbs).record_bounce(bounce)
    assert not await over(RecordingEngine([("readers.by_id", [])]), ReadersVerbs).record_bounce(bounce)


async def test_an_outcome_without_the_store_is_noted() -> None:
    engine = RecordingEngine([KEYS, ("readers.note_outcome", [(1,)]), ("readers.bound_outcomes", 0)])
    await over(engine, SignUpOutcomesVerbs).note_sign_up(WEEKLY, ANN, 9, "form", SignedUp.TRAPPED)
    assert names(engine.finished())[1:] == ["readers.note_outcome", "readers.bound_outcomes"]


async def test_readers_are_found_by_number_by_address_and_in_pages() -> None:
    row = reader_row(SubscriberState.ACTIVE)
    engine = RecordingEngine([("readers.reader", [row])] * 3 + [("readers.reader", [])])
    store = over(engine, ReadersVerbs)
    found = await store.subscriber(ID)
    assert found is not None
    assert found.consent == AGREED
    assert await store.find(WEEKLY, ANN) == found
    assert await store.readers(WEEKLY, (SubscriberState.LEFT, SubscriberState.ACTIVE), ID, 9) == [found]
    assert await store.readers(WEEKLY, (), None, 9) == []
    run = engine.finished()
    assert [query.binds for query in run] == [
        (ID,),
        (WEEKLY, "ann@example.net"),
        (WEEKLY, ID, 9),
        (WEEKLY, 0, 9),
    ]
    assert "AND state IN ('active', 'left')" in run[2].conditions
    assert "state" not in run[3].conditions


async def test_every_state_and_every_kind_of_bounce_is_counted() -> None:
    engine = RecordingEngine([("readers.counts", [("left", 3)]), ("readers.bounced_of_issue", [("dead", 2)])])
    store = over(engine, ReadersVerbs)
    assert await store.reader_counts(WEEKLY) == dict.fromkeys(SubscriberState, 0) | {SubscriberState.LEFT: 3}
    assert await store.bounced(IssueId(2)) == dict.fromkeys(BounceKind, 0) | {BounceKind.DEAD: 2}
    engine.finished()


async def test_what_happened_to_a_reader_comes_with_what_they_agreed_to() -> None:
    agreed = (AGREED.where, AGREED.how, AGREED.text, AGREED.at_ms, AGREED.address_prefix)
    no_consent = (None,) * 5
    engine = RecordingEngine(
        [
            ("readers.events_of", [(1, 2, "confirmed", "active", "/weekly/", *agreed)]),
            ("readers.events_of", [(2, 3, "left", "left", "page", *no_consent)]),
            ("readers.bounces_of", [(MESSAGE, None, 9, "full", "", "over quota", "counted")]),
        ]
    )
    store = over(engine, ReadersVerbs)
    [confirmed], [left] = await store.events_of(ID), await store.events_of(ID)
    assert (confirmed.consent, confirmed.what, left.consent) == (AGREED, "confirmed", None)
    bounce = Bounce(ID, None, MESSAGE, BounceKind.FULL, "", "over quota", 9, Weighed.COUNTED)
    assert await store.bounces_of(ID, 5) == [bounce]


async def test_of_several_suppressions_what_stays_is_named() -> None:
    listed = ("suppressing.suppressions", [("", "erased", 1, "", 1), (WEEKLY, "owner", 2, "", 0)])
    engine = RecordingEngine([KEYS, listed, ("suppressing.suppressed_count", [(4,)]), KEYS, listed])
    store = over(engine, SuppressingVerbs)
    assert await store.suppression(WEEKLY, ANN) == Suppression(WEEKLY, Reason.OWNER, 2, "")
    assert await store.suppressed_count(WEEKLY) == 4
    assert [each.reason for each in await store.suppressions(WEEKLY, ANN)] == [Reason.ERASED, Reason.OWNER]
    assert engine.finished()[1] == Query("suppressing.suppressions", (WEEKLY,), [(HASH,)])


async def test_suppressed_strangers_come_behind_the_last_one() -> None:
    row: Row = (OTHER_KEY, b"h", "", "owner", 1, "", 0)
    engine = RecordingEngine([("suppressing.suppressed_strangers", [row])] * 2)
    store = over(engine, SuppressingVerbs)
    [first] = await store.suppressed_strangers(WEEKLY, None, 1)
    assert first == HashedSuppression(b"h", OTHER_KEY, Suppression("", Reason.OWNER, 1, ""))
    await store.suppressed_strangers(WEEKLY, first, 1)
    behind = [query.binds[1:4] for query in engine.finished()]
    assert behind == [(b"", b"", ""), (OTHER_KEY, b"h", "")]


async def test_what_came_of_sign_ups_is_found_by_hash_and_counted() -> None:
    engine = RecordingEngine(
        [
            *[KEYS, ("readers.outcomes_of", [(9, "form", "confirm", 1)])],
            ("readers.outcome_counts", [("confirm", 3, 2), ("trapped", 5, 0)]),
        ]
    )
    store = over(engine, SignUpOutcomesVerbs)
    [outcome] = await store.sign_ups_of(WEEKLY, ANN, 10)
    assert (outcome.outcome, outcome.is_confirmed) == (SignedUp.CONFIRM, True)
    counts = await store.sign_up_counts(WEEKLY, 0)
    assert (counts.asked, counts.confirmed) == (8, 2)
    assert engine.finished()[1].binds == (HASH, WEEKLY, 10)
