"""The owner takes and skips articles by command, with a fetched feed and a real store."""

import json

import pytest

from secondpost.cli.issue_articles import LISTED_MAX
from tests.cli.newspaper import CONFIRMED, Newspaper
from tests.newsletter.weekly_blog import Site, WeeklyBlog
from tests.world.web_server import answer


def rows(document: dict[str, object], key: str) -> list[dict[str, object]]:
    found = document[key]
    assert isinstance(found, list)
    return found


def numbers(document: dict[str, object], key: str) -> list[str]:
    return [str(row["article"]) for row in rows(document, key)]


def with_held(paper: Newspaper, *posts: int) -> dict[str, object]:
    """A small feed whose ids all change, so that its articles are held."""
    blog = WeeklyBlog(feeds={"feed": ""}, site=Site(dates="none", form="json", window=len(posts)))
    blog.writes(posts, {}, "post")
    paper.pages["/feed"] = answer("200 OK", blog.document("feed"), content_type="application/feed+json")
    return paper.json_of("issue", "next")


@pytest.fixture
def held(paper: Newspaper) -> Newspaper:
    paper.run("subscribers", "add", "ada@reader.example", *CONFIRMED)
    paper.writes(1, 2)
    paper.json_of("issue", "next")
    with_held(paper, 11, 12)
    return paper


def test_what_waits_and_what_is_held_is_listed_with_what_to_type(held: Newspaper) -> None:
    found = held.json_of("issue", "next", "--no-fetch")
    assert [row["title"] for row in rows(found, "waiting")] == ["Article 1", "Article 2"]
    assert [row["title"] for row in rows(found, "held")] == ["Article 11", "Article 12"]
    assert (found["waiting_total"], found["held_total"], found["past"]) == (2, 2, [])
    first = rows(found, "held")[0]
    assert (first["state"], first["link"], first["settles"]) == (
        "held",
        "https://www.example.net/posts/11",
        None,
    )
    assert "its ids may have changed" in str(first["reason"])
    shown = held.run("issue", "next", "--no-fetch").stdout
    assert "secondpost issue take weekly --all" in shown
    assert "secondpost issue skip weekly ARTICLE… (or --all)" in shown
    [line] = [line for line in shown.splitlines() if "Article 11" in line]
    assert line.split()[0] == str(first["article"])
    assert "its ids may have changed" in line


def test_all_that_is_held_is_taken_in_one_command(held: Newspaper) -> None:
    done = held.json_of("issue", "take", "--all")
    assert (done["verb"], done["newsletter"]) == ("take", "weekly")
    assert len(rows({"articles": done["articles"]}, "articles")) == 2
    shown = held.json_of("issue", "next")
    assert (shown["articles"], shown["held_total"], shown["ready"]) == (4, 0, False)
    assert "problem with the feed" not in str(shown["reason"])
    assert "Issue 1 of weekly goes to 1 reader" in held.run("issue", "send").stdout
    assert "no article is held" in held.run("issue", "take", "--all", code=1).stderr
    assert "no article is held" in held.run("issue", "skip", "weekly", "--all", code=1).stderr


def test_an_article_is_named_by_number_or_by_link(held: Newspaper) -> None:
    one, two = numbers(held.json_of("issue", "next", "--no-fetch"), "held")
    assert "Taken: 1 article." in held.run("issue", "take", one).stdout
    assert "Skipped: 1 article." in held.run("issue", "skip", "weekly", "http://example.net/posts/12/").stdout
    shown = held.json_of("issue", "next", "--past")
    assert numbers(shown, "past") == [two]
    assert rows(shown, "past")[0]["reason"] == "you skipped it"
    assert "Skipped:" in held.run("issue", "next", "--past").stdout
    assert one in numbers(shown, "waiting")
    held.run("issue", "take", two, two)
    assert held.json_of("issue", "next")["waiting_total"] == 4


def test_what_cannot_be_done_changes_nothing_else(held: Newspaper) -> None:
    one, two = numbers(held.json_of("issue", "next", "--no-fetch"), "held")
    waiting = numbers(held.json_of("issue", "next", "--no-fetch"), "waiting")
    for word, words in (
        ("999", "weekly has no article 999: `secondpost issue next weekly` lists them"),
        ("9" * 30, "is neither the number of an article nor its link"),
        ("²", "is neither the number of an article nor its link"),
        ("https://www.example.net/nowhere", "weekly has no article with the link"),
    ):
        for verb in ("take", "skip"):
            assert words in held.run("issue", verb, one, word, code=1).stderr
    held.run("issue", "skip", one)
    assert f"article {one} is skipped already" in held.run("issue", "skip", two, one, code=1).stderr
    held.run("issue", "take", one)
    held.run("issue", "send")
    taken = f"article {waiting[0]} is in an issue already; nothing was changed"
    assert taken in held.run("issue", "take", two, waiting[0], code=1).stderr
    assert taken in held.run("issue", "skip", two, waiting[0], code=1).stderr
    assert numbers(held.json_of("issue", "next", "--no-fetch"), "held") == [two]
    for verb in ("take", "skip"):
        held.run("issue", verb, code=2)
        held.run("issue", verb, "--all", two, code=2)
        held.run("issue", verb, "weekly", code=1)


def test_the_lists_are_bounded(paper: Newspaper) -> None:
    paper.writes(*range(1, LISTED_MAX + 2))
    paper.json_of("issue", "next")
    with_held(paper, *range(101, 102 + LISTED_MAX))
    shown = paper.run("issue", "next", "--no-fetch").stdout
    assert shown.count("and 1 more") == 2
    found = paper.json_of("issue", "next", "--no-fetch")
    assert (len(rows(found, "waiting")), found["waiting_total"]) == (LISTED_MAX, LISTED_MAX + 1)
    assert (len(rows(found, "held")), found["held_total"]) == (LISTED_MAX, LISTED_MAX + 1)


def test_an_article_without_a_title_is_listed_by_its_first_words(paper: Newspaper) -> None:
    paper.run("subscribers", "add", "ada@reader.example", *CONFIRMED)
    items = [
        {"id": f"urn:{n}", "url": f"https://www.example.net/{n}", "content_text": f"Note {n} has no title."}
        for n in (1, 2)
    ]
    shown = {"version": "https://jsonfeed.org/version/1.1", "title": "The Blog", "items": items}
    feed = json.dumps(shown).encode()
    paper.pages["/feed"] = answer("200 OK", feed, content_type="application/feed+json")
    assert "  Note 1 has no title." in paper.run("issue", "next").stdout
    paper.run("issue", "send")
    assert "article   Note 1 has no title." in paper.run("issue", "show", "1").stdout
