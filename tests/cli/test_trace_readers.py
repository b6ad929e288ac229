"""`trace` of a reader: sign-up, confirmation, issues with replies, bounces, leaving."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from secondpost.mail.address import Mailbox
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.delivery import State
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import IssueState
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.subscriber import SubscriberId
from secondpost.newsletter.publish import SEND_ROWS
from secondpost.owner.newsletter_desk import OpenNewsletter
from secondpost.store.ports import Settlement
from secondpost.store.sqlite import SqliteStore
from secondpost.store.subscriber_ports import Bounce, SignedUp
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.work import RealWork
from tests.cli.newspaper import CONFIRMED, Newspaper

KATHMANDU = 'every = "friday 09:00"\ntimezone = "Asia/Kathmandu"'  # UTC+5:45, unlike full-hour zones
ADA, BOB = "Ada@reader.example", "bob@reader.example"


@pytest.fixture
def office(paper: Newspaper) -> Newspaper:
    """A newspaper that also has the store of the other mail, as made by the service."""
    work = RealWork(1)
    disk = RealDisk(str(paper.folder / "store"))
    SqliteStore.open(disk, work, RealClock(), role="deliver", failed=lambda error: None).close()
    work.close()
    return paper


def steps(paper: Newspaper, what: str) -> list[tuple[str, str]]:
    document = json.loads(paper.run("trace", what, "--json").stdout)
    [way] = document["messages"] + document["readers"]
    times = [step["at"] for step in way["steps"]]
    assert times == sorted(times)
    return [(step["station"], step["what"]) for step in way["steps"]]


def attempt(paper: Newspaper, lane: Lane, made: Callable[[str], tuple[State, str, str]]) -> None:
    """Attempt every due mail of the lane, with the outcome that `made` gives for its recipient."""

    async def work(open_: OpenNewsletter) -> None:
        store = open_.store
        for issue in await store.issues_under_way():
            now_ms = open_.clock.now_ms()
            if issue.state is IssueState.FROZEN:
                assert await store.start(issue.id, now_ms)
            while await store.send_batch(issue.id, now_ms, SEND_ROWS) > 0:
                pass
        lease = await store.lease(lane, "unsorted")
        assert lease is not None
        now_ms = open_.clock.now_ms()
        claimed = await store.claim(lease, now_ms, 10)
        assert len(claimed) > 0
        await store.commit_marks(lease, [one.id for one in claimed])
        for one in claimed:
            state, cause, reply = made(str(one.recipient))
            host = "mx.reader.example[192.0.2.9]"
            await store.settle(
                lease, [Settlement(one.id, state, now_ms, now_ms, cause=cause, host=host, reply=reply)]
            )
        await store.give_back(lease)
        for issue in await store.issues_under_way():
            await store.finish(issue.id, now_ms)

    paper.inside(work)


def delivered(recipient: str) -> tuple[State, str, str]:
    return State.DELIVERED, "", "250 2.0.0 kept"


def greylisted(recipient: str) -> tuple[State, str, str]:
    return State.WAITING, "recipient", "450 4.2.0 come again"


def test_a_readers_way_is_told_from_the_sign_up_to_the_end(office: Newspaper) -> None:
    office.run("subscribers", "add", ADA)
    assert steps(office, ADA) == [("subscribers", "added"), ("subscribers", "asked"), ("spool", "waiting")]
    attempt(office, Lane.OWN, delivered)
    office.run("subscribers", "confirm", ADA, *CONFIRMED)
    office.writes(1, 2)
    office.run("issue", "send")
    assert steps(office, ADA)[-2:] == [("newsletter", "planned"), ("newsletter", "frozen")]
    attempt(office, Lane.ISSUES, greylisted)
    attempt(office, Lane.ISSUES, delivered)
    office.run("subscribers", "remove", ADA)
    office.run("subscribers", "suppress", ADA)
    shown = steps(office, ADA.lower())
    assert [what for _, what in shown] == [
        "added", "asked", "delivered", "confirmed", "planned", "deferred", "delivered",
        "removed", "suppressed",
    ]  # fmt: skip
    assert {station for station, what in shown if what in ("deferred", "delivered")} == {"deliver"}
    text = office.run("trace", ADA).stdout
    assert f"{ADA} of weekly: left, suppressed" in text
    for words in (CONFIRMED[1], "issue 1, Article 2 · Article 1", "450 4.2.0 come again", "250 2.0.0 kept"):
        assert words in text


def test_what_came_back_is_told_once(office: Newspaper) -> None:
    office.run("subscribers", "add", BOB, *CONFIRMED)
    office.writes(1, 2)
    office.run("issue", "send")
    attempt(office, Lane.ISSUES, delivered)

    async def come_back(open_: OpenNewsletter) -> SubscriberId:
        bob = await open_.store.find("weekly", Mailbox.parse(BOB))
        assert bob is not None
        now_ms = open_.clock.now_ms()
        report = QueueIds(7).next(now_ms)
        issue = (await open_.store.issues("weekly", None, 1))[0].id
        bounce = Bounce(bob.id, issue, report, BounceKind.DEAD, "5.1.1", "no such user", now_ms)
        assert await open_.store.record_bounce(bounce)
        return bob.id

    office.inside(come_back)
    assert steps(office, BOB)[-1] == ("bounce", "bounced")
    assert [what for _, what in steps(office, BOB)].count("bounced") == 1
    assert "issue 1: dead 5.1.1 no such user" in office.run("trace", BOB).stdout


def test_an_issue_and_one_readers_mail_of_it_are_traced_by_their_ids(office: Newspaper) -> None:
    for address in (ADA, BOB):
        office.run("subscribers", "add", address, *CONFIRMED)
    office.writes(1, 2)
    office.run("issue", "send")
    mails = office.json_of("subscribers", "show", BOB)["mails"]
    assert isinstance(mails, list)
    id = str(mails[0]["id"])
    attempt(
        office, Lane.ISSUES, lambda to: delivered(to) if to == ADA else (State.FAILED, "recipient", "550 no")
    )
    assert steps(office, id) == [("newsletter", "planned"), ("deliver", "failed")]
    whole = id.partition("/")[0]
    assert [what for _, what in steps(office, whole)] == ["made", "frozen", "done"]
    assert f"{whole} issue 1 of weekly" in office.run("trace", whole).stdout
    assert "1 delivered, 0 still to be sent, 2 planned" in office.run("trace", whole).stdout
    assert "nothing is known" in office.run("trace", f"{whole}/999", code=1).stderr
    assert "not an address either" in office.run("trace", f"{whole}/{'9' * 30}", code=2).stderr


def test_a_stopped_mail_and_a_suppressed_stranger_are_told(office: Newspaper) -> None:
    office.run("subscribers", "add", ADA, *CONFIRMED)
    office.writes(1, 2)
    office.run("issue", "send")
    office.run("issue", "stop", "1")
    assert steps(office, ADA)[-1] == ("newsletter", "stopped")
    office.run("subscribers", "suppress", BOB)
    document = json.loads(office.run("trace", BOB, "--json").stdout)
    [way] = document["readers"]
    assert (way["state"], way["suppressed"], way["steps"][0]["what"]) == (None, True, "suppressed")
    assert f"{BOB} of weekly: no reader, suppressed" in office.run("trace", BOB).stdout
    assert "nothing is known" in office.run("trace", "eve@reader.example", code=1).stderr


def test_a_copy_is_traced_by_its_id_and_its_address(office: Newspaper) -> None:
    office.writes(1, 2)
    id = str(office.json_of("issue", "test", ADA)["id"])
    assert steps(office, id) == [("newsletter", "copied"), ("spool", "waiting")]
    assert f"{id} a test copy" in office.run("trace", ADA).stdout
    attempt(office, Lane.OWN, delivered)
    assert steps(office, ADA) == [("newsletter", "copied"), ("deliver", "delivered")]


def test_only_the_latest_mails_are_told_and_the_others_counted(office: Newspaper) -> None:
    office.run("subscribers", "add", ADA, *CONFIRMED)
    for number in range(1, 13):
        office.writes(*range(1, 2 * number + 1))
        office.run("issue", "send")
        attempt(office, Lane.ISSUES, delivered)
    document = json.loads(office.run("trace", ADA, "--json").stdout)
    [way] = document["readers"]
    assert way["older"] == 2
    assert sum(step["what"] == "planned" for step in way["steps"]) == 10
    assert "2 older mails not shown." in office.run("trace", ADA).stdout


def test_the_status_tells_how_the_newsletter_stands(office: Newspaper) -> None:
    office.run("subscribers", "add", ADA, *CONFIRMED)
    office.writes(1)
    office.run("issue", "next")
    [before] = json.loads(office.run("status", "--json").stdout)["newsletters"]
    assert (before["newsletter"], before["readers"], before["under_way"]) == ("weekly", 1, None)
    assert (before["next"]["articles"], before["next"]["minimum"], before["next"]["ready"]) == (1, 2, False)
    assert "weekly has 1 reader. 1 of 2 articles; " in office.run("status").stdout
    office.writes(1, 2)
    office.run("issue", "send")
    [sent] = json.loads(office.run("status", "--json").stdout)["newsletters"]
    assert sent["under_way"] == {
        "number": 1, "state": "frozen", "planned": 1, "under_way": 1, "deferred": 0,
    }  # fmt: skip
    assert "Issue 1 of weekly is frozen" in (shown := office.run("status").stdout)
    assert "1 reader planned: 1 still to be sent." in shown
    attempt(office, Lane.ISSUES, delivered)
    [done] = json.loads(office.run("status", "--json").stdout)["newsletters"]
    assert done["under_way"] is None


def test_times_are_said_in_the_zone_of_the_newsletter_and_it_is_named(
    office: Newspaper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Independent of the machine's zone; documents for programs have UTC."""
    config = office.config.read_text()
    office.config.write_text(config.replace('every = "friday 09:00"', KATHMANDU))
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        office.writes(1, 2)
        office.run("subscribers", "add", ADA, *CONFIRMED)
        assert "09:00 (Asia/Kathmandu)" in office.run("issue", "next").stdout
        assert "09:00 (Asia/Kathmandu)" in office.run("status").stdout
        assert str(office.json_of("issue", "next")["next"]).endswith("T03:15:00.000Z")
        office.run("issue", "send")
        made = office.json_of("issue", "show", "1")["issue"]
        assert isinstance(made, dict)
        there = datetime.fromisoformat(made["created"]).astimezone(ZoneInfo("Asia/Kathmandu"))
        clock = f"{there:%Y-%m-%d %H:%M:%S}"
        assert f"made      {clock} (Asia/Kathmandu)" in office.run("issue", "show", "1").stdout
        listed = office.run("issue", "list").stdout
        assert "made (Asia/Kathmandu)" in listed
        assert clock in listed
        trace = office.run("trace", ADA).stdout
        assert "time (Asia/Kathmandu)" in trace
        assert clock in trace
        for words in (("status",), ("issue", "status"), ("issue", "show", "1")):
            assert "(Asia/Kathmandu)" in office.run(*words).stdout, words
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_sign_up_that_brought_nothing_is_told_of_an_address_that_is_no_reader(office: Newspaper) -> None:
    async def sign_up(open_: OpenNewsletter) -> None:
        await open_.sign_ups.note("weekly", Mailbox.parse(ADA), SignedUp.REFUSED)

    office.inside(sign_up)
    assert steps(office, ADA) == [("subscribers", "asked to sign up")]
    text = office.run("trace", ADA).stdout
    assert f"{ADA} of weekly: no reader" in text
    assert "by form; nothing was sent, because so many sign-ups came from that network" in text
