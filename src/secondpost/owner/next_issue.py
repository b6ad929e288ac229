"""The next issue for the owner's one screen: what, when, why it waits, to whom, and what would stop it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from secondpost.compose.issue import subject_of
from secondpost.compose.masthead import masthead_of
from secondpost.config.records import Config, Newsletter
from secondpost.mail.article import Article
from secondpost.mail.article_states import ArticleState
from secondpost.mail.issue import ArticleId
from secondpost.mail.moment import weekday_text
from secondpost.mail.owner_notice import AlarmRecord
from secondpost.newsletter.decisions import IssueDecision, NotDue, Ready, ToApprove, TooFew
from secondpost.newsletter.forecast import Forecast
from secondpost.newsletter.forecasting import forecast_of, overtaken_ms, overtaken_text
from secondpost.newsletter.issues import ARTICLES_OF_AN_ISSUE_MAX
from secondpost.newsletter.order import in_order
from secondpost.newsletter.outlook import Outlook
from secondpost.owner.obstacles import AroundIssue, Obstacle, UndecidedOfIssue, obstacles
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.subscribers.weighing import undecided_bounces

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter


@dataclass(frozen=True, slots=True)
class NextIssue:
    outlook: Outlook
    subject: str  # "" while no article waits
    first: tuple[ArticleId, ...]  # the articles that the owner put first
    foreword: str  # Markdown; "" without one
    expected: Forecast
    obstacles: tuple[Obstacle, ...]


async def next_issue(
    open_: "OpenNewsletter", config: Config, newsletter: Newsletter, alarms: list[AlarmRecord]
) -> NextIssue:
    """`alarms`: those of the service that stand."""
    store, now_ms = open_.store, open_.clock.now_ms()
    outlook = await open_.publisher.outlook(newsletter)
    expected = await forecast_of(store, config, newsletter, now_ms)
    around = AroundIssue(
        if_due=(await open_.publisher.outlook_forced(newsletter)).decision,
        unproven=await open_.publisher.unproven(newsletter),
        readers=expected.readers,
        is_served=await store.is_served(),
        copy=await store.copy_hold(),
        pauses=await store.provider_pauses(),
        undecided=await _undecided(store),
        alarms=alarms,
        overtaken=_overtaken(expected, newsletter, outlook.decision, now_ms),
    )
    zone = ZoneInfo(newsletter.timezone)
    return NextIssue(
        outlook,
        await _subject(store, config, newsletter, outlook.decision),
        await store.next_order(newsletter.name),
        await store.note(newsletter.name),
        expected,
        obstacles(
            newsletter,
            config.send,
            outlook,
            around,
            lambda at_ms: weekday_text(at_ms, zone, now_ms),
            now_ms,
        ),
    )


async def next_articles(
    store: NewsletterStore, newsletter: Newsletter, decision: IssueDecision
) -> list[Article]:
    """The articles of the next issue; all waiting ones while none can be sent."""
    if isinstance(decision, Ready | ToApprove):
        entries = [await store.entry(id) for id in decision.draft.articles]
        return [entry.article for entry in entries if entry is not None]
    waiting = await store.entries(newsletter.name, ArticleState.WAITING, ARTICLES_OF_AN_ISSUE_MAX)
    first = await store.next_order(newsletter.name)
    return [entry.article for entry in in_order(waiting, newsletter.order, newsletter.feeds, first)]


async def _subject(
    store: NewsletterStore, config: Config, newsletter: Newsletter, decision: IssueDecision
) -> str:
    articles = await next_articles(store, newsletter, decision)
    if len(articles) == 0:
        return ""
    title = (await store.feed(newsletter.name, newsletter.feeds[0])).title
    return subject_of(masthead_of(newsletter, config.web, title), articles)


async def _undecided(store: NewsletterStore) -> list[UndecidedOfIssue]:
    found = []
    for id, _ in await store.undecided():
        issue = await store.issue(id)
        if issue is not None:
            found += [
                UndecidedOfIssue(issue.newsletter, issue.number, one)
                for one in await undecided_bounces(store, id)
            ]
    return found


def _overtaken(expected: Forecast, newsletter: Newsletter, decision: IssueDecision, now_ms: int) -> str:
    begins_ms = now_ms
    if isinstance(decision, NotDue | TooFew) and decision.next_ms is not None:
        begins_ms = max(now_ms, decision.next_ms)
    at_ms = overtaken_ms(expected, newsletter, begins_ms)
    return "" if at_ms is None else overtaken_text(at_ms, newsletter, now_ms)
