"""The verbs of the ledger and of renaming: which queries they run."""

import pytest

from secondpost.mail.article_states import ArticleState
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import ArticleId, IssueId
from secondpost.mail.subscriber import SubscriberState
from secondpost.store.feed_ports import Feed, FeedPush
from secondpost.store.naming_ports import FormerName, KnownNewsletter, RenameRefused
from secondpost.store.newsletter_ports import (
    TAKEN_BY_HAND,
    ArticleMove,
    FetchRecord,
    LeadershipLost,
    SeenAgain,
)
from secondpost.store.ports import Lease
from secondpost.store.verbs.ledger import LedgerVerbs
from secondpost.store.verbs.naming import NamingVerbs
from secondpost.store.verbs.steps import Query, Row
from tests.store.readers import FEED, article, new
from tests.store.recording import Given, RecordingEngine, names, over

LEADER = Lease(Lane.OWN, "leader of publish", 0, 5)
LED: Given = ("issues.is_led", [(1,)])
SKIP = ArticleMove(ArticleId(3), ArticleState.SKIPPED, "by hand")
FOUND: Row = (
    *(3, "weekly", FEED, "guid-1", "https://www.example.net/1", "Article 1", "", "", "", None, "print-1"),
    *("https://www.example.net/1", 1, 2, 1, "waiting", None, "", 0, "", ""),
)


async def test_a_feed_is_known_with_its_distrusted_guids_or_new() -> None:
    known: Row = (
        *("weekly", FEED, "etag", "", "", "The Blog", 1, 1, None, "", 1, "", FEED, FEED, 7, None, 0),
        *("https://hub.example/", FEED, "token", "secret", 5),
    )
    engine = RecordingEngine(
        [
            ("ledger.distrusted", [("guid-1",)]),
            ("ledger.feed", [known]),
            ("ledger.distrusted", []),
            ("ledger.feed", []),
            ("ledger.feed_of_push", [known]),
            ("ledger.feed_of_push", [known]),
            ("ledger.note_push", 1),
        ]
    )
    store = over(engine, LedgerVerbs)
    feed = await store.feed("weekly", FEED)
    assert (feed.title, feed.baseline_done) == ("The Blog", True)
    assert feed.distrusted_guids == {"guid-1"}
    assert await store.feed("weekly", FEED) == Feed("weekly", FEED)
    found = await store.feed_of_push("token")
    assert found is not None
    assert found.push == FeedPush("https://hub.example/", FEED, "token", "secret", 5)
    await store.note_push("token", 3, 10)
    assert engine.finished()[-1].binds == ("token", 11)


async def test_a_look_is_written_down_row_by_row() -> None:
    engine = RecordingEngine(
        [
            ("naming.being_renamed", []),
            ("ledger.write_feed", 1),
            ("ledger.distrust", 1),
            ("ledger.add_article", 1),
            ("ledger.see_again", 1),
            ("ledger.move_article", 1),
        ]
    )
    record = FetchRecord(
        Feed("weekly", FEED, distrusted_guids=frozenset({"guid-9"})),
        5,
        new=(new(1),),
        again=(SeenAgain(ArticleId(3), article(3), "https://www.example.net/3"),),
        moves=(SKIP,),
    )
    await over(engine, LedgerVerbs).record_fetch(record)
    assert engine.finished()[5].binds == (3, "weekly", "skipped", "by hand", TAKEN_BY_HAND)


async def test_nothing_of_a_look_is_written_while_its_newsletter_is_renamed() -> None:
    engine = RecordingEngine([("naming.being_renamed", [(1,)])])
    await over(engine, LedgerVerbs).record_fetch(FetchRecord(Feed("weekly", FEED), 5, new=(new(1),)))
    engine.finished()


async def test_articles_are_moved_by_hand_all_or_none() -> None:
    engine = RecordingEngine([("ledger.movable", [(1,)]), ("ledger.move_by_hand", 1)])
    assert await over(engine, LedgerVerbs).move_articles("weekly", [SKIP]) == 1
    assert engine.finished()[1] == Query("ledger.move_by_hand", ("weekly",), [(3, "skipped", "by hand")])
    engine = RecordingEngine([("ledger.movable", [(0,)])])
    assert await over(engine, LedgerVerbs).move_articles("weekly", [SKIP]) == 0
    engine.finished()


async def test_no_hand_takes_an_article_into_an_issue() -> None:
    taken = ArticleMove(ArticleId(3), ArticleState.TAKEN, "")
    with pytest.raises(ValueError, match="by an issue alone"):
        await over(RecordingEngine([]), LedgerVerbs).move_articles("weekly", [taken])


