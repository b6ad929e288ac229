"""The verbs about copies, each query answered from a list."""

import pytest

from secondpost.mail.delivery import DeliveryId
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import IssueId, IssueState
from secondpost.mail.queue_id import QueueId
from secondpost.mail.witness import CopyHold, WitnessFile
from secondpost.store.copy_ports import CopyVerdict, HeldByCopy, IssueInDoubt
from secondpost.store.verbs.accepting import AcceptingVerbs, NewsletterAcceptingVerbs
from secondpost.store.verbs.engine import BATCH_ROWS
from secondpost.store.verbs.leading import LeadingVerbs
from secondpost.store.verbs.steps import Row
from secondpost.store.verbs.witness import WitnessVerbs, judged
from tests.store.recording import Given, RecordingEngine, over

HERE = "machine 1"
HELD: Row = (7, 0, 1000, "it was copied")
ISSUE = IssueInDoubt(IssueId(3), "weekly", 12, IssueState.SENDING, QueueId(5), 2)


async def judged_as(
    row: list[Row], file: WitnessFile | None, *more: Given, is_new: bool = False, identity: str = HERE
) -> int:
    given: list[Given] = [("witness.row", row), *more]
    engine = RecordingEngine(given)
    found = await engine.change(lambda: judged(file, identity, 1000, is_new=is_new))
    engine.finished()
    return found.epoch


@pytest.mark.parametrize(
    ("epoch", "file"),
    [
        (1, None),  # the crash came before its first file
        (7, WitnessFile(7, HERE)),
        (8, WitnessFile(7, HERE)),  # the crash came between the database and the file
    ],
)
async def test_a_database_that_its_witness_fits_is_no_copy(epoch: int, file: WitnessFile | None) -> None:
    assert await judged_as([(epoch, 0, None, "")], file) == epoch


async def test_a_database_without_an_epoch_begins_one() -> None:
    assert await judged_as([], None, ("witness.set_epoch", 1)) == 1


async def test_a_new_database_begins_above_the_witness_that_another_one_left() -> None:
    assert await judged_as([], WitnessFile(7, HERE), ("witness.set_epoch", 1), is_new=True) == 8


@pytest.mark.parametrize(
    ("row", "file", "epoch"),
    [
        ((7, 1, None, ""), WitnessFile(7, HERE), 8),  # from a snapshot
        ((7, 0, None, ""), WitnessFile(7, "machine 2"), 8),  # another machine, or another file
        ((6, 0, None, ""), WitnessFile(7, HERE), 8),  # older, in the same file
        ((9, 0, None, ""), WitnessFile(7, HERE), 10),  # the witness is older
        ((2, 0, None, ""), None, 3),  # the witness is missing
        ((0, 0, None, ""), WitnessFile(7, HERE), 8),  # from before there were witnesses
    ],
)
async def test_a_database_that_its_witness_does_not_fit_is_held(
    row: Row, file: WitnessFile | None, epoch: int
) -> None:
    assert await judged_as([row], file, ("witness.hold", 1), ("engine.leap", [])) == epoch


async def test_the_file_follows_the_database_and_is_written_first_if_it_was_left_out() -> None:
    engine = RecordingEngine([("witness.row", [(7, 0, None, "")]), ("witness.advance", [(8,)])])
    await over(engine, WitnessVerbs).advance_epoch()
    assert engine.witness_epochs == [7, 8]


async def test_a_hold_is_read_with_its_reason() -> None:
    engine = RecordingEngine([("witness.row", [HELD]), ("witness.row", [(7, 0, None, "")])])
    store = over(engine, WitnessVerbs)
    assert await store.copy_hold() == CopyHold(1000, "it was copied")
    assert await store.copy_hold() is None


async def test_nothing_is_led_in_a_copy() -> None:
    engine = RecordingEngine([("witness.row", [HELD])])
    assert await over(engine, LeadingVerbs).lead("publish") is None


async def test_what_waited_is_set_aside_batch_by_batch_and_its_domains_lose_their_turn() -> None:
    engine = RecordingEngine(
        [
            ("witness.yet_to_set_aside", [(500,)]),
            ("witness.waiting_upto", [(1, 1, 4), (1, 2, 4)]),
            ("witness.set_aside", 2),
            ("claims.next_turns", 1),
            ("witness.yet_to_set_aside", [(500,)]),
            ("witness.waiting_upto", []),
            ("witness.all_set_aside", 1),
            ("witness.yet_to_set_aside", []),
        ]
    )
    store = over(engine, WitnessVerbs)
    assert [await store.set_aside_copied() for _ in range(3)] == [2, 0, 0]
    asked = engine.finished()
    assert (asked[1].binds, asked[2].chosen, asked[3].chosen) == ((500, BATCH_ROWS), [(1, 1), (1, 2)], [(4,)])


