"""secondpost issue: what the next issue waits for, and commands on issues."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from secondpost.cli.command import COUNTED, JSON, Command, Group
from secondpost.cli.newsletters import meant, numbered, only_name
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.screen import Column, say, say_field, say_json, say_table
from secondpost.mail.issue import Issue
from secondpost.mail.moment import clock_text, zoned_text
from secondpost.owner.issue_words import reckoning_text, standing_text
from secondpost.owner.newsletter_documents import (
    IssueListDocument,
    IssueShownDocument,
    article_document,
    issue_document,
)

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter

LISTED_MAX = 100  # issues per list, by default

NO_FETCH = click.option("--no-fetch", is_flag=True, help="Do not read the feeds first.")
NAME = click.argument("name", required=False)
NUMBERED = click.argument("words", nargs=-1, required=True, metavar="[NAME] N")


@click.group(
    cls=Group,
    places={
        "preview": "secondpost.cli.issue_preview",
        "test": "secondpost.cli.issue_copy",
        "send": "secondpost.cli.issue_send",
        "approve": "secondpost.cli.issue_approve",
        "lead": "secondpost.cli.issue_order",
        "order": "secondpost.cli.issue_order",
        "write": "secondpost.cli.issue_write",
        "note": "secondpost.cli.issue_note",
        "status": "secondpost.cli.issue_status",
        "stop": "secondpost.cli.issue_stop",
        "hold": "secondpost.cli.issue_hold",
        "resume": "secondpost.cli.issue_hold",
        "retry": "secondpost.cli.issue_hold",
        "take": "secondpost.cli.issue_articles",
        "skip": "secondpost.cli.issue_articles",
    },
)
def issue() -> None:
    """Issues: see what the next one waits for; write, preview, test, send, hold, stop and count them."""


@issue.command("next", cls=Command)
@NAME
@NO_FETCH
@click.option("--past", is_flag=True, help="Also list articles that count as read or were skipped.")
@JSON
def next_issue(name: str | None, no_fetch: bool, past: bool, as_json: bool) -> None:
    """Say when the next issue goes out, what is in it, what would stop it, and what to type about that.

    Lists the articles that wait or are held, and how long the issue will take. Reads the feeds first.
    """
    from secondpost.cli.issue_next import show_next

    config = configuration()
    show_next(config, only_name(config, name), fetches=not no_fetch, past=past, as_json=as_json)


@issue.command("list", cls=Command)
@NAME
@click.option("--limit", type=COUNTED, default=LISTED_MAX, show_default=True, help="List at most this many.")
@click.option("--before", type=COUNTED, help="Continue with issues older than this number.")
@JSON
def list_issues(name: str | None, limit: int, before: int | None, as_json: bool) -> None:
    """List issues, the newest first."""
    config = configuration()
    newsletter = only_name(config, name)

    async def read(open_: "OpenNewsletter") -> None:
        found = await open_.store.issues(newsletter.name, before, limit + 1)
        page, more = found[:limit], len(found) > limit
        if as_json:
            say_json(
                IssueListDocument([issue_document(each) for each in page], page[-1].number if more else None)
            )
        elif len(page) == 0:
            say(f"{newsletter.name} has no issue yet: `secondpost issue next` says why.")
        else:
            zone = ZoneInfo(newsletter.timezone)
            has_reasons = any(len(each.reason) > 0 for each in page)
            columns = _columns(zone) if has_reasons else _columns(zone)[:-1]
            say_table(columns, [_row(each, zone)[: len(columns)] for each in page])
            if more:
                say(f"There are more. To see them: --before {page[-1].number}")

    at_newsletter(read, config)


def _columns(zone: ZoneInfo) -> tuple[Column, ...]:
    return (
        Column("issue", right=True),
        Column("state"),
        Column(f"made ({zone.key})"),
        Column("articles", right=True),
        Column("readers", right=True),
        Column("subject", folds=True),
        Column("why", folds=True),
    )


def _row(each: Issue, zone: ZoneInfo) -> tuple[str, ...]:
    return (
        str(each.number),
        each.state.value,
        clock_text(each.created_ms, zone),
        str(each.article_count),
        f"{each.planned:,}",
        each.subject,
        each.reason,
    )


@issue.command("show", cls=Command)
@NUMBERED
@JSON
def show(words: tuple[str, ...], as_json: bool) -> None:
    """Show what is in an issue, and what became of it."""
    from secondpost.compose.issue import shown_title

    config = configuration()
    which = meant(config, words, 1, 1)

    async def read(open_: "OpenNewsletter") -> None:
        found = await numbered(open_.store, which.newsletter, which.words[0])
        articles = [entry.article for entry in await open_.store.entries_of_issue(found.id)]
        if as_json:
            say_json(
                IssueShownDocument(
                    issue_document(found), found.body, [article_document(article) for article in articles]
                )
            )
            return
        subject = f", {found.subject}" if len(found.subject) > 0 else ""
        say_field("issue", f"{found.newsletter} {found.number}{subject}")
        say_field("made", zoned_text(found.created_ms, which.zone))
        say_field("state", standing_text(found, which.zone))
        say_field("readers", reckoning_text(await open_.store.reckoning(found.id)))
        if len(found.body) > 0:
            say(f"words\n{found.body}")
        for article in articles:
            say_field("article", shown_title(article))
            say_field("", article.link)

    at_newsletter(read, config)