async def test_entries_are_found_by_what_they_are_known_by() -> None:
    later = (4, *FOUND[1:])
    engine = RecordingEngine(
        [
            ("ledger.entries_by_guid", [FOUND]),
            ("ledger.entries_by_link", [FOUND]),
            ("ledger.entries_by_fingerprint", []),
            ("ledger.first_entries", [FOUND, later]),
            ("ledger.latest_entries", [later, FOUND]),
            ("ledger.entries_of_issue", []),
            ("ledger.entry", []),
            ("ledger.standing", [later, FOUND]),
            ("ledger.count", [(2,)]),
        ]
    )
    store = over(engine, LedgerVerbs)
    [entry] = await store.entries_by_guid("weekly", FEED, ["guid-1", "guid-2"])
    assert (entry.id, entry.article.title, entry.state) == (3, "Article 1", ArticleState.WAITING)
    assert await store.entries_by_link("weekly", ["https://www.example.net/1"]) == [entry]
    assert await store.entries_by_fingerprint("weekly", []) == []
    assert [each.id for each in await store.entries("weekly", ArticleState.WAITING, 9)] == [3, 4]
    assert [each.id for each in await store.entries("weekly", ArticleState.HELD, 9)] == [3, 4]
    assert await store.entries_of_issue(IssueId(1)) == []
    assert await store.entry(ArticleId(9)) is None
    assert [each.id for each in await store.standing("weekly", FEED, 1, 9)] == [3, 4]
    assert await store.count("weekly", ArticleState.WAITING) == 2
    assert engine.finished()[0].chosen == [("guid-1",), ("guid-2",)]


async def test_the_causes_of_held_articles_are_read() -> None:
    engine = RecordingEngine(
        [
            ("ledger.causes_held", [("in doubt",)]),
        ]
    )
    store = over(engine, LedgerVerbs)
    assert await store.causes_held("weekly") == {"in doubt"}
    engine.finished()


# ---------------------------------------------------------------- renaming


async def test_names_are_known_and_given_up() -> None:
    engine = RecordingEngine(
        [
            ("naming.known", [("old", 1, 2, 3)]),
            ("naming.names", [("old",), ("weekly",)]),
            ("naming.retire", 0),
            ("naming.former_names", [("old", "weekly", 0)]),
            ("naming.now_named", [("weekly",)]),
            ("naming.now_named", []),
        ]
    )
    store = over(engine, NamingVerbs)
    assert await store.left_behind(["weekly"]) == [KnownNewsletter("old", 1, 2, 3)]
    assert await store.known_newsletters() == ["old", "weekly"]
    assert not await store.retire("old", 1)
    assert await store.former_names() == [FormerName("old", "weekly", False)]
    assert await store.now_named("old") == "weekly"
    assert await store.now_named("weekly") is None
    assert engine.finished()[0].chosen == [("weekly",)]


BEGUN: list[Given] = [
    ("naming.in_use_again", 0),
    ("naming.lead_on", 0),
    ("naming.is_former", 1),
    ("naming.not_retired", 0),
    ("naming.not_retired", 0),
]
FREE: list[Given] = [LED, ("naming.under_way", []), ("naming.half_done", [])]


async def test_a_rename_clears_the_ledger_of_the_new_name() -> None:
    engine = RecordingEngine([*FREE, ("naming.former", []), ("naming.of_its_own", [(0, 0)]), *BEGUN])
    await over(engine, NamingVerbs).begin_rename("old", "weekly", 9, LEADER)
    assert engine.finished()[7].binds == ("old", "weekly", 9, "weekly")


async def test_a_rename_that_is_repeated_clears_what_came_under_the_old_name() -> None:
    former: Given = ("naming.former", [("weekly", "", 1)])
    engine = RecordingEngine([*FREE, former, ("naming.of_its_own", [(0, 0)]), *BEGUN])
    await over(engine, NamingVerbs).begin_rename("old", "weekly", 9, LEADER)
    assert engine.finished()[7].binds == ("old", "weekly", 9, "old")


async def test_a_rename_under_way_just_goes_on() -> None:
    engine = RecordingEngine([*FREE, ("naming.former", [("weekly", "weekly", 0)])])
    await over(engine, NamingVerbs).begin_rename("old", "weekly", 9, LEADER)
    engine.finished()


