"""The one screen about the next issue: what is in it, when it goes out, to whom, and what would stop it."""

from typing import TYPE_CHECKING

from secondpost.cli.issue_articles import next_document, say_articles
from secondpost.cli.opening import at_newsletter
from secondpost.cli.screen import say, say_field, say_json, say_wrapped
from secondpost.cli.status_newsletters import say_names
from secondpost.config.records import Config, Newsletter
from secondpost.mail.duration import duration_text
from secondpost.newsletter.decisions import NotDue
from secondpost.newsletter.forecast import Forecast
from secondpost.owner.figures import counted
from secondpost.owner.names import names_in_store
from secondpost.owner.next_issue import NextIssue, next_issue
from secondpost.owner.obstacles import Obstacle, said_in

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter

INDENT = " " * 10  # below the label of a field
FIRST_NAMED_MAX = 10  # articles put first by hand


def show_next(config: Config, newsletter: Newsletter, *, fetches: bool, past: bool, as_json: bool) -> None:
    async def look(open_: "OpenNewsletter") -> None:
        from secondpost.roles.desk import alarms_standing

        if fetches:
            await open_.look(newsletter)
        found = await next_issue(open_, config, newsletter, await alarms_standing(config))
        if as_json:
            say_json(await next_document(open_, newsletter, found, past=past))
            return
        say(f"{newsletter.name}: {found.outlook.reason}")
        _say(newsletter, found)
        said = said_in(found.outlook.decision)
        for obstacle in found.obstacles:
            if obstacle.kind is not said:
                _say_obstacle(obstacle)
        say_names(await names_in_store(config, open_.store))
        await say_articles(open_, newsletter, found.outlook, past=past)

    at_newsletter(look, config)


def _say(newsletter: Newsletter, found: NextIssue) -> None:
    if len(found.subject) > 0:
        say_field("subject", found.subject)
    if len(found.first) > 0:
        ids = ", ".join(map(str, found.first[:FIRST_NAMED_MAX]))
        say_field("first", f"{ids}, as you ordered: secondpost issue order {newsletter.name} --clear")
    if len(found.foreword) > 0:
        words = counted(len(found.foreword.split()), "word", "words")
        say_field("foreword", f"{words}: secondpost issue note {newsletter.name} --show")
    expected = found.expected
    if expected.readers > 0:
        say_field("takes", expected.duration())
        _say_today(expected)
    if isinstance(found.outlook.decision, NotDue) and newsletter.undo_ms > 0:
        undo = duration_text(newsletter.undo_ms)
        say_field("undo", f"for {undo} after that time, it can be stopped before anyone gets it")


def _say_today(expected: Forecast) -> None:
    parts = expected.today_text()
    if len(parts) > 0:
        say_wrapped(parts, "today     ", INDENT)


def _say_obstacle(found: Obstacle) -> None:
    say_wrapped(found.text, f"{found.effect.value:<10}", INDENT)
    if len(found.remedy) > 0:
        say(f"{INDENT}{found.remedy}")
