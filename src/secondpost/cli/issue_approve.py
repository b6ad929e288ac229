"""secondpost issue approve: the owner's yes to the issue that waits for it."""

from typing import TYPE_CHECKING

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.leading import YES, ask
from secondpost.cli.newsletters import NOT_RUNNING, only_name
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.screen import say, say_json
from secondpost.mail.printable import printable
from secondpost.owner.approval_documents import ApprovedDocument
from secondpost.owner.figures import counted
from secondpost.store.approval_ports import ApprovalOutcome

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option("--no-fetch", is_flag=True, help="Do not read the feeds first.")
@YES
@JSON
def approve(name: str | None, no_fetch: bool, yes: bool, as_json: bool) -> None:
    """Approve the issue that waits for you (`approve = true`). Reads the feeds first.

    The service then makes it of the articles listed here; newer ones wait for the next issue.
    """
    config = configuration()
    newsletter = only_name(config, name)

    async def work(open_: "OpenNewsletter") -> None:
        from secondpost.newsletter.forecasting import forecast_of, forecast_text

        if not no_fetch:
            await open_.look(newsletter)
        outlook = await open_.publisher.outlook(newsletter)
        waiting = await open_.publisher.ask(outlook)
        if waiting is None:
            raise Ending(f"no issue of {newsletter.name} waits for your approval: {outlook.reason}", Exit.NO)
        now_ms = open_.clock.now_ms()
        expected = await forecast_of(open_.store, config, newsletter, now_ms)
        readers = expected.readers
        articles = counted(len(waiting.articles), "article", "articles")
        if not yes:
            for id in waiting.articles:
                entry = await open_.store.entry(id)
                if entry is not None:
                    title = printable(entry.article.title or entry.article.link)
                    click.echo(f"{id}  {title}", err=True)
            click.echo(forecast_text(expected, newsletter, now_ms), err=True)
            ask(f"Send an issue of {articles} to {counted(readers, 'reader', 'readers')}?")
        outcome = await open_.store.approve(waiting.id, waiting.articles, open_.clock.now_ms())
        if outcome in (ApprovalOutcome.CHANGED, ApprovalOutcome.OVER):
            raise Ending("the issue has changed meanwhile: nothing was approved; please look again", Exit.NO)
        if as_json:
            say_json(ApprovedDocument(newsletter.name, [int(id) for id in waiting.articles], readers))
            return
        say(f"Approved: the next issue of {newsletter.name}, of {articles}. The service makes it.")
        if not await open_.store.is_served():
            say(NOT_RUNNING)

    at_newsletter(work, config)
