"""The verbs of the desk and of housekeeping: which queries they run."""

import pytest

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.queue_id import QueueId
from secondpost.store.owner_ports import Refused, Selection
from secondpost.store.ports import Dropped, Swept
from secondpost.store.verbs.desk import DeskVerbs
from secondpost.store.verbs.keeping import KeepingVerbs
from secondpost.store.verbs.refused import RefusedVerbs
from secondpost.store.verbs.steps import Query, Row
from secondpost.store.verbs.workers import enter, leave
from tests.store.recording import RecordingEngine, names, over

ONE = QueueId(7)


def listed(message: int, recipient: str = "ann@example.org") -> Row:
    who = ("ann@example.com", recipient, None)
    return (message, 1, "relay", "waiting", None, *who, "unsorted", 0, 5, 1, 1, 0, None, "", "", "", 0)


async def test_a_move_looks_again_under_the_lock_and_leads_only_from_permitted_states() -> None:
    engine = RecordingEngine(
        [
            ("desk.listed", [listed(7), listed(8)]),
            ("desk.still_there", [(7, 1, 3)]),
            ("desk.move", 1),
            ("desk.tell", 1),
            ("claims.next_turns", 1),
            ("desk.listed", []),
        ]
    )
    store = over(engine, DeskVerbs)
    came_from = (State.WAITING, State.CLAIMED)
    assert await store.move(Selection(), came_from, State.HELD, 9, "held", "why") == 1
    asked = engine.finished()
    assert asked[1] == Query("desk.still_there", (1, 1, "waiting"), [(7, 1), (8, 1)], "AND state IN (?3)")
    assert asked[2:4] == [
        Query("desk.move", ("held", 9, 0), [(7, 1)]),
        Query("desk.tell", (9, "held", "why"), [(7, 1)]),
    ]
    assert asked[5].binds[:2] == (8, 1)
    assert not engine.ended_mail


async def test_what_is_dropped_may_end_content() -> None:
    engine = RecordingEngine(
        [
            ("desk.listed", [listed(7)]),
            ("desk.still_there", [(7, 1, 3)]),
            ("desk.move", 1),
            ("desk.tell", 1),
            ("claims.next_turns", 1),
            ("desk.listed", []),
        ]
    )
    await over(engine, DeskVerbs).move(Selection(), (State.WAITING,), State.DROPPED, 9, "dropped", "")
    assert engine.finished()[2] == Query("desk.move", ("dropped", 9, 1), [(7, 1)])
    assert engine.ended_mail


async def test_no_move_without_an_edge_asks_the_store() -> None:
    engine = RecordingEngine([])
    assert await over(engine, DeskVerbs).move(Selection(), (State.DROPPED,), State.HELD, 9, "", "") == 0
    with pytest.raises(ValueError, match="by hand"):
        await over(engine, DeskVerbs).move(Selection(), (State.WAITING,), State.CLAIMED, 9, "", "")


async def test_a_redirect_is_told_before_it_is_done() -> None:
    engine = RecordingEngine(
        [
            ("desk.listed", [listed(7)]),
            ("desk.still_there", [(7, 1, 3)]),
            ("desk.tell_redirect", 1),
            ("desk.add_domain", 1),
            ("desk.redirect", 1),
            ("claims.next_turns", 1),
            ("desk.listed", []),
        ]
    )
    to = Mailbox("me", Domain("example.net"))
    assert await over(engine, DeskVerbs).redirect(Selection(), to, 9, "why") == 1
    assert engine.finished()[4] == Query("desk.redirect", ("me@example.net", 9, "example.net"), [(7, 1)])


async def test_an_address_beyond_ascii_is_compared_here() -> None:
    engine = RecordingEngine([("desk.listed", [listed(7), listed(8, "Иван@example.org")])])
    [one] = await over(engine, DeskVerbs).listed(Selection(address="иван@example.org"), None, 5)
    assert one.id == DeliveryId(QueueId(8), 1)


