"""The verbs of the deliver role: which queries they run."""

from collections.abc import Sequence

import pytest

from secondpost.mail.address import Domain
from secondpost.mail.authentication import NO_NOTE, AuthenticationNote, AuthResult, SealMaterial
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.delivery import Claimed, DeliveryId, State
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.store.ports import CatchAll, Lease, Settlement, SiteDue
from secondpost.store.verbs.claims import SETTLE, ClaimLost, ClaimsVerbs
from secondpost.store.verbs.engine import BATCH_ROWS
from secondpost.store.verbs.reader_mail import COMMIT_MARKS, Marking, ReaderMailVerbs
from secondpost.store.verbs.sites import SitesVerbs
from secondpost.store.verbs.steps import Query, Row
from tests.clock import START_MS
from tests.store.recording import Given, RecordingEngine, names, over

LEASE = Lease(Lane.RELAY, "mx.example", 0, 7)
NET = Domain("example.net")
ONE, TWO = DeliveryId(QueueId(1), 1), DeliveryId(QueueId(2), 1)


def due(domain: int, message: int, file: str | None = None) -> Row:
    who: Row = ("relay", "a@example.com", "b@example.net")
    return (domain, message, 1, *who, 3, file, 0, 5, 0, None, 0, None, None, None, "")


def one_claimed(file: str | None = None) -> Sequence[Given]:
    return (
        ("claims.domains_in_turn", [(4,)]),
        ("engine.due_of_domains", [due(4, 1, file)]),
        ("claims.mark_claimed", 1),
        ("claims.next_turns", 1),
    )


def settlement(id: DeliveryId) -> Settlement:
    return Settlement(id, State.DELIVERED, 9)


# ---- leases


async def test_a_lease_is_taken_by_one_and_given_back_with_what_was_claimed() -> None:
    engine = RecordingEngine(
        [
            ("claims.take_lease", [(7,)]),
            ("claims.take_lease", []),
            ("claims.unclaim", 2),
            ("claims.drop_lease", 1),
        ]
    )
    store = over(engine, ClaimsVerbs)
    assert await store.lease(Lane.RELAY, "mx.example") == LEASE
    assert await store.lease(Lane.RELAY, "mx.example") is None
    await store.give_back(LEASE)
    assert engine.finished()[2:] == [
        Query("claims.unclaim", (7, START_MS)),
        Query("claims.drop_lease", (7,)),
    ]


async def test_a_command_takes_no_lease() -> None:
    with pytest.raises(RuntimeError, match="only a worker"):
        await over(RecordingEngine([], worker_number=None), ClaimsVerbs).lease(Lane.RELAY, "mx.example")


async def test_what_is_due_in_several_lanes_comes_earliest_first() -> None:
    lanes = (Lane.RELAY, Lane.OWN)
    engine = RecordingEngine(
        [
            ("claims.queues_due", [("b.example", 5), ("c.example", 9)]),
            ("claims.queues_due", [("a.example", 7)]),
            ("claims.next_due", [(5,)]),
            ("claims.next_due", []),
            *[("claims.next_due", [])] * 2,
        ]
    )
    store = over(engine, ClaimsVerbs)
    assert await store.sites_due(lanes, 10, 2) == [
        SiteDue(Lane.RELAY, "b.example", 5),
        SiteDue(Lane.OWN, "a.example", 7),
    ]
    assert await store.next_due_ms(lanes) == 5
    assert await store.next_due_ms(lanes) is None
    engine.finished()


# ---- claims


