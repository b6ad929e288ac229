"""secondpost issue send: an issue now, if there are enough articles."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.newsletters import NOT_RUNNING, led, only_name
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.screen import progressed, progressing, say, say_json
from secondpost.config.records import Newsletter
from secondpost.mail.issue import IssueState
from secondpost.newsletter.decisions import Ready
from secondpost.newsletter.publish import CannotCompose
from secondpost.owner.figures import counted
from secondpost.owner.forecast_documents import ForecastDocument, forecast_document
from secondpost.owner.newsletter_documents import SentDocument
from secondpost.store.newsletter_ports import IssueLookup, IssueRefused

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter

FREEZING_LOOK_SECONDS = 1.0  # between progress lines while an issue is frozen


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option("--no-fetch", is_flag=True, help="Do not read the feeds first.")
@JSON
def send(name: str | None, no_fetch: bool, as_json: bool) -> None:
    """Send an issue now, if there are enough articles. Reads the feeds first.

    All rules apply except the calendar, the approval and the undo time: with too few articles nothing is
    sent, and the exit code is 1.
    """
    config = configuration()
    newsletter = only_name(config, name)

    async def work(open_: "OpenNewsletter") -> None:
        from secondpost.newsletter.forecasting import forecast_of, forecast_text

        if not no_fetch:
            await open_.look(newsletter)
        now_ms = open_.clock.now_ms()
        expected = await forecast_of(open_.store, config, newsletter, now_ms)
        is_ready = isinstance((await open_.publisher.outlook_forced(newsletter)).decision, Ready)
        if is_ready and not (as_json or expected.is_plain):
            say(forecast_text(expected, newsletter, now_ms))
        sent = await _sent(open_, newsletter, forecast_document(expected, newsletter, now_ms))
        if as_json:
            say_json(sent)
        if not sent.sent:
            raise Ending(f"nothing was sent: {sent.reason}", Exit.NO)
        if not as_json:
            readers = counted(sent.readers, "reader", "readers")
            say(f"Issue {sent.number} of {newsletter.name} goes to {readers}. The service delivers it.")
            if not await open_.store.is_served():
                say(NOT_RUNNING)
            say(f"To follow it: secondpost issue status {newsletter.name} {sent.number}")

    at_newsletter(work, config)


async def _sent(open_: "OpenNewsletter", newsletter: Newsletter, expected: ForecastDocument) -> SentDocument:
    store, publisher = open_.store, open_.publisher
    async with led(store) as leader:
        try:
            async with freezing_shown(store, newsletter):
                outlook = await publisher.send_now(newsletter, leader)
        except (CannotCompose, IssueRefused) as fault:
            raise Ending(await why_not_made(store, newsletter, fault), Exit.NO) from None
    if not isinstance(outlook.decision, Ready):
        return SentDocument(
            newsletter.name, False, None, outlook.articles, outlook.minimum, 0, outlook.reason, expected
        )
    [made] = await store.issues(newsletter.name, None, 1)
    return SentDocument(
        newsletter.name,
        True,
        made.number,
        made.article_count,
        made.minimum,
        made.planned,
        outlook.reason,
        expected,
    )


async def why_not_made(store: IssueLookup, newsletter: Newsletter, fault: Exception) -> str:
    for each in await store.issues_under_way():
        if each.newsletter == newsletter.name and each.state is IssueState.OPEN:
            name = f"{newsletter.name} {each.number}"
            return f"issue {name} is held: {fault}. Correct that, or type: secondpost issue stop {name}"
    return f"nothing was sent: {fault}"


@asynccontextmanager
async def freezing_shown(store: IssueLookup, newsletter: Newsletter) -> AsyncIterator[None]:
    """Show how many readers have their row, while an issue is frozen."""

    async def watch() -> None:
        while True:
            await asyncio.sleep(FREEZING_LOOK_SECONDS)
            for each in await store.issues_under_way():
                if each.newsletter == newsletter.name and each.state is IssueState.FREEZING:
                    rows = (await store.reckoning(each.id)).under_way
                    progressing(f"{rows:,} of {counted(each.planned, 'reader', 'readers')} planned")

    watching = asyncio.get_running_loop().create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        progressed()
