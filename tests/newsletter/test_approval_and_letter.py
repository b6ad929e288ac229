"""A letter between the question for an approval, the answer and the issue: it ends neither."""

from dataclasses import replace

from secondpost.mail.issue import DigestDraft, IssueKind
from secondpost.newsletter.decisions import Ready, ToApprove
from secondpost.newsletter.next_slot import ready_slot
from secondpost.store.approval_ports import Approval, ApprovalId, ApprovalOutcome
from tests.newsletter.blog import WEEKLY, Bench, Blog, articles

ASKS = replace(WEEKLY, approve=True)


async def asked(blog: Blog) -> Approval:
    await blog.says(articles(2, 1))
    assert isinstance((await blog.turn()).decision, ToApprove)
    [approval] = await blog.store.approvals_to_mail()
    return approval


async def letter_goes(blog: Blog) -> None:
    await blog.publisher.send_letter(
        blog.newsletter, "Sorry", "The last link was wrong.", await blog.leader()
    )
    await blog.sees_through()


async def kinds(blog: Blog) -> list[IssueKind]:
    return [issue.kind for issue in await blog.store.issues("weekly", None, 10)]


def test_a_letter_after_the_approval_does_not_undo_it(bench: Bench) -> None:
    blog = bench.blog(ASKS)

    async def story() -> None:
        approval = await asked(blog)
        approved = await blog.store.approve(approval.id, approval.articles, blog.clock.ms)
        assert approved is ApprovalOutcome.APPROVED
        await letter_goes(blog)
        assert isinstance((await blog.turn()).decision, Ready)
        assert await kinds(blog) == [IssueKind.DIGEST, IssueKind.LETTER]

    bench.run(story())


def test_a_letter_before_the_approval_leaves_the_link_as_it_is(bench: Bench) -> None:
    blog = bench.blog(ASKS)

    async def story() -> None:
        approval = await asked(blog)
        await letter_goes(blog)
        await letter_goes(blog)
        assert isinstance((await blog.turn()).decision, ToApprove)
        assert not await blog.store.is_approval_over(approval.id, blog.clock.ms)
        assert await blog.store.approvals_to_mail() == [approval]
        approved = await blog.store.approve(approval.id, approval.articles, blog.clock.ms)
        assert approved is ApprovalOutcome.APPROVED
        assert isinstance((await blog.turn()).decision, Ready)
        await blog.sees_through()
        await blog.says(articles(4, 3, 2, 1))
        assert isinstance((await blog.turn()).decision, ToApprove)
        assert await blog.store.is_approval_over(approval.id, blog.clock.ms)

    bench.run(story())


def test_an_approval_that_an_older_version_asked_for_after_a_letter_holds(bench: Bench) -> None:
    blog = bench.blog(ASKS)

    async def story() -> None:
        first = await asked(blog)
        await letter_goes(blog)
        second = await blog.store.ask_approval(
            DigestDraft("weekly", "ready-2", first.articles, 2), None, blog.clock.ms
        )
        assert await blog.store.is_approval_over(first.id, blog.clock.ms)
        approved = await blog.store.approve(second.id, second.articles, blog.clock.ms)
        assert approved is ApprovalOutcome.APPROVED
        assert isinstance((await blog.turn()).decision, Ready)

    bench.run(story())


def test_only_an_approval_for_the_next_digest_keeps_its_slot() -> None:
    def asked_for(slot: str) -> Approval:
        return Approval(ApprovalId(1), "weekly", slot, (), None, 5, None)

    assert ready_slot(0, 0, None) == "ready-1"
    assert ready_slot(4, 6, None) == "ready-5"
    assert ready_slot(4, 6, asked_for("ready-7")) == "ready-7"
    assert ready_slot(4, 6, asked_for("ready-4")) == "ready-5"
    assert ready_slot(4, 6, asked_for("2029-01-05T08:00")) == "ready-5"