async def test_the_owner_is_shown_what_is_in_doubt() -> None:
    engine = RecordingEngine([("witness.in_doubt", [("relay", 0, 3), ("issues", 1, 2)])])
    found = await over(engine, AcceptingVerbs).in_doubt()
    assert found == [HeldByCopy(Lane.RELAY, False, 3), HeldByCopy(Lane.ISSUES, True, 2)]


async def test_what_the_original_delivered_ends() -> None:
    engine = RecordingEngine([("witness.were_delivered", 1)])
    assert (
        await over(engine, AcceptingVerbs).settle_named([DeliveryId(QueueId(9), 2)], CopyVerdict.DELIVERED)
        == 1
    )
    assert engine.finished()[0].chosen == [(9, 2)]
    assert engine.ended_mail


@pytest.mark.parametrize(
    ("to", "query", "first"),
    [
        (CopyVerdict.AGAIN, "witness.go_on", 1),
        (CopyVerdict.ON, "witness.go_on", 0),
        (CopyVerdict.DROPPED, "witness.let_drop", None),
    ],
)
async def test_mail_in_doubt_is_settled_as_the_owner_says(
    to: CopyVerdict, query: str, first: int | None
) -> None:
    given: list[Given] = [("witness.some_in_doubt", [(1, 1, 4)]), (query, 1), ("witness.some_in_doubt", [])]
    engine = RecordingEngine(given)
    store = over(engine, AcceptingVerbs)
    assert [await store.settle_doubted(to) for _ in range(2)] == [1, 0]
    assert engine.finished()[1].binds[:1] == (engine.clock.ms if first is None else first,)
    assert engine.ended_mail is (to is CopyVerdict.DROPPED)


async def test_a_copy_that_was_accepted_is_none_any_more() -> None:
    engine = RecordingEngine([("witness.end_hold", 1)])
    await over(engine, AcceptingVerbs).end_copy_hold()
    engine.finished()


async def test_issues_that_were_not_over_are_in_doubt() -> None:
    engine = RecordingEngine([("witness.issues_in_doubt", [(3, "weekly", 12, "sending", 5, 2)])])
    assert await over(engine, NewsletterAcceptingVerbs).issues_in_doubt() == [ISSUE]


async def test_all_rows_of_an_issue_are_settled_in_the_order_of_readers() -> None:
    engine = RecordingEngine(
        [
            ("issues.next_rows", [(200,)]),
            ("witness.of_issue_unknown", 2),
            ("issues.next_rows", [(None,)]),
        ]
    )
    assert await over(engine, NewsletterAcceptingVerbs).settle_issue(ISSUE, CopyVerdict.UNKNOWN) == 2
    asked = engine.finished()
    assert [asked[0].binds[1], asked[1].binds[1], asked[2].binds[1]] == [0, 0, 200]


async def test_articles_that_an_unknown_issue_may_have_had_are_skipped() -> None:
    engine = RecordingEngine(
        [
            ("witness.articles_in_doubt", [("weekly", 1)]),
            ("witness.some_articles", [(4,)]),
            ("witness.skip_articles", 1),
            ("witness.some_articles", []),
        ]
    )
    store = over(engine, NewsletterAcceptingVerbs)
    assert await store.articles_in_doubt() == {"weekly": 1}
    assert [await store.skip_articles("weekly", "why") for _ in range(2)] == [1, 0]


async def test_the_owner_learns_which_feeds_were_not_read_and_which_issue_was_the_last() -> None:
    engine = RecordingEngine(
        [("witness.unread_feeds", [("weekly", "https://x/")]), ("witness.last_numbers", [("weekly", 12)])]
    )
    store = over(engine, NewsletterAcceptingVerbs)
    assert await store.unread_feeds(1000) == [("weekly", "https://x/")]
    assert await store.last_numbers() == {"weekly": 12}


async def test_the_owner_may_declare_a_copy_that_nothing_shows() -> None:
    engine = RecordingEngine([("witness.row", [(7, 0, None, "")]), ("witness.hold", 1), ("engine.leap", [])])
    await over(engine, WitnessVerbs).declare_copy("you said so")
    assert engine.finished()[1].binds == (7, engine.clock.ms, "you said so")