@pytest.mark.parametrize(
    "given",
    [
        [("naming.under_way", [("old", 4, "sending")])],
        [("naming.under_way", []), ("naming.half_done", [("older", "old")])],
        [*FREE[1:], ("naming.former", []), ("naming.of_its_own", [(1, 0)])],
        [*FREE[1:], ("naming.former", [("weekly", "", 1)]), ("naming.of_its_own", [(0, 1)])],
    ],
)
async def test_a_rename_is_refused(given: list[Given]) -> None:
    engine = RecordingEngine([LED, *given])
    with pytest.raises(RenameRefused):
        await over(engine, NamingVerbs).begin_rename("old", "weekly", 9, LEADER)
    engine.finished()


async def test_a_batch_needs_the_lead() -> None:
    with pytest.raises(LeadershipLost):
        await over(RecordingEngine([("issues.is_led", [])]), NamingVerbs).rename_batch("old", LEADER)


def batch(clears: str, *given: Given) -> RecordingEngine:
    return RecordingEngine([LED, ("naming.former", [("weekly", clears, 0)]), *given])


NO_PEOPLE: list[Given] = [
    ("naming.next_readers", []),
    ("naming.move_readers", 0),
    ("naming.copy_suppressions", 0),
    ("naming.drop_suppressions", 0),
]


async def test_what_is_cleared_goes_first() -> None:
    engine = batch("weekly", ("naming.clear_articles", 0), ("naming.clear_guids", 6))
    assert await over(engine, NamingVerbs).rename_batch("old", LEADER) == 6
    engine.finished()
    empty = [("naming.clear_articles", 0), ("naming.clear_guids", 0), ("naming.clear_feeds", 0)]
    cleared: list[Given] = [*empty, ("naming.clear_slots", 0), ("naming.cleared", 1)]
    engine = batch("weekly", *cleared, *NO_PEOPLE, ("naming.move_outcomes", 7))
    assert await over(engine, NamingVerbs).rename_batch("old", LEADER) == 7
    engine.finished()


async def test_the_last_batch_moves_what_is_single_and_says_so() -> None:
    engine = batch(
        "",
        *NO_PEOPLE,
        ("naming.move_outcomes", 0),
        ("naming.move_articles", 0),
        ("naming.make_way_for_guids", 0),
        ("naming.move_guids", 0),
        ("naming.make_way_for_feeds", 0),
        ("naming.move_feeds", 0),
        ("naming.move_slots", 0),
        ("naming.move_issues", 0),
        ("naming.make_way_for_calendar", 1),
        ("naming.move_calendar", 1),
        ("naming.make_way_for_note", 0),
        ("naming.move_note", 0),
        ("naming.make_way_for_order", 0),
        ("naming.move_order", 1),
        ("naming.make_way_for_approvals", 0),
        ("naming.move_approvals", 1),
        ("naming.done", 1),
    )
    assert await over(engine, NamingVerbs).rename_batch("old", LEADER) == 0
    engine.finished()
    done = RecordingEngine([LED, ("naming.former", [("weekly", "", 1)])])
    assert await over(done, NamingVerbs).rename_batch("old", LEADER) == 0


@pytest.mark.parametrize("came", [SubscriberState.ACTIVE, SubscriberState.PENDING])
async def test_of_a_reader_under_both_names_the_first_row_stays(came: SubscriberState) -> None:
    confirmed: list[Given] = [("engine.last_event", [(9,)]), ("readers.lead", 1), ("readers.tell", 1)]
    is_led = came is SubscriberState.ACTIVE
    erasing = ["sign_ups", "outcomes", "events", "bounces", "delivery_events", "deliveries", "reader"]
    erased: list[Given] = [(f"readers.erase_{what}", 0) for what in erasing]
    engine = batch(
        "",
        ("naming.next_readers", [(1, None), (8, 2)]),
        ("naming.two_rows", [(2, "pending", 1, None, 0), (8, came.value, 5, 4, 1)]),
        *(confirmed if is_led else [("readers.erase_consents", 0)]),
        *erased,
        ("naming.move_readers", 1),
    )
    assert await over(engine, NamingVerbs).rename_batch("old", LEADER) == 2
    asked = engine.finished()
    assert asked[-1] == Query("naming.move_readers", ("weekly",), [(1,)])
    assert ("readers.lead" in names(asked)) == is_led
    assert asked[-2].chosen == [(8,)]


async def test_suppressions_are_moved_when_no_reader_is_left() -> None:
    people = [*NO_PEOPLE[:2], ("naming.copy_suppressions", 3), ("naming.drop_suppressions", 3)]
    engine = batch("", *people)
    assert await over(engine, NamingVerbs).rename_batch("old", LEADER) == 3
    engine.finished()
