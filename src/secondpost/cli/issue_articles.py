"""secondpost issue take and issue skip, and the lists of waiting and held articles."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.newsletters import led, meant
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.screen import Column, say, say_json, say_table
from secondpost.config.records import Newsletter
from secondpost.mail.article_states import ArticleState
from secondpost.mail.duration import age_text
from secondpost.mail.issue import ArticleId
from secondpost.mail.moment import day_text
from secondpost.newsletter.by_hand import ArticleRefused, ByHand
from secondpost.newsletter.outlook import Outlook
from secondpost.owner.figures import counted
from secondpost.owner.forecast_documents import forecast_document
from secondpost.owner.newsletter_documents import (
    IssueNextDocument,
    LedgerArticleDocument,
    TakenDocument,
    ledger_article_document,
    obstacle_document,
)
from secondpost.owner.newsletter_documents import next_document as outlook_document
from secondpost.store.newsletter_ports import LedgerEntry

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter
    from secondpost.owner.next_issue import NextIssue

LISTED_MAX = 20  # articles per list of `issue next`
NAMED_MAX = 1_000  # articles per command

ARTICLES = click.argument("words", nargs=-1, metavar="[NAME] ARTICLE…")
ALL = click.option("--all", "is_all", is_flag=True, help="All articles that are held.")

COLUMNS = (
    Column("article", right=True),
    Column("date"),
    Column("known for"),
    Column("title", folds=True),
    Column("why", folds=True),
)


@click.command(cls=Command)
@ARTICLES
@ALL
@JSON
def take(words: tuple[str, ...], is_all: bool, as_json: bool) -> None:
    """Take articles into the next issue: held ones, skipped ones, and ones that count as read.

    ARTICLE is the number that `issue next` shows, or the link. An article you take goes into the
    next issue even if it is dated in the future, its feed has a problem, or it has gone from the
    feed.
    """
    _lead(ArticleState.WAITING, words, is_all, as_json)


@click.command(cls=Command)
@ARTICLES
@ALL
@JSON
def skip(words: tuple[str, ...], is_all: bool, as_json: bool) -> None:
    """Leave waiting or held articles out of every issue.

    ARTICLE is the number that `issue next` shows, or the link. To take them after all: `issue
    take`.
    """
    _lead(ArticleState.SKIPPED, words, is_all, as_json)


def _lead(to: ArticleState, words: tuple[str, ...], is_all: bool, as_json: bool) -> None:
    config = configuration()
    wanted = "Which article? Give its number, as `issue next` shows it, or its link; or --all."
    which = meant(config, words, 0 if is_all else 1, 0 if is_all else NAMED_MAX, wanted)

    async def work(open_: "OpenNewsletter") -> None:
        # Holds the lead, so that no issue is made of them meanwhile.
        async with led(open_.store):
            by_hand = ByHand(open_.store, which.newsletter.name)
            try:
                led_on = await _led_on(by_hand, to, which.words)
            except ArticleRefused as refused:
                raise Ending(str(refused), Exit.NO) from None
        outlook = await open_.publisher.outlook(which.newsletter)
        if as_json:
            verb = "take" if to is ArticleState.WAITING else "skip"
            numbers = [int(entry.id) for entry in led_on]
            say_json(TakenDocument(verb, which.newsletter.name, numbers, outlook.reason))
            return
        past = "Taken" if to is ArticleState.WAITING else "Skipped"
        say(f"{past}: {counted(len(led_on), 'article', 'articles')}.")
        say(f"{which.newsletter.name}: {outlook.reason}")

    at_newsletter(work, config)


async def _led_on(by_hand: ByHand, to: ArticleState, words: Sequence[str]) -> list[LedgerEntry]:
    verb = by_hand.take if to is ArticleState.WAITING else by_hand.skip
    if len(words) > 0:
        entries = await by_hand.named(words)
        await verb(entries)
        return entries
    done: list[LedgerEntry] = []
    while len(batch := await by_hand.held()) > 0:
        await verb(batch)
        done += batch
    if len(done) == 0:
        raise ArticleRefused("no article is held")
    return done


# ---------------------------------------------------------------- lists of issue next


@dataclass(frozen=True, slots=True)
class ListedArticles:
    """The articles of one state that are shown, and their total number."""

    entries: Sequence[LedgerEntry]
    total: int


async def listed(open_: "OpenNewsletter", newsletter: Newsletter, state: ArticleState) -> ListedArticles:
    store = open_.store
    entries = await store.entries(newsletter.name, state, LISTED_MAX)
    return ListedArticles(entries, await store.count(newsletter.name, state))


async def next_document(
    open_: "OpenNewsletter", newsletter: Newsletter, found_next: "NextIssue", *, past: bool
) -> IssueNextDocument:
    """`past` includes articles that count as read or were skipped."""
    ripe_ms = _ripe_ms(found_next.outlook)

    def documents(found: ListedArticles) -> list[LedgerArticleDocument]:
        return [ledger_article_document(entry, ripe_ms.get(entry.id)) for entry in found.entries]

    waiting, held, seen, skipped = [
        await listed(open_, newsletter, state)
        for state in (ArticleState.WAITING, ArticleState.HELD, ArticleState.SEEN, ArticleState.SKIPPED)
    ]
    return IssueNextDocument(
        **asdict(outlook_document(found_next.outlook)),
        subject=found_next.subject,
        foreword=found_next.foreword,
        first=[int(id) for id in found_next.first],
        forecast=forecast_document(found_next.expected, newsletter, open_.clock.now_ms()),
        obstacles=[obstacle_document(each) for each in found_next.obstacles],
        waiting=documents(waiting),
        waiting_total=waiting.total,
        held=documents(held),
        held_total=held.total,
        past=[*documents(seen), *documents(skipped)] if past else [],
    )


async def say_articles(
    open_: "OpenNewsletter", newsletter: Newsletter, outlook: Outlook, *, past: bool
) -> None:
    """Print the articles for people."""
    from secondpost.compose.issue import shown_title

    now_ms, ripe_ms = open_.clock.now_ms(), _ripe_ms(outlook)
    zone = ZoneInfo(newsletter.timezone)

    def row(entry: LedgerEntry) -> tuple[str, ...]:
        published_ms = entry.article.published_ms
        date = "" if published_ms is None else day_text(published_ms, zone)
        return str(entry.id), date, age_text(now_ms - entry.first_seen_ms), shown_title(entry.article)

    def why(entry: LedgerEntry) -> str:
        return entry.reason

    def until(entry: LedgerEntry) -> str:
        at_ms = ripe_ms.get(entry.id)
        return entry.reason if at_ms is None else "too new, or dated in the future"

    _say("For the next issue", await listed(open_, newsletter, ArticleState.WAITING), row, until)
    held = await listed(open_, newsletter, ArticleState.HELD)
    _say("Held", held, row, why)
    if past:
        _say("Count as read", await listed(open_, newsletter, ArticleState.SEEN), row, why)
        _say("Skipped", await listed(open_, newsletter, ArticleState.SKIPPED), row, why)
    if held.total > 0:
        name = newsletter.name
        say(f"\nTo take them: secondpost issue take {name} ARTICLE… (or --all)")
        say(f"To leave them out: secondpost issue skip {name} ARTICLE… (or --all)")


def _say(
    title: str,
    found: ListedArticles,
    row: Callable[[LedgerEntry], tuple[str, ...]],
    why: Callable[[LedgerEntry], str],
) -> None:
    if found.total == 0:
        return
    say(f"\n{title}:")
    say_table(COLUMNS, [(*row(entry), why(entry)) for entry in found.entries])
    more = found.total - len(found.entries)
    if more > 0:
        say(f"and {counted(more, 'more', 'more')}")


def _ripe_ms(outlook: Outlook) -> Mapping[ArticleId, int]:
    return {each.article: each.until_ms for each in outlook.unripe}
