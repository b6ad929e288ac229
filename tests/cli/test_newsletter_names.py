"""A newsletter no longer in the configuration: who reports it, and what the owner can do."""

import json
import shutil

from secondpost.newsletter.renaming import move_to_new_name
from secondpost.owner.newsletter_desk import OpenNewsletter
from tests.cli.newspaper import CONFIRMED, Newspaper
from tests.cli.test_trace_readers import office  # fixture that also has the store of the other mail

__all__ = ["office"]

ADA, BOB = "ada@reader.example", "bob@reader.example"


def name_is(paper: Newspaper, name: str, before: str = "weekly") -> None:
    text = paper.config.read_text()
    assert f'name = "{before}"' in text
    paper.config.write_text(text.replace(f'name = "{before}"', f'name = "{name}"'))


def faults(paper: Newspaper) -> list[dict[str, str]]:
    """The faults that `check config` reports of newsletters."""
    shown = json.loads(paper.run("check", "config", "--json", code=1).stdout)["diagnoses"]
    return [one for one in shown if (one["check"], one["grade"]) == ("newsletter-name", "fault")]


def with_an_issue(paper: Newspaper) -> None:
    for address in (ADA, BOB):
        paper.run("subscribers", "add", address, *CONFIRMED)
    paper.writes(1, 2)
    paper.run("issue", "send")
    paper.run("issue", "stop", "1")


def test_a_renamed_newsletter_is_a_fault_until_it_is_moved(office: Newspaper) -> None:
    with_an_issue(office)
    assert "no faults" in office.run("check", "config").stdout
    name_is(office, "daily")
    [fault] = faults(office)
    assert fault["subject"] == str(office.config)
    assert "the store has 2 readers and 1 issue of weekly" in fault["text"]
    assert "secondpost newsletter rename weekly daily" in fault["remedy"]
    assert "weekly" in office.run("check", "config", code=1).stdout
    status = office.run("status").stdout
    assert "NOT NAMED: the store has 2 readers and 1 issue of weekly" in status
    [unnamed] = json.loads(office.run("status", "--json").stdout)["unnamed"]
    assert (unnamed["newsletter"], unnamed["readers"], unnamed["issues"]) == ("weekly", 2, 1)
    assert "of weekly: active" in office.run("trace", ADA).stdout
    moved = office.run("newsletter", "rename", "weekly", "daily").stdout
    assert "weekly is now called daily, with 2 readers" in moved
    assert 'list_id = "weekly.example.net"' in moved
    assert "no faults" in office.run("check", "config").stdout
    assert json.loads(office.run("status", "--json").stdout)["unnamed"] == []
    assert "of daily: active" in office.run("trace", ADA).stdout
    issue = office.json_of("issue", "show", "1")["issue"]
    assert isinstance(issue, dict)
    assert issue["subject"] == "Article 2 · Article 1"
    office.run("newsletter", "rename", "weekly", "daily")  # repeating it changes nothing
    office.writes(1, 2, 3)
    assert office.json_of("issue", "send")["readers"] == 2


def test_a_rename_that_was_cut_short_is_said_and_goes_on(paper: Newspaper) -> None:
    with_an_issue(paper)
    name_is(paper, "daily")

    async def begin(open_: OpenNewsletter) -> None:
        leader = await open_.store.lead("publish")
        assert leader is not None
        await open_.store.begin_rename("weekly", "daily", 1, leader)
        await open_.store.rename_batch("weekly", leader)

    paper.inside(begin)
    [fault] = faults(paper)
    assert "renaming weekly to daily is not finished" in fault["text"]
    refused = paper.run("issue", "send", "--no-fetch", code=1).stderr
    assert "nothing was sent" in refused
    assert "now called daily, with 2 readers" in paper.run("newsletter", "rename", "weekly", "daily").stdout
    assert "no faults" in paper.run("check", "config").stdout
    paper.inside(move_nothing)