async def test_what_a_domain_leaves_of_its_share_goes_to_the_one_with_more() -> None:
    engine = RecordingEngine(
        [
            ("claims.domains_in_turn", [(4,), (6,)]),
            ("engine.due_of_domains", [due(4, 1), due(6, 2), due(6, 3)]),
            ("engine.due_of_domains", [due(6, 2), due(6, 3), due(6, 5)]),
            ("claims.mark_claimed", 4),
            ("claims.next_turns", 2),
        ]
    )
    claimed = await over(engine, ClaimsVerbs).claim(LEASE, 10, 4)
    assert [one.id.queue_id for one in claimed] == [1, 2, 3, 5]
    asked = engine.finished()
    assert asked[1:3] == [
        Query("engine.due_of_domains", (10, 2), [(4,), (6,)]),
        Query("engine.due_of_domains", (10, 3), [(6,)]),
    ]
    assert asked[3] == Query("claims.mark_claimed", (7,), [(1, 1), (2, 1), (3, 1), (5, 1)])
    assert asked[4] == Query("claims.next_turns", (10,), [(4,), (6,)])


async def test_nothing_is_claimed_where_no_domain_has_its_turn() -> None:
    engine = RecordingEngine([("claims.domains_in_turn", [])] * 2 + [("claims.domains_in_turn", [(4,)])])
    store = over(engine, ClaimsVerbs)
    assert await store.claim(LEASE, 10, 4) == []
    assert not await store.is_due(LEASE, 10)
    assert await store.is_due(LEASE, 10)
    engine.finished()


async def test_settlements_of_a_group_are_one_query_and_each_is_counted() -> None:
    engine = RecordingEngine([("claims.settle", 1), ("claims.settle", 2)])
    assert await over(engine, ClaimsVerbs).settle(LEASE, [settlement(ONE)]) == 1
    assert engine.write_all(SETTLE, [(LEASE, [settlement(ONE)]), (LEASE, [settlement(TWO)])]) == [1, 1]
    assert engine.ended_mail
    row = (1, 1, 7, "delivered", 9, 0, None, 1, 0, "", "", "", "")
    assert engine.finished()[0] == Query("claims.settle", (), [row])


def test_a_group_in_which_a_claim_fell_runs_again_one_by_one() -> None:
    engine = RecordingEngine([("claims.settle", 1)])
    with pytest.raises(ClaimLost):
        engine.write_all(SETTLE, [(LEASE, [settlement(ONE)]), (LEASE, [settlement(TWO)])])


async def test_content_is_in_the_table_or_in_a_file_or_gone() -> None:
    engine = RecordingEngine(
        [
            *one_claimed(),
            *one_claimed("content/1-a"),
            *one_claimed("content/1-b"),
            ("claims.contents", [(1, b"top\n", b"abc")]),
            ("claims.contents", [(1, b"t\n", b"")]),
            ("claims.contents", []),
            ("claims.contents", [(1, b"top\n", b"abc")]),
            ("claims.authentication_notes", [(1, "spf=pass", 2, "pass", b"hash"), (2, "", 0, "", b"")]),
        ],
        content_files={"content/1-a": b"x"},
    )
    store = over(engine, ClaimsVerbs)
    rows: list[Claimed] = []
    for _ in range(3):
        rows += await store.claim(LEASE, 10, 1)
    in_table, in_file, _ = rows
    assert await store.content(in_table) == b"top\nabc"
    assert await store.content(in_file) == b"t\nx"
    with pytest.raises(LookupError):
        await store.content(in_table)
    assert await store.contents([in_table]) == {QueueId(1): b"top\nabc"}
    sealed = AuthenticationNote("spf=pass", SealMaterial(2, AuthResult.PASS, "spf=pass", b"hash"))
    assert await store.authentication_notes([in_table]) == {QueueId(1): sealed, QueueId(2): NO_NOTE}
    assert engine.finished()[-1] == Query("claims.authentication_notes", (), [(1,)])


# ---- mail to readers


