"""secondpost subscribers bounces: too many bounces at once, and what the owner decides about them."""

from typing import TYPE_CHECKING

import click

from secondpost.cli.command import COUNTED, JSON, Command, Ending, Exit
from secondpost.cli.newsletters import only_name
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.screen import Column, say, say_json, say_table
from secondpost.mail.bounce_kind import Weighed
from secondpost.mail.issue import Issue
from secondpost.owner.bounce_documents import (
    DecidedBouncesDocument,
    UndecidedBouncesDocument,
    undecided_document,
)
from secondpost.owner.figures import counted
from secondpost.subscribers.weighing import UndecidedBounces, decide, undecided_bounces

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter

COLUMNS = (
    Column("issue", right=True),
    Column("provider"),
    Column("readers", right=True),
    Column("its servers say", folds=True),
)


@click.command("bounces", cls=Command)
@click.argument("name", required=False)
@click.option("--issue", "number", type=COUNTED, help="Only those of this issue.")
@click.option("--provider", metavar="PROVIDER", help="Only those at this provider.")
@click.option("--suspend", is_flag=True, help="Suspend these readers.")
@click.option("--forgive", is_flag=True, help="Do not count these bounces.")
@JSON
def bounces(
    name: str | None, number: int | None, provider: str | None, suspend: bool, forgive: bool, as_json: bool
) -> None:
    """List readers whose mailboxes were refused, and who are too many to be suspended without asking.

    None of these readers is suspended, and their provider gets no issue, until you decide: with --suspend if
    the mailboxes are gone, with --forgive if something was wrong between the provider and this server.
    """
    if suspend and forgive:
        raise click.UsageError("Use only one of --suspend and --forgive.")
    decision = Weighed.ACCEPTED if suspend else Weighed.FORGIVEN if forgive else None
    config = configuration()
    newsletter = only_name(config, name)

    async def work(open_: "OpenNewsletter") -> None:
        issues = [
            issue
            for id, _ in await open_.store.undecided()
            if (issue := await open_.store.issue(id)) is not None
            and issue.newsletter == newsletter.name
            and number in (None, issue.number)
        ]
        if decision is not None:
            await _decide(open_, issues, provider, decision, as_json=as_json)
            return
        found = [
            (issue, one)
            for issue in issues
            for one in await undecided_bounces(open_.store, issue.id)
            if provider in (None, one.provider)
        ]
        if as_json:
            say_json(UndecidedBouncesDocument([undecided_document(*each) for each in found]))
        elif len(found) == 0:
            say("No bounces wait for you.")
        else:
            say_table(COLUMNS, [_row(*each) for each in found])
            say("To suspend these readers: --suspend. To forgive them: --forgive.")

    at_newsletter(work, config)


async def _decide(
    open_: "OpenNewsletter", issues: list[Issue], provider: str | None, decision: Weighed, *, as_json: bool
) -> None:
    now_ms = open_.clock.now_ms()
    readers = sum([await decide(open_.store, issue, provider, decision, now_ms) for issue in issues])
    if as_json:
        say_json(DecidedBouncesDocument(decision.value, readers))
    elif readers > 0:
        done = "suspended" if decision is Weighed.ACCEPTED else "forgiven"
        say(f"{done.capitalize()}: {counted(readers, 'reader', 'readers')}.")
    if readers == 0:
        raise Ending("there are no bounces to decide on", Exit.NO)


def _row(issue: Issue, one: UndecidedBounces) -> tuple[str, ...]:
    return (str(issue.number), one.provider, f"{one.readers:,}", one.text)