def test_no_list_is_made_of_half_a_newsletter_and_none_comes_into_it(paper: Newspaper) -> None:
    """A reader who left is not yet known under the new name: a list would subscribe them again."""
    with_an_issue(paper)
    paper.run("subscribers", "remove", BOB)
    name_is(paper, "daily")

    async def begin(open_: OpenNewsletter) -> None:
        leader = await open_.store.lead("publish")
        assert leader is not None
        await open_.store.begin_rename("weekly", "daily", 1, leader)
        await open_.store.rename_batch("weekly", leader, rows_max=1)

    paper.inside(begin)
    assert "incomplete" in paper.run("subscribers", "export", code=1).stderr
    file = paper.folder / "readers.csv"
    file.write_text(f"{BOB}\n")
    paper.run("subscribers", "import", str(file), *CONFIRMED)
    shown = paper.json_of("subscribers", "show")
    assert (shown["active"], shown["left"]) == (1, 1)
    assert len(paper.run("subscribers", "export").stdout.splitlines()) == 3


async def move_nothing(open_: OpenNewsletter) -> None:
    leader = await open_.store.lead("publish")
    assert leader is not None
    assert await move_to_new_name(open_.store, "weekly", leader) == 0


def test_a_rename_goes_by_the_file(paper: Newspaper) -> None:
    with_an_issue(paper)
    still = paper.run("newsletter", "rename", "weekly", "daily", code=3).stderr
    assert "still names weekly" in still
    name_is(paper, "daily")
    assert "does not name hourly" in paper.run("newsletter", "rename", "weekly", "hourly", code=3).stderr
    unknown = paper.run("newsletter", "rename", "yearly", "daily", code=1).stderr
    assert "has no newsletter yearly, only weekly" in unknown


def test_one_that_is_given_up_is_no_fault(paper: Newspaper) -> None:
    with_an_issue(paper)
    assert "remove its [[newsletter]] first" in paper.run("newsletter", "retire", "weekly", code=3).stderr
    name_is(paper, "other")
    assert len(faults(paper)) == 1
    assert "is given up" in paper.run("newsletter", "retire", "weekly").stdout
    assert paper.json_of("newsletter", "retire", "weekly") == {"newsletter": "weekly", "changed": False}
    assert "no faults" in paper.run("check", "config").stdout
    assert "has no newsletter never" in paper.run("newsletter", "retire", "never", code=1).stderr


def test_a_file_without_any_newsletter_leaves_none_behind_unsaid(office: Newspaper) -> None:
    with_an_issue(office)
    text = office.config.read_text()
    office.config.write_text(text.partition("[[newsletter]]")[0])
    [fault] = faults(office)
    assert "secondpost newsletter rename weekly NEW" in fault["remedy"]
    assert "NOT NAMED" in office.run("status").stdout
    office.run("newsletter", "retire", "weekly")
    assert "no faults" in office.run("check", "config").stdout


def test_a_configuration_without_a_store_is_looked_at_alone(paper: Newspaper) -> None:
    shutil.rmtree(paper.folder / "store" / "newsletter")
    assert "no faults" in paper.run("check", "config").stdout
    assert not (paper.folder / "store" / "newsletter").exists()


def test_a_new_name_without_a_rename_takes_no_readers_that_would_bar_it(office: Newspaper) -> None:
    with_an_issue(office)
    name_is(office, "daily")
    for words in (("issue", "next", "--no-fetch"), ("subscribers", "show")):
        assert "NOT NAMED" in office.run(*words).stdout, words
    listed = office.folder / "list.csv"
    listed.write_text("email\ncleo@reader.example\n")
    refused = office.run("subscribers", "import", str(listed), *CONFIRMED, code=1).stderr
    assert "secondpost newsletter rename weekly daily" in refused
    assert office.json_of("subscribers", "show")["active"] == 0
    office.run("subscribers", "add", "dora@reader.example", *CONFIRMED)
    [fault] = faults(office)
    assert "rename" not in fault["remedy"], "it would be refused"
    assert "secondpost newsletter retire weekly" in fault["remedy"]
    office.run("subscribers", "remove", "dora@reader.example")
    [fault] = faults(office)
    assert "rename" not in fault["remedy"], "a reader who left would bar it too"
