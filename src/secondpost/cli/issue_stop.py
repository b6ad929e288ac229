"""secondpost issue stop: end an issue for good."""

from typing import TYPE_CHECKING

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.leading import YES, ask
from secondpost.cli.newsletters import meant, numbered
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.screen import say, say_json
from secondpost.mail.issue import Issue, IssueKind, IssueState, Reckoning, issue_sources_of
from secondpost.owner.figures import counted
from secondpost.owner.issue_words import reckoning_text
from secondpost.owner.newsletter_documents import reckoning_document
from secondpost.store.newsletter_ports import IssueRefused

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter


@click.command(cls=Command)
@click.argument("words", nargs=-1, required=True, metavar="[NAME] N")
@click.option("--reason", metavar="TEXT", default="by command", help="The reason, kept with the issue.")
@YES
@JSON
def stop(words: tuple[str, ...], reason: str, yes: bool, as_json: bool) -> None:
    """Stop an issue for good: readers who do not have it yet will never get it.

    Mail that is on its way at this moment still arrives. If no reader got it, its articles go into the next
    issue. Once readers have it, it asks first; `issue hold` only halts it.
    """
    config = configuration()
    which = meant(config, words, 1, 1)

    async def work(open_: "OpenNewsletter") -> None:
        store = open_.store
        found = await numbered(store, which.newsletter, which.words[0])
        if found.state is IssueState.STOPPED:
            raise Ending(f"issue {found.number} has already been stopped", Exit.NO)
        if not yes and found.state in issue_sources_of(IssueState.STOPPED):
            _ask(found, await store.reckoning(found.id))
        try:
            stopped = await store.stop(found.id, open_.clock.now_ms(), reason)
        except IssueRefused as refused:
            raise Ending(str(refused), Exit.NO) from None
        reckoning = await store.reckoning(found.id)
        if as_json:
            say_json(reckoning_document(stopped, reckoning, await store.bounced(stopped.id)))
            return
        say(f"Stopped: issue {stopped.number} of {stopped.newsletter}. {reckoning_text(reckoning)}.")
        if stopped.kind is IssueKind.DIGEST and len(await store.entries_of_issue(stopped.id)) == 0:
            articles = counted(stopped.article_count, "article", "articles")
            goes = "goes" if stopped.article_count == 1 else "go"
            say(f"No reader got it: its {articles} {goes} into the next issue.")
            say((await open_.publisher.outlook(which.newsletter)).reason)
        elif _who_have_it(reckoning) > 0 and reckoning.stopped > 0:
            left = counted(reckoning.stopped, "reader does", "readers do")
            say(f"{left} not have it, and will not get it.")

    at_newsletter(work, config)


def _who_have_it(reckoning: Reckoning) -> int:
    """Readers who have the issue, or may have it."""
    return reckoning.delivered + reckoning.unknown


def _ask(found: Issue, reckoning: Reckoning) -> None:
    """Ask, if readers have the issue and others would never get it."""
    have_it, left = _who_have_it(reckoning), reckoning.under_way
    if have_it == 0 or left == 0:
        return
    have = counted(have_it, "reader has", "readers have")
    others = "other one" if left == 1 else f"{left:,} others"
    halts = f"secondpost issue hold {found.newsletter} {found.number} only halts it"
    ask(
        f"{have} issue {found.number}, and the {others} will never get it: a stopped issue cannot go on "
        f"({halts}). Stop it for good?"
    )
