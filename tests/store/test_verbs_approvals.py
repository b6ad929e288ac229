"""The verbs of approvals and of the order of the next issue: which queries they run."""

from secondpost.mail.issue import ArticleId, DigestDraft
from secondpost.store.approval_ports import Approval, ApprovalId, ApprovalOutcome
from secondpost.store.verbs.approvals import KEPT_MS, ApprovalsVerbs
from secondpost.store.verbs.steps import Query
from tests.store.recording import RecordingEngine, over

ONE, TWO = ArticleId(1), ArticleId(2)
DRAFT = DigestDraft("weekly", "ready-1", (TWO, ONE), 2)
ROW = (7, "weekly", "ready-1", "2 1", None, 5, None)
APPROVED_ROW = (7, "weekly", "ready-1", "2 1", None, 5, 6)
ASKED = Approval(ApprovalId(7), "weekly", "ready-1", (TWO, ONE), None, 5, None)


async def test_an_issue_is_asked_about_once_and_anew_after_an_approval() -> None:
    engine = RecordingEngine(
        [
            ("approvals.approval", []),
            ("approvals.ask", 1),
            ("approvals.approval", [ROW]),
            ("approvals.forget", 0),
            ("approvals.approval", [ROW]),
            ("approvals.approval", [ROW]),
            ("approvals.forget", 0),
            ("approvals.approval", [APPROVED_ROW]),
            ("approvals.ask", 1),
            ("approvals.approval", [ROW]),
            ("approvals.forget", 0),
            ("approvals.approval", [ROW]),
        ]
    )
    store = over(engine, ApprovalsVerbs)
    for _ in range(3):
        assert await store.ask_approval(DRAFT, None, 5) == ASKED
    assert await store.approval("weekly", "ready-1") == ASKED
    assert Query("approvals.forget", ("weekly", 7, 5 - KEPT_MS)) in engine.finished()


async def test_the_newest_approval_is_found() -> None:
    engine = RecordingEngine([("approvals.newest", [ROW]), ("approvals.newest", [])])
    store = over(engine, ApprovalsVerbs)
    assert await store.newest_approval("weekly") == ASKED
    assert await store.newest_approval("weekly") is None


async def test_other_articles_replace_those_that_wait() -> None:
    engine = RecordingEngine(
        [
            ("approvals.approval", [ROW]),
            ("approvals.change", 1),
            ("approvals.approval", [(7, "weekly", "ready-1", "1 2", 9, 5, None)]),
            ("approvals.forget", 0),
        ]
    )
    store = over(engine, ApprovalsVerbs)
    asked = await store.ask_approval(DigestDraft("weekly", "ready-1", (ONE, TWO), 2), 9, 6)
    assert asked.articles == (ONE, TWO)
    assert Query("approvals.change", (7, "1 2", 9)) in engine.finished()


async def test_only_what_was_shown_is_approved() -> None:
    engine = RecordingEngine(
        [
            ("approvals.by_id", []),
            ("approvals.by_id", [APPROVED_ROW]),
            ("approvals.by_id", [ROW]),
            ("approvals.is_decided", [(1,)]),
            ("approvals.by_id", [ROW]),
            ("approvals.is_decided", []),
            ("approvals.by_id", [ROW]),
            ("approvals.is_decided", []),
            ("approvals.approve", 1),
        ]
    )
    store = over(engine, ApprovalsVerbs)
    id = ApprovalId(7)
    assert await store.approve(id, (TWO, ONE), 6) is ApprovalOutcome.OVER
    assert await store.approve(id, (TWO, ONE), 6) is ApprovalOutcome.ALREADY
    assert await store.approve(id, (TWO, ONE), 6) is ApprovalOutcome.OVER
    assert await store.approve(id, (ONE, TWO), 6) is ApprovalOutcome.CHANGED
    assert await store.approve(id, (TWO, ONE), 6) is ApprovalOutcome.APPROVED


async def test_what_was_not_mailed_yet_is_found_and_marked() -> None:
    engine = RecordingEngine(
        [
            ("approvals.to_mail", [ROW, (8, "monthly", "ready-1", "3", 4, 5, None)]),
            ("approvals.is_decided", []),
            ("approvals.is_decided", [(1,)]),
            ("approvals.set_secret", 1),
            ("approvals.mailed", 1),
            ("approvals.by_secret", [ROW]),
            ("approvals.by_id", [(8, "monthly", "ready-1", "3", 4, 5, None)]),
        ]
    )
    store = over(engine, ApprovalsVerbs)
    assert await store.approvals_to_mail() == [ASKED]
    await store.set_secret(ASKED.id, b"hash")
    await store.approval_mailed(ASKED.id, 6)
    assert await store.approval_of_secret(b"hash") == ASKED
    assert await store.is_approval_over(ApprovalId(8), 5)  # its time is over
    assert Query("approvals.set_secret", (7, b"hash")) in engine.finished()


async def test_the_order_of_the_next_issue_is_kept_and_removed() -> None:
    engine = RecordingEngine(
        [
            ("approvals.set_next_order", 1),
            ("approvals.next_order", [("2 1",)]),
            ("approvals.drop_next_order", 1),
            ("approvals.next_order", []),
        ]
    )
    store = over(engine, ApprovalsVerbs)
    await store.set_next_order("weekly", (TWO, ONE))
    assert await store.next_order("weekly") == (TWO, ONE)
    await store.set_next_order("weekly", ())
    assert await store.next_order("weekly") == ()
