"""Blogs with random changes: every article ever shown is in the ledger, and none is sent twice.

WEEKS is the number of blogs; `make long` tries 500.
"""

import asyncio
import os
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from secondpost.mail.article_states import ArticleState
from tests.newsletter.blog import Bench
from tests.newsletter.test_weeks import Life, newsletter_of
from tests.newsletter.weeks_language import Step, Weeks

LIVES = int(os.environ.get("WEEKS", "6"))

HAPPENINGS = (
    ("write", "1"),
    ("write", "3"),
    ("write", "7"),
    ("delete", "newest"),
    ("delete", "oldest"),
    ("restore", "all"),
    ("feed", "down"),
    ("feed", "html"),
    ("feed", "empty"),
    ("feed", "torn"),
    ("feed", "ok"),
    ("copy", ""),
    ("feed", "stale"),
    ("feed", "alternating"),
    ("edit", "title"),
    ("edit", "text"),
    ("edit", "link"),
    ("site", "guid=urn:post:{n}"),
    ("site", "guid=tag:{n}"),
    ("site", "guid="),
    ("site", "link=http://example.net/{slug}/"),
    ("site", "link=https://new.example/{slug}"),
    ("site", "form=rss"),
    ("site", "form=atom"),
    ("site", "form=json"),
    ("site", "excerpts=yes"),
    ("site", "excerpts=no"),
    ("site", "window=10"),
    ("site", "window=15"),
    ("restart", ""),
)


# What an article is known by. One whose names all change while the feed cannot be read is a new
# article to any reader of the feed.
NAMES = ("title", "link", "guid")
UNREAD = ("down", "html", "empty", "torn", "stale")


class NamesKept:
    """Which names of articles changed since the feed could last be read."""

    def __init__(self) -> None:
        self._is_read = True
        self._changed: set[str] = set()

    def permits(self, verb: str, what: str) -> bool:
        if verb == "feed":
            self._is_read = what not in UNREAD
            if self._is_read:
                self._changed.clear()
        name = what.partition("=")[0]
        if self._is_read or verb not in ("edit", "site") or name not in NAMES:
            return True
        if len(self._changed | {name}) == len(NAMES):
            return False
        self._changed.add(name)
        return True


@st.composite
def weeks(draw: st.DrawFn) -> Weeks:
    """Ten posts, then some change every few days, and a quiet week at the end."""
    dates = draw(st.sampled_from(("own", "none", "build")))
    steps = [Step(0, "site", (f"dates={dates}",)), Step(0, "write", ("1-10", "dated", "-20..-1"))]
    written, there, day = 10, list(range(1, 11)), 0.0
    names = NamesKept()
    for _ in range(draw(st.integers(3, 12))):
        day += draw(st.sampled_from((1, 2, 7)))
        verb, what = draw(st.sampled_from(HAPPENINGS))
        if not names.permits(verb, what):
            continue
        match verb:
            case "write":
                first, written = written + 1, written + int(what)
                there += range(first, written + 1)
                steps.append(Step(day, "write", (f"{first}-{written}",)))
            case "delete":
                n = there.pop(-1 if what == "newest" else -10) if len(there) > 10 else 0
                steps += [Step(day, "delete", (str(n),))] if n > 0 else []
            case "restore":
                there = list(range(1, written + 1))
                steps.append(Step(day, "restore", (f"1-{written}",)))
            case "edit":
                steps.append(Step(day, "edit", (str(there[-1]), what)))
            case _:
                steps.append(Step(day, verb, (what,) if len(what) > 0 else ()))
    steps += [Step(day + 1, "feed", ("ok",)), Step(day + 12, "end", ())]
    return Weeks("at_random", steps=steps)


@settings(max_examples=LIVES)
@given(weeks())
def test_what_was_shown_is_in_the_ledger_and_nothing_comes_twice(told: Weeks) -> None:
    with TemporaryDirectory() as folder, asyncio.Runner() as runner:
        bench = Bench(Path(folder), runner)
        try:
            blog = bench.blog(newsletter_of(told))
            life = Life(told, blog)
            bench.run(life.lives())
            sent = Counter(n for issue in bench.run(life.issues()) for n in issue)
            assert [n for n, times in sent.items() if times > 1] == []
            assert life.past.isdisjoint(sent), "was read before"
            known = {n for state in ArticleState for n in bench.run(life.posts(state))}
            assert life.site.shown - known == set()
        finally:
            bench.close()
