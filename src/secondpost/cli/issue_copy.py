"""secondpost issue test: a marked copy of the next issue, to one of the owner's addresses."""

from typing import TYPE_CHECKING

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.newsletters import NOT_RUNNING, Meant, addressed
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.screen import say, say_json
from secondpost.mail.address import Mailbox
from secondpost.mail.queue_id import queue_id_text
from secondpost.newsletter.decisions import TooFew
from secondpost.newsletter.publish import CannotCompose
from secondpost.owner.figures import counted
from secondpost.owner.newsletter_documents import CopyDocument
from secondpost.owner.next_issue import next_articles

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter


@click.command("test", cls=Command)
@click.argument("words", nargs=-1, required=True, metavar="[NAME] ADDRESS")
@click.option("--no-fetch", is_flag=True, help="Do not read the feeds first.")
@JSON
def test(words: tuple[str, ...], no_fetch: bool, as_json: bool) -> None:
    """Send a marked copy of the next issue, signed as readers get it, to one address.

    Its articles still go into the next issue, it has no number, and its links belong to no reader. With fewer
    articles than an issue needs, nothing is sent, and the exit code is 1.
    """
    config = configuration()
    which, mailbox = addressed(config, words)
    if not config.send.allows(mailbox):
        raise Ending(f"nothing was sent: {mailbox} is not in `only_to` of [send] in {config.path}", Exit.NO)

    async def work(open_: "OpenNewsletter") -> None:
        if not no_fetch:
            await open_.publisher.fetch(which.newsletter)
        sent = await _sent(open_, which, mailbox)
        if as_json:
            say_json(sent)
        if not sent.sent:
            raise Ending(f"nothing was sent: {sent.reason}", Exit.NO)
        if not as_json:
            say(f"A copy with {counted(sent.articles, 'article', 'articles')} is being sent to {mailbox}.")
            say(f"The service delivers it. To follow it: secondpost trace {sent.id}")
            if not await open_.store.is_served():
                say(NOT_RUNNING)

    at_newsletter(work, config)


async def _sent(open_: "OpenNewsletter", which: Meant, mailbox: Mailbox) -> CopyDocument:
    store, newsletter, now_ms = open_.store, which.newsletter, open_.clock.now_ms()
    outlook = await open_.publisher.outlook_forced(newsletter)
    articles = await next_articles(store, newsletter, outlook.decision)

    def document(reason: str, id: str | None = None, subject: str = "") -> CopyDocument:
        return CopyDocument(
            newsletter=newsletter.name,
            address=str(mailbox),
            sent=id is not None,
            id=id,
            subject=subject,
            articles=len(articles),
            minimum=newsletter.min_articles,
            reason=reason,
        )

    if len(articles) < newsletter.min_articles:
        few = f"{len(articles)} of {counted(newsletter.min_articles, 'article', 'articles')}"
        why = outlook.reason if isinstance(outlook.decision, TooFew) else f"{few} wait. {outlook.reason}"
        return document(f"{why} To see what there is: secondpost issue preview {newsletter.name}")
    try:
        note = await store.note(newsletter.name)
        copy = await open_.renderer.test_copy(newsletter, now_ms, articles, newsletter.min_articles, note)
    except CannotCompose as fault:
        return document(f"it cannot be sent like this: {fault}")
    message = open_.sign_ups.ids.next(now_ms)
    if not await store.send_copy(newsletter.name, mailbox, message, copy.content.encode(), now_ms):
        return document(f"{mailbox} is suppressed")
    return document(outlook.reason, queue_id_text(message), copy.composed.subject)