async def test_views_of_one_message() -> None:
    message: Row = ("relay", "a@example.com", 5, "192.0.2.1", "h", "ESMTP", "", 1, 1, "spf=pass")
    engine = RecordingEngine(
        [
            ("desk.message", [message]),
            ("desk.events", [(1, 2, "held", "")]),
            ("desk.content_place", [(7, None, b"top\n")]),
            ("desk.content_piece", [(b"ab",)]),
            ("desk.content_piece", [(b"c",)]),
            ("desk.content_place", [(3, "content/1-a", None)]),
            ("desk.content_place", []),
        ],
        content_files={"content/1-a": b"xyz"},
    )
    store = over(engine, DeskVerbs)
    found = await store.message(ONE)
    assert found is not None
    assert found.has_content
    assert found.authentication == "spf=pass"
    assert [event.what for event in await store.events(ONE)] == ["held"]
    assert [piece async for piece in store.content_pieces(ONE, 2)] == [b"top\n", b"ab", b"c"]
    assert [piece async for piece in store.content_pieces(ONE, 2)] == [b"xy", b"z"]
    with pytest.raises(LookupError):
        [piece async for piece in store.content_pieces(ONE, 2)]
    assert engine.finished()[4] == Query("desk.content_piece", (7, 3, 1))


async def test_what_is_claimed_is_counted_apart_from_what_waits() -> None:
    waiting: Row = (3, "relay", "example.org", "unsorted", 0, "waiting", 5, 50, 40, 30)
    kept: Row = (3, "relay", "example.org", "unsorted", 0, "kept refused", 1, 5, None, None)
    engine = RecordingEngine(
        [
            ("desk.claimed_counts", [(3, 2, 20, 35)]),
            ("desk.aside_oldest", [(3, "kept refused", 12)]),
            ("desk.counts", [waiting, kept]),
        ]
    )
    counts = await over(engine, DeskVerbs).counts()
    assert [(one.state, one.deliveries, one.octets, one.oldest_ms) for one in counts] == [
        (State.WAITING, 3, 30, 30),
        (State.CLAIMED, 2, 20, 35),
        (State.KEPT, 1, 5, 12),
    ]


@pytest.mark.parametrize(("busy", "served"), [((), False), (("workers/2.lock",), True)])
async def test_a_store_is_served_while_a_worker_has_its_lock(busy: tuple[str, ...], served: bool) -> None:
    working = ("desk.workers_but_of", [("receive+deliver", "workers/2.lock")])
    desk = over(RecordingEngine([working, working], busy_locks=busy), DeskVerbs)
    assert await desk.is_served() is served
    assert await desk.served_by() == (frozenset({"receive", "deliver"}) if served else frozenset())


async def test_the_oldest_refused_go_until_few_octets_are_left() -> None:
    engine = RecordingEngine(
        [
            ("desk.oldest_refused", [(1, 1, 10, 5, 5), (3, 1, 30, 5, 5)]),
            ("desk.oldest_refused", [(2, 1, 20, 5, 5)]),
            ("desk.refused_octets", [(15,)]),
            ("desk.move", 2),
            ("desk.tell", 2),
            ("desk.refused", [("example.org", 1, 5, 30)]),
        ]
    )
    store = over(engine, RefusedVerbs)
    domain = Domain("example.org")
    assert await store.drop_refused(domain, 100, 5, 200, "room") == Dropped(2, 10)
    assert await store.refused() == [Refused(domain, 1, 5, 30)]
    assert engine.finished()[3] == Query("desk.move", ("dropped", 200, 1), [(1, 1), (2, 1)])


