"""The owner manages issues by command, with fetched feeds and a real store."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from secondpost.cli.command import CommandWaits
from secondpost.mail.article import FeedAnswered, FeedAsked
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.issue import Issue, IssueState
from secondpost.newsletter.turns import PUBLISH
from secondpost.owner.newsletter_desk import OpenNewsletter
from secondpost.roles.parts import FEEDS
from secondpost.store.sqlite import SqliteNewsletterStore
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.net import RealNet
from secondpost.world.room_disk import make_rooms
from secondpost.world.sockets.feeds import FeedAnswerer
from tests.cli.newspaper import CONFIRMED, Newspaper, came_back, open_newspaper
from tests.cli.office import served
from tests.newsletter.blog import articles


def with_a_reader(paper: Newspaper) -> None:
    paper.run("subscribers", "add", "ada@reader.example", *CONFIRMED)


def test_none_one_and_two_articles_bring_nothing_nothing_and_an_issue(paper: Newspaper) -> None:
    with_a_reader(paper)
    for numbers in ((), (1,)):
        paper.writes(*numbers)
        shown = paper.json_of("issue", "next")
        assert (shown["articles"], shown["minimum"], shown["ready"]) == (len(numbers), 2, False)
        assert f"{len(numbers)} of 2 articles" in paper.run("issue", "next").stdout
        refused = paper.run("issue", "send", code=1)
        assert f"nothing was sent: {len(numbers)} of 2 articles" in refused.stderr
        assert paper.json_of("issue", "list")["issues"] == []
    paper.writes(1, 2)
    assert paper.json_of("issue", "next")["articles"] == 2
    sent = paper.json_of("issue", "send")
    assert (sent["sent"], sent["number"], sent["articles"], sent["readers"]) == (True, 1, 2, 1)
    again = paper.json_of("issue", "send", code=1)
    assert (again["sent"], again["number"]) == (False, None)
    assert "Issue 1 is not finished" in str(again["reason"])


def test_a_look_without_fetching_goes_by_what_is_known(paper: Newspaper) -> None:
    paper.writes(1, 2)
    assert paper.json_of("issue", "next", "--no-fetch")["articles"] == 0
    assert paper.json_of("issue", "next")["articles"] == 2
    paper.pages.clear()
    assert paper.json_of("issue", "next", "--no-fetch")["articles"] == 2
    assert "problem with the feed" in str(paper.json_of("issue", "next")["reason"])
    assert "problem with the feed" in paper.run("issue", "next", "--no-fetch").stdout


def test_an_issue_to_nobody_uses_nothing_up(paper: Newspaper) -> None:
    paper.writes(1, 2)
    assert "no readers yet" in paper.run("issue", "send", code=1).stderr
    paper.run("subscribers", "add", "ada@reader.example")  # pending, so it gets no issue
    assert "no readers yet" in paper.run("issue", "send", code=1).stderr
    paper.run("subscribers", "confirm", "ada@reader.example", *CONFIRMED)
    assert "Issue 1 of weekly goes to 1 reader" in paper.run("issue", "send").stdout


def test_who_sends_an_issue_hears_that_nobody_delivers_it(paper: Newspaper) -> None:
    paper.writes(1, 2)
    with_a_reader(paper)
    assert "The service is NOT RUNNING" in paper.run("issue", "send").stdout
    assert "The service is NOT RUNNING" in paper.run("issue", "status").stdout
    assert "The service is NOT RUNNING" in paper.run("issue", "next").stdout
    assert "The service is NOT RUNNING" in paper.run("subscribers", "add", "bob@reader.example").stdout
    with served(SqliteNewsletterStore, paper.folder):
        assert "NOT RUNNING" not in paper.run("issue", "status").stdout
        assert "NOT RUNNING" not in paper.run("issue", "next").stdout
    paper.run("issue", "stop", "1")
    assert "NOT RUNNING" not in paper.run("issue", "status").stdout


def test_what_was_sent_is_listed_shown_and_counted(paper: Newspaper) -> None:
    assert "has no issue yet" in paper.run("issue", "list").stdout
    assert "has no issue yet" in paper.run("issue", "status", code=1).stderr
    paper.writes(1, 2)
    with_a_reader(paper)
    paper.run("issue", "send")
    title, line = paper.run("issue", "list").stdout.splitlines()
    assert "made (UTC)" in title
    assert line.split()[:2] == ["1", "frozen"]
    shown = paper.run("issue", "show", "1").stdout
    assert "article   Article 1\n          https://www.example.net/posts/1" in shown
    document = paper.json_of("issue", "show", "weekly", "1")
    assert isinstance(document["articles"], list)
    assert [article["title"] for article in document["articles"]] == ["Article 2", "Article 1"]
    counted = paper.json_of("issue", "status")
    assert (counted["planned"], counted["under_way"], counted["adds_up"]) == (1, 1, False)
    assert counted == paper.json_of("issue", "status", "1") == paper.json_of("issue", "status", "weekly", "1")
    assert "1 reader planned: 1 still to be sent." in paper.run("issue", "status").stdout
    assert "no issue 2" in paper.run("issue", "show", "2", code=1).stderr
    for word in ("two", "²", "9" * 30):
        assert "not the number" in paper.run("issue", "show", word, code=2).stderr
        assert "not the number" in paper.run("issue", "status", word, code=2).stderr
    paper.run("issue", "list", "--before", "9" * 30, code=2)
    paper.run("issue", "list", "--limit", "9" * 30, code=2)


def test_a_mail_that_came_back_is_told_of_its_issue_and_of_its_reader(paper: Newspaper) -> None:
    with_a_reader(paper)
    paper.writes(1, 2)
    paper.run("issue", "send")

    paper.inside(lambda open_: came_back(open_, BounceKind.FULL, "5.2.2", "over quota"))
    counts = paper.json_of("issue", "status")["bounced"]
    assert counts == dict.fromkeys([kind.value for kind in BounceKind], 0) | {"full": 1}
    assert "1 mail came back: 1 full." in paper.run("issue", "status").stdout
    [shown] = json.loads(paper.run("subscribers", "show", "ada@reader.example", "--json").stdout)["bounces"]
    assert (shown["issue"], shown["kind"], shown["status"], shown["text"]) == (
        1,
        "full",
        "5.2.2",
        "over quota",
    )


def test_who_looks_at_an_issue_under_way_hears_which_servers_are_down(paper: Newspaper) -> None:
    with_a_reader(paper)
    paper.writes(1, 2)
    paper.run("issue", "send")

    async def fail(open_: OpenNewsletter) -> None:
        assert await open_.store.site_down("mx.reader.example", "connect", "refused", 1_000, 2_000)

    paper.inside(fail)
    shown = paper.run("issue", "status").stdout
    assert "mx.reader.example has been down since" in shown
    assert "refused" in shown


def test_a_list_goes_on_before_its_last(paper: Newspaper) -> None:
    with_a_reader(paper)
    for number in (1, 2, 3):
        paper.writes(*range(1, 2 * number + 1))
        paper.run("issue", "send")
        paper.inside(all_suppressed)
    first = paper.json_of("issue", "list", "--limit", "2")
    assert isinstance(first["issues"], list)
    assert [each["number"] for each in first["issues"]] == [3, 2]
    assert first["next"] == 2
    rest = paper.json_of("issue", "list", "--before", "2")
    assert isinstance(rest["issues"], list)
    assert ([each["number"] for each in rest["issues"]], rest["next"]) == ([1], None)
    assert "--before 2" in paper.run("issue", "list", "--limit", "2").stdout


async def all_suppressed(open_: OpenNewsletter) -> None:
    """The issue under way ends because the owner stops it."""
    for issue in await open_.store.issues_under_way():
        await open_.store.start(issue.id, open_.clock.now_ms())
        await open_.store.stop(issue.id, open_.clock.now_ms(), "test")


def test_a_stopped_issue_gives_its_articles_back(paper: Newspaper) -> None:
    paper.writes(1, 2)
    with_a_reader(paper)
    paper.run("issue", "send")
    stopped = paper.run("issue", "stop", "1", "--reason", "wrong picture").stdout
    assert "Stopped: issue 1 of weekly. 1 reader planned: 1 stopped." in stopped
    assert "its 2 articles go into the next issue" in stopped
    assert "2 articles, and 2 are enough; next time:" in stopped
    assert "already been stopped" in paper.run("issue", "stop", "1", code=1).stderr
    shown = paper.json_of("issue", "status", "1")
    assert (shown["state"], shown["stopped"], shown["adds_up"]) == ("stopped", 1, True)
    assert paper.json_of("issue", "next")["articles"] == 2
    assert paper.json_of("issue", "send")["number"] == 2


def test_the_order_by_hand_comes_back_with_the_articles_of_a_stopped_issue(paper: Newspaper) -> None:
    paper.writes(1, 2, 3)
    with_a_reader(paper)
    paper.run("issue", "next")
    paper.run("issue", "order", "2", "1")
    paper.run("issue", "send")
    assert paper.json_of("issue", "next")["first"] == []
    paper.run("issue", "stop", "1")
    assert paper.json_of("issue", "next")["first"] == [2, 1]
    assert paper.json_of("issue", "preview")["subject"] == "Article 2, and 2 more"


def paper_full(paper: Newspaper) -> str:
    paper.writes(1)
    shown = paper.run("issue", "preview", "--html", "/dev/full", code=1).stderr
    paper.writes()
    return shown


def test_a_preview_shows_what_there_is_and_uses_nothing_up(paper: Newspaper, tmp_path: Path) -> None:
    assert "nothing to show" in paper.run("issue", "preview", code=1).stderr
    paper.run("issue", "preview", "--html", str(tmp_path / "nothing.html"), code=1)
    assert not (tmp_path / "nothing.html").exists(), "no empty file is left"
    assert "/dev/full cannot be written" in paper_full(paper)
    paper.writes(1)
    shown = paper.run("issue", "preview")
    assert shown.stdout.startswith("Subject: ")
    assert "Article 1" in shown.stdout
    assert "1 of 2 articles" in shown.stderr
    paper.writes(1, 2)
    file = tmp_path / "preview.html"
    file.write_text("x" * 1_000_000)
    paper.run("issue", "preview", "--html", str(file))
    markup = file.read_text()
    assert "Article 2" in markup
    assert "xxx" not in markup
    assert all(ord(c) not in range(0xFDD0, 0xFDF0) for c in markup + shown.stdout)
    assert paper.run("issue", "preview", "--html", "-").stdout.strip() == markup.strip()
    assert "Article 2" in str(paper.json_of("issue", "preview")["text"])
    assert "Article 2" in paper.run("issue", "preview", "--text", "--no-fetch").stdout
    paper.run("issue", "preview", "--text", "--json", code=2)
    assert paper.json_of("issue", "next")["articles"] == 2


def test_while_the_service_leads_nothing_is_done(paper: Newspaper) -> None:
    paper.waits = CommandWaits(lead=0.2)
    paper.writes(1, 2)
    with_a_reader(paper)
    results: list[str] = []

    async def lead(open_: OpenNewsletter) -> None:
        lease = await open_.store.lead(PUBLISH)
        assert lease is not None
        command = threading.Thread(target=lambda: results.append(paper.run("issue", "send", code=4).stderr))
        command.start()
        command.join(20)
        await open_.store.give_back(lease)

    paper.inside(lead)
    assert "the service is just preparing" in results[0]
    paper.run("issue", "send")

    async def states(open_: OpenNewsletter) -> list[IssueState]:
        lease = await open_.store.lead(PUBLISH)
        assert lease is not None, "the command gave the lead back"
        return [issue.state for issue in await open_.store.issues("weekly", None, 9)]

    assert paper.inside(states) == [IssueState.FROZEN]


def test_with_two_newsletters_one_is_named(tmp_path: Path) -> None:
    with open_newspaper(tmp_path, "weekly", "daily") as paper:
        assert "Which newsletter? Name one first: weekly, daily." in paper.run("issue", "next", code=2).stderr
        assert "no newsletter 'monthly'" in paper.run("issue", "next", "monthly", code=2).stderr
        assert paper.json_of("issue", "next", "daily")["newsletter"] == "daily"
        assert "Which article?" in paper.run("issue", "take", "daily", code=2).stderr
        assert "Name the file" in paper.run("issue", "note", "daily", code=2).stderr
        paper.run("subscribers", "add", "daily", "ada@reader.example", *CONFIRMED)
        assert paper.json_of("subscribers", "show", "daily")["active"] == 1
        assert paper.json_of("subscribers", "show", "weekly")["active"] == 0


def test_without_a_newsletter_the_configuration_is_named(tmp_path: Path) -> None:
    with open_newspaper(tmp_path, "weekly") as paper:
        text = paper.config.read_text()
        paper.config.write_text(text[: text.index("[[newsletter]]")] + '[[backup]]\ndomain = "example.net"\n')
        assert "has no [[newsletter]]" in paper.run("issue", "next", code=3).stderr


def test_without_a_store_the_service_is_named(paper: Newspaper) -> None:
    folder = paper.folder / "store"
    os.rename(folder, paper.folder / "away")
    assert "start the service" in paper.run("issue", "list", code=4).stderr


def test_where_the_fetch_role_runs_it_is_asked(paper: Newspaper) -> None:
    paper.pages.clear()  # the blog does not answer any more
    asked: list[str] = []

    async def look(feed: FeedAsked) -> FeedAnswered:
        asked.append(feed.url)
        return FeedAnswered(articles(2, 1))

    async def beside(open_: OpenNewsletter) -> None:
        net, tasks = RealNet(), list[asyncio.Task[None]]()
        make_rooms(RealDisk(str(paper.folder / "store")))
        path = str(paper.folder / "store" / FEEDS)
        answerer = FeedAnswerer(look, lambda work: tasks.append(asyncio.get_running_loop().create_task(work)))
        door = await answerer.open(net, path)
        shown = await asyncio.to_thread(paper.json_of, "issue", "next")
        assert shown["articles"] == 2
        door.close()
        net.close()

    paper.inside(beside)
    assert len(asked) == 1
    shown = paper.run("issue", "next").stdout
    assert "problem with the feed" in shown, "without the role the command looks itself"


def test_two_who_send_at_once_send_one_issue(paper: Newspaper) -> None:
    paper.writes(1, 2, 3, 4, 5)
    with_a_reader(paper)
    command = [sys.executable, "-m", "secondpost", "--config", str(paper.config), "issue", "send"]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    shown = [process.communicate(timeout=60) for process in running]
    assert sorted(process.returncode for process in running) == [0, 1, 1], shown
    assert sum("Issue 1 is not finished" in stderr for _, stderr in shown) == 2
    [issue] = paper.inside(issues)
    assert (issue.article_count, issue.planned, issue.slot) == (5, 1, "forced-1")


async def issues(open_: OpenNewsletter) -> list[Issue]:
    return await open_.store.issues("weekly", None, 9)
