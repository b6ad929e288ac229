"""issue next is the one screen about the next issue: what is in it, to whom, how long, what would stop it."""

import asyncio

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.bounce_kind import BounceKind, Weighed
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.owner_notice import AlarmRecord
from secondpost.owner.newsletter_desk import OpenNewsletter
from secondpost.store.provider_ports import PauseCause, ProviderPause
from secondpost.store.sqlite import SqliteNewsletterStore, SqliteStore
from secondpost.store.weighing_ports import Suspension
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.work import RealWork
from tests.cli.newspaper import CONFIRMED, Newspaper, came_back, listed
from tests.cli.office import served

SCREEN_LINES, SCREEN_CHARACTERS = 24, 80


def with_readers(paper: Newspaper, *addresses: str) -> None:
    for address in addresses or ("ada@reader.example",):
        paper.run("subscribers", "add", address, *CONFIRMED)


def in_the_way(paper: Newspaper) -> dict[str, str]:
    """What is in the way of the next issue: kind to effect."""
    found = listed(paper.json_of("issue", "next"), "obstacles")
    return {str(each["kind"]): str(each["effect"]) for each in found}


def remedy_of(paper: Newspaper, kind: str) -> str:
    [found] = [each for each in listed(paper.json_of("issue", "next"), "obstacles") if each["kind"] == kind]
    return str(found["remedy"])