async def test_claims_of_a_dead_worker_end_before_its_leases() -> None:
    claimed: list[Row] = [(1, 1, "claimed", 0), (2, 1, "committing", 1), (3, 1, "claimed", 1)]
    engine = RecordingEngine(
        [
            ("keeping.other_workers", [(5, "workers/5.lock"), (4, "workers/4.lock")]),
            ("keeping.claimed_of", claimed),
            ("keeping.tell_doubt_again", 0),
            ("keeping.doubt", 3),
            ("keeping.claimed_of", []),
            ("keeping.drop_leases", 1),
            ("keeping.needed_files", [("content/4-a",)]),
            ("keeping.drop_worker", 1),
        ],
        busy_locks=["workers/5.lock"],
        content_files={"content/4-a": b"needed", "content/4-b": b"", "content/1-a": b""},
    )
    store = over(engine, KeepingVerbs)
    swept = await store.sweep()
    assert swept == Swept(1, (DeliveryId(QueueId(1), 1),), 1, (DeliveryId(QueueId(2), 1),))
    assert engine.removed == ["content/4-b", "workers/4.lock", "what is leaving"]
    assert engine.finished()[3].chosen == [(1, 1), (2, 1), (3, 1)]


async def test_the_log_and_the_end_are_the_engines_affair() -> None:
    engine = RecordingEngine([], worker_number=3, log_octets=4096)
    store = over(engine, KeepingVerbs)
    assert (store.worker, await store.checkpoint()) == (3, 4096)
    store.close()
    assert engine.is_closed
    with pytest.raises(RuntimeError, match="a command is no worker"):
        assert over(RecordingEngine([], worker_number=None), KeepingVerbs).worker


async def test_a_worker_takes_the_next_number_that_is_free_and_locks_it_first() -> None:
    engine = RecordingEngine(
        [
            ("keeping.worker_numbers", [(3,)]),
            ("engine.last_run", [(2,)]),
            ("keeping.enter_worker", 1),
            ("keeping.worker_numbers", [(3,), (4,)]),
            ("engine.last_run", [(2,)]),
        ],
        busy_locks=("workers/4.lock",),
    )
    worker = await engine.change(lambda: enter(engine.hold, "deliver", range(8), 9))
    assert (worker.number, worker.lock) == (5, "workers/5.lock")
    with pytest.raises(RuntimeError, match="has to be swept"):
        await engine.change(lambda: enter(engine.hold, "deliver", range(3, 5), 9))
    assert engine.finished()[2] == Query("keeping.enter_worker", (5, 5, "deliver", 9, "workers/5.lock"))


@pytest.mark.parametrize(("leases", "rows"), [(1, [("content/4-a",)]), (0, [])])
async def test_a_worker_with_something_under_way_does_not_leave(leases: int, rows: list[Row]) -> None:
    engine = RecordingEngine([("keeping.leases_of", [(leases,)]), ("keeping.needed_files", rows)])
    assert not await engine.change(lambda: leave(4, ["content/4-a"]))
    engine.finished()


async def test_a_worker_leaves_with_all_its_files_in_rows() -> None:
    engine = RecordingEngine(
        [
            ("keeping.leases_of", [(0,)]),
            ("keeping.needed_files", [("content/4-a",)]),
            ("keeping.drop_worker", 1),
        ]
    )
    assert await engine.change(lambda: leave(4, ["content/4-a"]))
    assert engine.finished()[2] == Query("keeping.drop_worker", (4,))


async def test_what_is_forgotten_goes_in_batches() -> None:
    engine = RecordingEngine(
        [
            ("keeping.ended_messages", [(1, 150), (2, 60)]),
            ("keeping.forget_deliveries", 150),
            ("keeping.forget_events", 0),
            ("keeping.forget_messages", 1),
            ("keeping.forget_learned", 2),
            ("keeping.forget_learned", 3),
            ("keeping.learned_count", [(12,)]),
            ("keeping.forget_oldest_learned", 2),
            ("keeping.learned_count", [(10,)]),
            ("keeping.forget_prefixes", 4),
        ]
    )
    store = over(engine, KeepingVerbs)
    assert await store.prune(100) == 1
    assert await store.forget_learned(10, 20) == 5
    assert await store.bound_learned(10) == 2
    assert await store.bound_learned(10) == 0
    assert await store.forget_prefixes(30) == 4
    asked = engine.finished()
    assert asked[1] == Query("keeping.forget_deliveries", (), [(1,)])
    assert names(asked)[-1] == "keeping.forget_prefixes"
