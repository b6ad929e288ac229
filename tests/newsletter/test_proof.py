"""An issue waits until DNS proves who sends."""

import pytest

from secondpost.newsletter.decisions import NotDue, NotProven, Ready, Unproven
from secondpost.store.newsletter_ports import IssueRefused, SlotOutcome
from tests.newsletter.blog import URL, Bench, articles
from tests.newsletter.test_issues import FRIDAYS, outcomes, turn

MISSING = 'example.net has no DMARC record. Publish: _dmarc.example.net. IN TXT "v=DMARC1; p=none"'


def test_an_issue_waits_with_the_record_to_publish_and_goes_once_it_is_seen(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        blog.found[URL] = articles(2, 1)
        blog.unproven = MISSING
        await turn(blog, "2029-01-01T00:00")
        waits = await turn(blog, "2029-01-05T08:00")
        assert isinstance(waits.decision, Unproven)
        assert MISSING in waits.reason
        assert "no later than Friday 21:00" in waits.reason
        await turn(blog, "2029-01-05T08:00:02")
        assert await blog.store.issues("weekly", None, 10) == []
        [alarm] = [line for line in blog.alarms if "issue-held" in line]
        assert "v=DMARC1; p=none" in alarm
        blog.unproven = None
        assert isinstance((await turn(blog, "2029-01-05T09:00")).decision, Ready)
        [issue] = await blog.store.issues("weekly", None, 10)
        assert issue.slot == "2029-W01"

    bench.run(story())


def test_a_slot_that_ends_without_proof_is_held_and_keeps_its_articles(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        blog.found[URL] = articles(2, 1)
        blog.unproven = MISSING
        await turn(blog, "2029-01-01T00:00")
        await turn(blog, "2029-01-05T08:00")
        over = await turn(blog, "2029-01-05T20:00:01")
        assert isinstance(over.decision, NotProven)
        assert "secondpost check dns" in over.reason
        assert await outcomes(blog, "2029-W01") == [SlotOutcome.HELD]
        assert (await turn(blog, "2029-01-05T20:00:02")).decision == NotDue(2, 2, over.decision.next_ms or 0)

    bench.run(story())


def test_an_issue_or_a_letter_by_command_waits_too(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        blog.unproven = MISSING
        await blog.says(articles(2, 1))
        leader = await blog.leader()
        sent = await blog.publisher.send_now(blog.newsletter, leader)
        assert isinstance(sent.decision, Unproven)
        with pytest.raises(IssueRefused, match="no DMARC record"):
            await blog.publisher.send_letter(blog.newsletter, "Sorry", "The last issue was empty.", leader)
        assert await blog.store.issues("weekly", None, 10) == []

    bench.run(story())
