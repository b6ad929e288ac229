"""secondpost issue lead and issue order: which articles come first in the next issue."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.issue_articles import ARTICLES
from secondpost.cli.newsletters import meant
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.screen import say, say_json
from secondpost.mail.article_states import ArticleState
from secondpost.newsletter.by_hand import ArticleRefused, ByHand
from secondpost.newsletter.issues import ARTICLES_OF_AN_ISSUE_MAX
from secondpost.owner.approval_documents import OrderDocument
from secondpost.store.newsletter_ports import LedgerEntry

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter


@click.command(cls=Command)
@click.argument("words", nargs=-1, required=True, metavar="[NAME] ARTICLE")
@JSON
def lead(words: tuple[str, ...], as_json: bool) -> None:
    """Put an article first in the next issue; its title becomes the subject.

    ARTICLE is the number that `issue next` shows, or the link. The others keep their order. The next issue
    uses this up.
    """
    _arrange(words, 1, 1, as_json, keeps_rest=True)


@click.command(cls=Command)
@ARTICLES
@click.option("--clear", is_flag=True, help="Go back to the order of the configuration.")
@JSON
def order(words: tuple[str, ...], clear: bool, as_json: bool) -> None:
    """Put these articles first in the next issue, in this order; the others follow in their own.

    ARTICLE is the number that `issue next` shows, or the link. An article that is skipped, or that vanishes
    from its feed, is left out of the order. The next issue uses it up.
    """
    least, most = (0, 0) if clear else (1, ARTICLES_OF_AN_ISSUE_MAX)
    _arrange(words, least, most, as_json, keeps_rest=False)


def _arrange(words: tuple[str, ...], least: int, most: int, as_json: bool, *, keeps_rest: bool) -> None:
    config = configuration()
    which = meant(config, words, least, most)
    name = which.newsletter.name

    async def work(open_: "OpenNewsletter") -> None:
        try:
            entries = _waiting(await ByHand(open_.store, name).named(which.words))
        except ArticleRefused as refused:
            raise Ending(str(refused), Exit.NO) from None
        first = [entry.id for entry in entries]
        if keeps_rest:
            first += [id for id in await open_.store.next_order(name) if id not in first]
        await open_.store.set_next_order(name, first[:ARTICLES_OF_AN_ISSUE_MAX])
        if as_json:
            say_json(OrderDocument(name, [int(id) for id in first]))
        elif len(first) == 0:
            say(f"The next issue of {name} has its usual order.")
        else:
            say(f"The next issue of {name} begins with {_title(entries[0])}.")
            say(f"To see it: secondpost issue preview {name}")

    at_newsletter(work, config)


def _waiting(entries: Sequence[LedgerEntry]) -> Sequence[LedgerEntry]:
    """Raises ArticleRefused if one of them does not wait for the next issue."""
    for entry in entries:
        if entry.state is not ArticleState.WAITING:
            raise ArticleRefused(
                f"article {entry.id} does not wait for the next issue ({entry.state.value}); "
                "nothing was changed. To take it: secondpost issue take"
            )
    return entries


def _title(entry: LedgerEntry) -> str:
    return repr(entry.article.title or entry.article.link)