async def test_what_may_not_go_ends_as_it_is_claimed_and_more_is_looked_for_behind_it() -> None:
    engine = RecordingEngine(
        [
            ("claims.domains_in_turn", [(4,)]),
            ("engine.due_of_domains", [due(4, 1)]),
            ("reader_mail.may_not_go", [(1, 1, "suppressed")]),
            ("reader_mail.withhold", 1),
            ("claims.next_turns", 1),
            ("claims.domains_in_turn", [(4,)]),
            ("claims.domains_in_turn", [(4,)]),
            ("engine.due_of_domains", [due(4, 2)]),
            ("reader_mail.may_not_go", []),
            ("claims.mark_claimed", 1),
            ("claims.next_turns", 1),
        ]
    )
    [claimed] = await over(engine, ReaderMailVerbs).claim(LEASE, 10, 1)
    assert claimed.id == TWO
    assert engine.finished()[3] == Query("reader_mail.withhold", (10,), [(1, 1, "suppressed")])


async def test_a_mark_holds_for_all_or_each_is_asked_for() -> None:
    engine = RecordingEngine(
        [
            ("reader_mail.commit_marks", 2),
            ("reader_mail.commit_marks", 1),
            ("reader_mail.still_claimed", [(2, 1)]),
            ("reader_mail.may_not_go", [(2, 1, "stopped")]),
            ("reader_mail.withhold", 1),
            ("reader_mail.are_committing", [(1, 1)]),
        ]
    )
    store = over(engine, ReaderMailVerbs)
    assert await store.commit_marks(LEASE, [ONE, TWO]) == {ONE, TWO}
    assert engine.write_all(COMMIT_MARKS, [Marking(LEASE, [ONE, TWO], 10)]) == [{ONE}]
    asked = engine.finished()
    assert asked[0] == Query("reader_mail.commit_marks", (), [(1, 1, 7), (2, 1, 7)])
    assert asked[4] == Query("reader_mail.withhold", (10,), [(2, 1, "stopped")])


# ---- sites and domains


async def test_a_hint_a_pause_and_what_was_learned_of_a_domain_are_rows() -> None:
    engine = RecordingEngine(
        [
            ("claims.hint_site", 1),
            ("claims.pause_domain", 1),
            ("claims.domain_id", [(4,)]),
            ("claims.next_turns", 1),
            ("claims.learn_catch_all", 1),
            ("claims.catch_all", [(1, 9)]),
            ("claims.catch_all", []),
        ]
    )
    store = over(engine, SitesVerbs)
    await store.hint_site(Lane.RELAY, NET, "mx.example")
    await store.pause_domain(Lane.RELAY, NET, 50)
    await store.learn_catch_all(NET, CatchAll(True, 9))
    assert await store.catch_all(NET) == CatchAll(True, 9)
    assert await store.catch_all(NET) is None
    assert engine.finished()[:4] == [
        Query("claims.hint_site", ("relay", "example.net", "mx.example")),
        Query("claims.pause_domain", ("relay", "example.net", 50)),
        Query("claims.domain_id", ("relay", "example.net")),
        Query("claims.next_turns", (0,), [(4,)]),
    ]


async def test_a_site_goes_down_once_and_its_queues_with_it() -> None:
    engine = RecordingEngine(
        [
            ("claims.is_site_down", []),
            ("claims.site_down", 1),
            ("claims.mark_queues", 1),
            ("claims.is_site_down", [(1,)]),
            ("claims.site_down", 1),
            ("claims.is_site_down", [(1,)]),
            ("claims.sites_down", [("mx.example", 1, "connect", "", 9, 5)]),
        ]
    )
    store = over(engine, SitesVerbs)
    assert await store.site_down("mx.example", "connect", "", 5, 9)
    assert not await store.site_down("mx.example", "connect", "", 6, 10)
    assert await store.is_down("mx.example")
    [down] = await store.sites_down()
    assert (down.site, down.since_ms, down.looked_ms) == ("mx.example", 1, 5)
    assert engine.finished()[2] == Query("claims.mark_queues", ("mx.example", 1))


