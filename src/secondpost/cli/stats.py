"""secondpost stats: what became of a newsletter's issues, and how its list grew."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from secondpost.cli.command import COUNTED, JSON, Command
from secondpost.cli.newsletters import only_name
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.output_file import output_file
from secondpost.cli.screen import Column, say, say_json, say_table
from secondpost.mail.moment import day_text
from secondpost.owner.figures import counted

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter
    from secondpost.owner.statistics import IssueStatistics, MonthStatistics, NewsletterStatistics

LISTED_MAX = 20  # issues, by default
PICTURED_MAX = 500  # issues at most: a bar is then a pixel wide
MONTHS_MAX = 24
SUBJECT_CHARACTERS_MAX = 26  # so that the lines have at most 80
STANDARD_OUTPUT = "-"
MAILS = (
    Column("issue", right=True),
    Column("date"),
    Column("readers", right=True),
    Column("delivered", right=True),
    Column("bounced", right=True),
    Column("expired", right=True),
    Column("unknown", right=True),
    Column("stopped", right=True),
)
READERS = (
    Column("issue", right=True),
    Column("deferred", right=True),
    Column("joined", right=True),
    Column("left", right=True),
    Column("suspended", right=True),
    Column("complained", right=True),
    Column("subject"),
)
MONTHS = (
    Column("month"),
    Column("joined", right=True),
    Column("left", right=True),
    Column("suspended", right=True),
    Column("complained", right=True),
    Column("net", right=True),
    Column("readers", right=True),
)


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option(
    "--limit",
    type=click.IntRange(1, PICTURED_MAX),
    default=LISTED_MAX,
    show_default=True,
    help="Show at most this many issues, the newest.",
)
@click.option("--months", type=COUNTED, default=MONTHS_MAX, show_default=True, help="Show this many months.")
@click.option("--svg", metavar="FILE", help="Write a picture to this file, - for standard output.")
@JSON
def stats(name: str | None, limit: int, months: int, svg: str | None, as_json: bool) -> None:
    """Show what became of the newsletter's issues, and how its list grew.

    Only what readers' servers and the readers themselves say is counted: no opens, no clicks.
    """
    if svg == STANDARD_OUTPUT and as_json:
        raise click.UsageError("--json and --svg - both write to standard output: name a file for --svg.")
    config = configuration()
    newsletter = only_name(config, name)
    zone = ZoneInfo(newsletter.timezone)

    write: Callable[[str], None] | None = None

    async def read(open_: "OpenNewsletter") -> None:
        from secondpost.owner.statistics import read_statistics
        from secondpost.owner.statistics_documents import statistics_document

        found = await read_statistics(open_.store, newsletter.name, zone, limit, months)
        if write is not None:
            from secondpost.owner.statistics_picture import picture

            write(picture(found, zone))
        if as_json:
            say_json(statistics_document(found))
        elif svg is None:
            _say(found, zone)

    with ExitStack() as ends:
        if svg is not None:
            is_shown = svg == STANDARD_OUTPUT
            write = partial(click.echo, nl=False) if is_shown else ends.enter_context(output_file(svg))
        at_newsletter(read, config)
    if svg is not None and svg != STANDARD_OUTPUT and not as_json:
        say(f"Wrote {svg}.")


def _say(found: "NewsletterStatistics", zone: ZoneInfo) -> None:
    say(f"{found.newsletter} has {counted(found.readers, 'reader', 'readers')}.")
    if len(found.issues) == 0:
        say("No issue was sent yet: `secondpost issue next` says why.")
    else:
        say("")
        newest_first = list(reversed(found.issues))
        say_table(MAILS, [_mails_row(each, zone) for each in newest_first])
        say("")
        say_table(READERS, [_readers_row(each) for each in newest_first])
        if found.has_older:
            say(f"There are older issues. To see up to {PICTURED_MAX}: --limit {PICTURED_MAX}")
    if len(found.months) > 0:
        say("")
        say_table(MONTHS, [_month_row(each) for each in reversed(found.months)])


def _mails_row(each: "IssueStatistics", zone: ZoneInfo) -> tuple[str, ...]:
    figures = (
        each.issue.planned,
        each.delivered,
        each.bounced,
        each.expired,
        each.unknown,
        each.stopped,
    )
    return (str(each.issue.number), day_text(each.start_ms, zone), *_texts(figures))


def _readers_row(each: "IssueStatistics") -> tuple[str, ...]:
    after = each.after
    figures = (each.tally.deferred, each.joined, after.left, each.tally.suspended, after.complaints)
    subject = each.issue.subject
    if len(subject) > SUBJECT_CHARACTERS_MAX:
        subject = f"{subject[: SUBJECT_CHARACTERS_MAX - 1]}…"
    return (str(each.issue.number), *_texts(figures), subject)


def _month_row(each: "MonthStatistics") -> tuple[str, ...]:
    growth = each.growth
    gone = _texts((growth.joined, growth.left, growth.suspended, growth.complained))
    return (each.month, *gone, f"{growth.net:+,}", f"{each.readers:,}")


def _texts(figures: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"{figure:,}" for figure in figures)
