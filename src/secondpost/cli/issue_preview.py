"""secondpost issue preview: the next issue as a reader would see it."""

import html
import os
from contextlib import ExitStack
from email.utils import parseaddr
from typing import TYPE_CHECKING

import click

from secondpost.cli.browser import preview_path, shown_in_browser, typist
from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.newsletters import only_name
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.output_file import output_file
from secondpost.cli.screen import say, say_json
from secondpost.compose.issue import Composed, IssueComposer
from secondpost.compose.masthead import home_of, masthead_of
from secondpost.config.records import Config, Newsletter, Web
from secondpost.mail.article import Article
from secondpost.mail.issue_content import Hole
from secondpost.mail.printable import printable
from secondpost.newsletter.forecasting import forecast_of
from secondpost.newsletter.render import output_faults
from secondpost.owner.forecast_documents import forecast_document
from secondpost.owner.newsletter_documents import PreviewDocument, article_document
from secondpost.owner.next_issue import next_articles

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter

PREVIEW_ADDRESS = "reader@example.org"  # in place of each reader's own address


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option("--html", "path", metavar="FILE", help="Write the HTML to this file; - means standard output.")
@click.option("--text", "as_text", is_flag=True, help="Print the text part; this is the default.")
@click.option("--open", "opens", is_flag=True, help="Show the HTML in your browser; with --text, the text.")
@click.option("--no-fetch", is_flag=True, help="Do not read the feeds first.")
@JSON
def preview(
    name: str | None, path: str | None, as_text: bool, opens: bool, no_fetch: bool, as_json: bool
) -> None:
    """Show the next issue as it stands. Reads the feeds first, and sends nothing.

    Each reader's own links lead to the newsletter's page here.
    """
    if (path is not None) + as_text + as_json > 1:
        raise click.UsageError("Use only one of --html, --text and --json.")
    if opens and (as_json or path == "-"):
        raise click.UsageError("--open shows a file: use it without --json, and without --html -.")
    config = configuration()
    newsletter = only_name(config, name)
    who = typist()
    is_chosen = path is not None
    if opens and path is None:
        path = preview_path(config, newsletter.name, "txt" if as_text else "html")
    with ExitStack() as ends:
        write = None
        if path is not None and path != "-":
            write = ends.enter_context(output_file(path, is_chosen=is_chosen))
        document = at_newsletter(lambda open_: _preview(open_, config, newsletter, no_fetch), config)
        if write is not None:
            write(f"Subject: {document.subject}\n\n{document.text}" if as_text else document.html)
    if as_json:
        say_json(document)
    elif path == "-":
        click.echo(document.html)
    elif path is not None:
        say(f"Wrote {path}. {document.reason}")
        if opens:
            say(shown_in_browser(who, config, newsletter.name, os.path.abspath(path)))
    else:
        say(f"Subject: {document.subject}\n\n{document.text}")
        words = " ".join([document.reason, document.forecast.words]).rstrip()
        click.echo(f"({printable(words)})", err=True)


async def _preview(
    open_: "OpenNewsletter", config: Config, newsletter: Newsletter, no_fetch: bool
) -> PreviewDocument:
    if not no_fetch:
        await open_.publisher.fetch(newsletter)
    outlook = await open_.publisher.outlook_forced(newsletter)
    articles = await next_articles(open_.store, newsletter, outlook.decision)
    if len(articles) == 0:
        raise Ending(f"there is nothing to show: {outlook.reason}", Exit.NO)
    composed = await _composed(open_, newsletter, config.web, articles)
    faults = output_faults(composed, articles, 1)
    if len(faults) > 0:
        raise Ending(f"it cannot be sent like this: {'; '.join(map(str, faults))}", Exit.NO)
    shown = filled(composed, newsletter, config.web)
    now_ms = open_.clock.now_ms()
    expected = await forecast_of(open_.store, config, newsletter, now_ms)
    return PreviewDocument(
        newsletter=newsletter.name,
        subject=shown.subject,
        text=shown.text,
        html=shown.html,
        articles=[article_document(article) for article in articles],
        reason=outlook.reason,
        forecast=forecast_document(expected, newsletter, now_ms),
    )


async def _composed(
    open_: "OpenNewsletter", newsletter: Newsletter, web: Web, articles: list[Article]
) -> Composed:
    title = (await open_.store.feed(newsletter.name, newsletter.feeds[0])).title
    note = await open_.store.note(newsletter.name)
    masthead = masthead_of(newsletter, web, title)
    return IssueComposer().compose(masthead, None, open_.clock.now_ms() // 1000, articles, note)


def filled(composed: Composed, newsletter: Newsletter, web: Web) -> Composed:
    page = home_of(newsletter, web) or f"mailto:{parseaddr(newsletter.sender)[1]}"
    text, markup = composed.text, composed.html
    for hole in Hole:
        value = PREVIEW_ADDRESS if hole is Hole.ADDRESS else page
        text = text.replace(hole.marker, value)
        markup = markup.replace(hole.marker, html.escape(value))
    return Composed(composed.subject, markup, text)