def test_a_normal_issue_fits_a_screen_of_24_lines(paper: Newspaper) -> None:
    paper.writes(*range(1, 6))
    with_readers(paper, *(f"reader{n}@gmail.com" for n in range(5)))
    (paper.folder / "foreword.md").write_text("Good morning, and *welcome*.\n")
    paper.run("issue", "note", str(paper.folder / "foreword.md"))
    paper.run("providers", "pause", "yahoo")
    paper.run("issue", "next")
    paper.run("issue", "lead", "2")
    with served(SqliteNewsletterStore, paper.folder):
        shown = paper.run("issue", "next").stdout
    assert shown.splitlines()[1:4] == [
        "subject   Article 2, and 4 more",
        "first     2, as you ordered: secondpost issue order weekly --clear",
        "foreword  4 words: secondpost issue note weekly --show",
    ]
    assert "takes     An issue to 5 readers takes a day at most." in shown
    rows = sum(-(-max(len(line), 1) // SCREEN_CHARACTERS) for line in shown.splitlines())
    assert rows <= SCREEN_LINES, shown


def test_the_document_says_what_is_in_the_issue(paper: Newspaper) -> None:
    assert paper.json_of("issue", "next")["subject"] == ""
    paper.writes(1, 2, 3)
    with_readers(paper)
    (paper.folder / "foreword.md").write_text("Good morning.\n")
    paper.run("issue", "note", str(paper.folder / "foreword.md"))
    paper.run("issue", "next")
    paper.run("issue", "order", "2", "1")
    shown = paper.json_of("issue", "next")
    assert (shown["subject"], shown["first"]) == ("Article 2, and 2 more", [2, 1])
    assert str(shown["foreword"]).strip() == "Good morning."


def test_too_few_articles_and_no_readers_and_no_service_are_all_said_at_once(paper: Newspaper) -> None:
    paper.writes(1)
    assert in_the_way(paper) == {
        "articles": "stops",
        "readers": "stops",
        "service": "stops",
        "unverified": "note",
    }
    assert "issue take weekly ARTICLE" in remedy_of(paper, "articles")
    assert remedy_of(paper, "readers") == "secondpost subscribers add weekly ADDRESS"
    assert remedy_of(paper, "service") == "secondpost serve"
    shown = paper.run("issue", "next").stdout
    assert "stops     The newsletter has no readers yet.\n          secondpost subscribers add" in shown
    assert shown.count("1 of 2 articles") == 1, "what the first sentence says is not said again"
    paper.writes(1, 2)
    with_readers(paper)
    with served(SqliteNewsletterStore, paper.folder):
        assert in_the_way(paper) == {"unverified": "note"}


def test_articles_that_settle_before_the_time_stop_nothing(paper: Newspaper) -> None:
    text = paper.config.read_text()
    paper.config.write_text(text.replace('settle = "0 minutes"', 'settle = "1 hour"'))
    paper.writes(1, 2)
    with_readers(paper)
    assert in_the_way(paper)["articles"] == "note"


def test_a_paused_provider_keeps_back_its_readers(paper: Newspaper) -> None:
    paper.writes(1, 2)
    with_readers(paper, "ada@gmail.com")

    async def trip(open_: OpenNewsletter) -> None:
        now_ms = open_.clock.now_ms()
        detail = "mx: 550 5.7.1 very low reputation"
        pause = ProviderPause("google", PauseCause.BREAKER, now_ms, detail, now_ms + HOUR_MS)
        await open_.store.pause_provider(pause)

    paper.inside(trip)
    assert in_the_way(paper)["provider"] == "part"
    assert remedy_of(paper, "provider").startswith("secondpost providers resume google")
    shown = " ".join(paper.run("issue", "next").stdout.split())
    assert "part Mail to Google has been paused for" in shown
    assert "very low reputation" in shown


def test_many_paused_providers_are_summed_up(paper: Newspaper) -> None:
    for n in range(9):
        paper.run("providers", "pause", f"mx{n}.example.net")
    found = [
        each for each in listed(paper.json_of("issue", "next"), "obstacles") if each["kind"] == "provider"
    ]
    assert len(found) == 6
    assert found[-1]["text"] == "Mail to 4 more providers is paused."


def test_an_issue_that_is_held_stops_the_next_one(paper: Newspaper) -> None:
    paper.writes(1, 2)
    with_readers(paper)
    paper.run("issue", "send")
    assert remedy_of(paper, "issue") == "secondpost issue stop weekly 1"
    paper.run("issue", "hold", "1", "--reason", "a wrong picture")
    assert in_the_way(paper)["issue"] == "stops"
    assert remedy_of(paper, "issue") == "secondpost issue resume weekly 1"
    assert paper.run("issue", "next").stdout.count("it is held (a wrong picture)") == 1


def test_undecided_bounces_are_named_with_the_command_that_decides(paper: Newspaper) -> None:
    paper.writes(1, 2)
    with_readers(paper)
    paper.run("issue", "send")

    async def bounce(open_: OpenNewsletter) -> None:
        issue = await came_back(open_, BounceKind.DEAD, "5.1.1", "no such user")
        [one] = await open_.store.bounced_readers(issue, Weighed.NEW, open_.clock.now_ms(), 0, 9)
        await open_.store.weigh([Suspension(one.number, one.subscriber, Weighed.HELD)], 2_000)

    paper.inside(bounce)
    assert in_the_way(paper)["bounces"] == "part"
    assert remedy_of(paper, "bounces") == "secondpost subscribers bounces weekly"
    assert "no such user" in paper.run("issue", "next").stdout


def test_without_a_proof_of_who_sends_it_is_stopped_days_before_its_time(paper: Newspaper) -> None:
    text = paper.config.read_text()
    paper.config.write_text(text.replace("unverified = true", 'only_to = ["*@reader.example"]'))
    paper.writes(1, 2)
    with_readers(paper)
    found = in_the_way_without_a_look(paper)
    assert (found["proof"], found["only_to"]) == ("stops", "part")
    [proof] = [
        each
        for each in listed(paper.json_of("issue", "next", "--no-fetch"), "obstacles")
        if each["kind"] == "proof"
    ]
    assert str(proof["text"]).startswith("DNS or the link to unsubscribe is not in order: ")
    assert "unverified" not in found


def in_the_way_without_a_look(paper: Newspaper) -> dict[str, str]:
    found = listed(paper.json_of("issue", "next", "--no-fetch"), "obstacles")
    return {str(each["kind"]): str(each["effect"]) for each in found}


def test_an_issue_that_has_to_be_approved_says_so_before_its_time(paper: Newspaper) -> None:
    paper.config.write_text(paper.config.read_text() + "approve = true\n")
    paper.writes(1, 2)
    with_readers(paper)
    assert in_the_way(paper)["approval"] == "note"
    text = paper.config.read_text()
    paper.config.write_text(text.replace('every = "friday 09:00"', 'every = "when ready"'))
    assert in_the_way(paper)["approval"] == "stops"
    assert remedy_of(paper, "approval") == "secondpost issue approve weekly"


def test_a_feed_that_cannot_be_read_stops_an_issue_that_needs_it(paper: Newspaper) -> None:
    with_readers(paper)
    paper.run("issue", "next")
    paper.pages.clear()
    assert in_the_way(paper)["feed"] == "stops"


def test_alarms_that_keep_issues_are_named_and_others_are_not(paper: Newspaper) -> None:
    paper.writes(1, 2)
    with_readers(paper)
    kinds = (AlarmKind.DISK_FAILED, AlarmKind.PUBLISH_WAITS, AlarmKind.ATTACKED, AlarmKind.FILLING_UP)
    stand(paper, *((kind, "") for kind in kinds))
    stand(paper, (AlarmKind.CANNOT_START, "publish"), (AlarmKind.CANNOT_START, "web"))
    found = [each for each in listed(paper.json_of("issue", "next"), "obstacles") if each["kind"] == "alarm"]
    assert sorted((str(each["text"]).split(": ")[1].strip(), each["effect"]) for each in found) == [
        ("cannot-start publish why", "stops"),
        ("disk-failed why", "stops"),
        ("filling-up why", "note"),
        ("publish-waits why", "stops"),
    ]


def stand(paper: Newspaper, *alarms: tuple[AlarmKind, str]) -> None:
    """Let alarms of the service stand."""

    async def note() -> None:
        work, clock = RealWork(1), RealClock()
        store = SqliteStore.open(
            RealDisk(str(paper.folder / "store")), work, clock, role="deliver", failed=lambda error: None
        )
        now_ms = clock.now_ms()
        begun = [
            AlarmRecord(kind, subject, "publish", now_ms, "why", now_ms, now_ms, now_ms)
            for kind, subject in alarms
        ]
        try:
            await store.note_alarms(begun, [], [])
        finally:
            store.close()
            work.close()

    asyncio.run(note())


def test_an_issue_of_many_days_says_that_the_next_one_may_have_to_wait(paper: Newspaper) -> None:
    paper.writes(1, 2)
    with_readers(paper, "ada@gmail.com", "bob@gmail.com", "eve@gmail.com", "joe@gmail.com")
    text = paper.config.read_text()
    paper.config.write_text(
        text.replace("unverified = true", 'unverified = true\nrate = "1 a day"').replace("friday", "daily")
    )
    assert in_the_way(paper)["overtaken"] == "note"
    shown = " ".join(paper.run("issue", "next").stdout.split())
    assert "note It may not be done by the next time" in shown
    assert "takes An issue to 4 readers takes about" in shown
    assert "It may not be done by the next time" in paper.run("issue", "send").stdout


def test_before_a_letter_goes_the_owner_is_asked_with_the_days_that_it_takes(paper: Newspaper) -> None:
    with_readers(paper, "ada@gmail.com", "bob@gmail.com", "eve@gmail.com")
    text = paper.config.read_text()
    paper.config.write_text(text.replace("unverified = true", 'unverified = true\nrate = "1 a day"'))
    letter = paper.folder / "letter.md"
    letter.write_text("# We are sorry\n\nThe last issue was empty.\n")
    asked = paper.run("issue", "write", str(letter), code=2).stderr
    assert "An issue to 3 readers takes about" in asked
    assert "Send 'We are sorry' to 3 readers of weekly now?" in asked
    assert "takes about" in paper.run("issue", "write", str(letter), "--preview").stderr
    assert "takes about" in paper.run("issue", "write", str(letter), "--yes").stdout