async def test_a_site_is_up_when_all_that_waited_for_it_is_due() -> None:
    engine = RecordingEngine(
        [
            ("claims.due_for_the_site", BATCH_ROWS),
            ("claims.due_for_the_site", 3),
            ("claims.site_up", 1),
            ("primaries.primary_up", 1),
            ("claims.mark_queues", 1),
            ("claims.due_for_the_site", 0),
            ("claims.site_up", 0),
            ("claims.mark_queues", 1),
        ]
    )
    store = over(engine, SitesVerbs)
    assert await store.site_up("mx.example", 5)
    assert not await store.site_up("mx.example", 6)
    assert engine.finished()[4] == Query("claims.mark_queues", ("mx.example", 0))


async def test_a_clock_that_went_wrong_is_mended_batch_by_batch() -> None:
    engine = RecordingEngine(
        [
            ("claims.paused_too_long", [(4,)]),
            ("claims.end_pauses", 1),
            ("claims.next_turns", 1),
            ("claims.paused_too_long", []),
            ("claims.put_off", [(1, 1)]),
            ("claims.mend_due", 1),
            ("claims.put_off", []),
        ]
    )
    assert await over(engine, SitesVerbs).mend_due(100, 50) == 1
    assert engine.finished()[5] == Query("claims.mend_due", (50,), [(1, 1)])


async def test_the_domains_that_wait_are_named_with_their_lanes() -> None:
    engine = RecordingEngine(
        [
            ("claims.domains_of", [("own", "example.net")]),
            ("claims.waiting_domains", [("relay", "example.net")]),
        ]
    )
    store = over(engine, SitesVerbs)
    assert await store.domains_of("mx.example", 3) == [(Lane.OWN, NET)]
    assert await store.waiting_domains() == [(Lane.RELAY, NET)]
    assert engine.finished()[0] == Query("claims.domains_of", ("mx.example", 3))


async def test_the_time_of_an_issues_mail_runs_from_its_first_attempt_or_with_a_dead_site() -> None:
    engine = RecordingEngine(
        [
            ("claims.domain_id", [(4,)]),
            ("claims.expired_of_issues", [(1, 1, "recipient", "450 4.2.2 full")]),
            ("claims.expired_at_a_dead_site", [(2, 1, "connect", "refused")]),
            ("claims.expire", 2),
            ("readers.note_refusals", 2),
            ("claims.next_turns", 1),
        ]
    )
    kinds = {"recipient": BounceKind.FULL, "connect": BounceKind.SENDER}
    store = over(engine, SitesVerbs)
    judged = await store.expire(Lane.ISSUES, NET, 5, 9, State.EXPIRED, lambda cause, reply: kinds[cause])
    assert judged == 2
    asked = engine.finished()
    assert asked[3] == Query("claims.expire", ("expired", None, 9), [(1, 1), (2, 1)])
    assert asked[4] == Query(
        "readers.note_refusals",
        (),
        [
            (1, 1, "expired", 9, "full", "", "450 4.2.2 full", "new"),
            (2, 1, "expired", 9, "sender", "", "refused", "counted"),
        ],
    )


async def test_the_time_of_other_mail_runs_from_its_arrival() -> None:
    engine = RecordingEngine(
        [
            ("claims.domain_id", [(4,)]),
            ("claims.expired_first", [(1, 1)]),
            ("claims.expired_again", []),
            ("claims.expire", 1),
            ("claims.next_turns", 1),
            ("claims.domain_id", [(4,)]),
            ("claims.expired_first", []),
            ("claims.expired_again", []),
        ]
    )
    store = over(engine, SitesVerbs)
    assert await store.expire(Lane.RELAY, NET, 5, 9, State.KEPT) == 1
    assert await store.expire(Lane.RELAY, NET, 5, 9, State.KEPT) == 0
    with pytest.raises(ValueError, match="expired or kept"):
        await store.expire(Lane.RELAY, NET, 5, 9, State.FAILED)
    asked = engine.finished()
    assert asked[2] == Query("claims.expired_again", (4, 5, BATCH_ROWS - 1))
    assert names(asked)[3:5] == ["claims.expire", "claims.next_turns"]
