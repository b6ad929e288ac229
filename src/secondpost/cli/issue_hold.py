"""secondpost issue hold, resume, retry: halt an issue while it is sent, and try again what is unknown."""

from typing import TYPE_CHECKING

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.leading import ask
from secondpost.cli.newsletters import meant, numbered
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.parameters import MAILBOX
from secondpost.cli.screen import say, say_json
from secondpost.mail.address import Mailbox
from secondpost.mail.issue import Issue, IssueState
from secondpost.mail.subscriber import SubscriberId
from secondpost.owner.figures import counted
from secondpost.owner.issue_words import reckoning_text
from secondpost.owner.newsletter_documents import reckoning_document
from secondpost.store.newsletter_ports import IssueRefused

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter

NUMBERED = click.argument("words", nargs=-1, required=True, metavar="[NAME] N")


@click.command("hold", cls=Command)
@NUMBERED
@click.option("--reason", metavar="TEXT", default="by command", help="The reason, kept with the issue.")
@JSON
def hold(words: tuple[str, ...], reason: str, as_json: bool) -> None:
    """Halt an issue: nothing more of it is sent until `issue resume`.

    Mail that is on its way at this moment still arrives. Readers who have the issue do not get it again.
    """
    config = configuration()
    which = meant(config, words, 1, 1)

    async def work(open_: "OpenNewsletter") -> None:
        found = await numbered(open_.store, which.newsletter, which.words[0])
        if found.state is IssueState.HELD:
            raise Ending(f"issue {found.number} is held already", Exit.NO)
        try:
            held = await open_.store.hold(found.id, reason)
        except IssueRefused as refused:
            raise Ending(str(refused), Exit.NO) from None
        await _say(open_, held, "Held", as_json=as_json)
        if not as_json:
            say("Mail that is on its way at this moment still arrives.")
            say(f"To go on: secondpost issue resume {held.newsletter} {held.number}")

    at_newsletter(work, config)


@click.command("resume", cls=Command)
@NUMBERED
@JSON
def resume(words: tuple[str, ...], as_json: bool) -> None:
    """Go on with an issue that is held: readers who do not have it yet will get it."""
    config = configuration()
    which = meant(config, words, 1, 1)

    async def work(open_: "OpenNewsletter") -> None:
        found = await numbered(open_.store, which.newsletter, which.words[0])
        try:
            resumed = await open_.store.resume(found.id, open_.clock.now_ms())
        except IssueRefused as refused:
            raise Ending(str(refused), Exit.NO) from None
        await _say(open_, resumed, "Goes on", as_json=as_json)

    at_newsletter(work, config)


async def _say(open_: "OpenNewsletter", issue: Issue, what: str, *, as_json: bool) -> None:
    reckoning = await open_.store.reckoning(issue.id)
    if as_json:
        say_json(reckoning_document(issue, reckoning, await open_.store.bounced(issue.id)))
    else:
        say(f"{what}: issue {issue.number} of {issue.newsletter}. {reckoning_text(reckoning)}.")


@click.command("retry", cls=Command)
@NUMBERED
@click.option("--unknown", is_flag=True, required=True, help="Those of whom it is not known.")
@click.option("--reader", type=MAILBOX, help="Only this reader.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON
def retry(words: tuple[str, ...], unknown: bool, reader: Mailbox | None, yes: bool, as_json: bool) -> None:
    """Send an issue once more to readers of whom it is not known whether they have it.

    Their servers were sent the whole mail and did not answer. Some of them have it, and will get it a second
    time, with the same Message-ID, by which many mail programs show it once. Each mail is tried again only
    once.
    """
    config = configuration()
    which = meant(config, words, 1, 1)

    async def work(open_: "OpenNewsletter") -> None:
        found = await numbered(open_.store, which.newsletter, which.words[0])
        subscriber = None
        if reader is not None:
            known = await open_.store.find(found.newsletter, reader)
            if known is None:
                raise Ending(f"{reader} is no reader of {found.newsletter}", Exit.NO)
            subscriber = known.id
        try:
            untried = await open_.store.unknown_to_retry(found.id, subscriber)
            if untried == 0:
                raise Ending(await _why_none(open_, found, subscriber), Exit.NO)
            if reader is None and not yes and not as_json:
                _ask(untried, found)
            again = await open_.store.retry_unknown(found.id, subscriber, open_.clock.now_ms())
        except IssueRefused as refused:
            raise Ending(str(refused), Exit.NO) from None
        if as_json:
            await _say(open_, await numbered(open_.store, which.newsletter, which.words[0]), "", as_json=True)
        else:
            say(f"Being sent once more: {counted(again, 'mail', 'mails')} of issue {found.number}.")

    at_newsletter(work, config)


async def _why_none(open_: "OpenNewsletter", issue: Issue, subscriber: SubscriberId | None) -> str:
    if subscriber is None and (await open_.store.reckoning(issue.id)).unknown > 0:
        return f"every unknown mail of issue {issue.number} was already sent once more"
    whose = "" if subscriber is None else " of this reader that was not already sent once more"
    return f"issue {issue.number} has no unknown mail{whose}"


def _ask(unknown: int, issue: Issue) -> None:
    """Say the risk; on a terminal, ask."""
    say(
        f"Of {counted(unknown, 'reader', 'readers')} it is not known whether they have issue {issue.number}. "
        "Those who have it get it a second time."
    )
    ask("Send it to them once more?", "add --yes to send it")
