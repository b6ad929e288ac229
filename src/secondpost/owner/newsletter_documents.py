"""The JSON documents of the newsletter's commands, by the rules of documents.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from secondpost.mail.article import Article
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.issue import Issue, Reckoning
from secondpost.newsletter import decisions as decided
from secondpost.newsletter.outlook import Outlook
from secondpost.owner.figures import utc_time
from secondpost.owner.forecast_documents import ForecastDocument
from secondpost.owner.reader_documents import due_time, time_text
from secondpost.store.newsletter_ports import LedgerEntry, ReaderDelivery

if TYPE_CHECKING:  # it needs more than the documents of most commands
    from secondpost.owner.obstacles import Obstacle


@dataclass(frozen=True, slots=True)
class LedgerArticleDocument:
    """An article of the ledger: waiting, held, or past."""

    article: int
    title: str
    link: str
    published: str | None
    since: str
    state: str
    settles: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class NextDocument:
    """What the next issue waits for."""

    newsletter: str
    articles: int
    settling: int
    minimum: int
    ready: bool
    next: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class ObstacleDocument:
    """What stands between a newsletter and its next issue."""

    kind: str
    effect: str
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class IssueNextDocument(NextDocument):
    """The document of `issue next`."""

    subject: str
    foreword: str
    first: list[int]
    forecast: ForecastDocument
    obstacles: list[ObstacleDocument]
    waiting: list[LedgerArticleDocument]
    waiting_total: int
    held: list[LedgerArticleDocument]
    held_total: int
    past: list[LedgerArticleDocument]


@dataclass(frozen=True, slots=True)
class TakenDocument:
    """The document of `issue take` and `issue skip`."""

    verb: str
    newsletter: str
    articles: list[int]
    reason: str


@dataclass(frozen=True, slots=True)
class SentDocument:
    """The document of `issue send`."""

    newsletter: str
    sent: bool
    number: int | None
    articles: int
    minimum: int
    readers: int
    reason: str
    forecast: ForecastDocument


@dataclass(frozen=True, slots=True)
class LetterDocument:
    """The document of `issue write`."""

    newsletter: str
    sent: bool
    number: int | None
    readers: int
    subject: str
    text: str
    html: str
    forecast: ForecastDocument


@dataclass(frozen=True, slots=True)
class NoteDocument:
    """The document of `issue note`."""

    newsletter: str
    words: str


@dataclass(frozen=True, slots=True)
class CopyDocument:
    """The document of `issue test`."""

    newsletter: str
    address: str
    sent: bool
    id: str | None
    subject: str
    articles: int
    minimum: int
    reason: str


@dataclass(frozen=True, slots=True)
class ArticleDocument:
    title: str
    link: str
    author: str
    published: str | None


@dataclass(frozen=True, slots=True)
class PreviewDocument:
    """The document of `issue preview`."""

    newsletter: str
    subject: str
    text: str
    html: str
    articles: list[ArticleDocument]
    reason: str
    forecast: ForecastDocument


@dataclass(frozen=True, slots=True)
class IssueDocument:
    newsletter: str
    number: int
    kind: str
    state: str
    slot: str
    subject: str
    articles: int
    minimum: int
    planned: int
    created: str
    start: str | None
    finished: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class IssueListDocument:
    """The document of `issue list`."""

    issues: list[IssueDocument]
    next: int | None


@dataclass(frozen=True, slots=True)
class IssueShownDocument:
    """The document of `issue show`."""

    issue: IssueDocument
    words: str
    articles: list[ArticleDocument]


@dataclass(frozen=True, slots=True)
class ReckoningDocument:
    """The document of `issue status` and `issue stop`."""

    newsletter: str
    number: int
    state: str
    reason: str
    planned: int
    delivered: int
    suppressed: int
    failed: int
    expired: int
    stopped: int
    unknown: int
    under_way: int
    adds_up: bool
    bounced: dict[str, int]


@dataclass(frozen=True, slots=True)
class IssueMailDocument:
    """The mail of an issue to one reader."""

    id: str
    address: str
    state: str
    attempts: int
    last: str | None
    due: str | None
    site: str
    site_down: bool
    cause: str
    host: str
    reply: str


@dataclass(frozen=True, slots=True)
class IssueMailsDocument:
    """The document of `issue status` with --failed, --unknown or --waiting."""

    newsletter: str
    number: int
    mails: list[IssueMailDocument]
    next: str | None


@dataclass(frozen=True, slots=True)
class RenameDocument:
    """The document of `newsletter rename`."""

    old: str
    new: str
    rows: int


@dataclass(frozen=True, slots=True)
class RetireDocument:
    """The document of `newsletter retire`."""

    newsletter: str
    changed: bool


@dataclass(frozen=True, slots=True)
class ChangeDocument:
    """The document of `subscribers add`, `confirm`, `remove` and `suppress`."""

    verb: str
    newsletter: str
    address: str
    changed: bool
    state: str | None
    suppressed: bool


def ledger_article_document(entry: LedgerEntry, settles_ms: int | None) -> LedgerArticleDocument:
    """`settles_ms`: when the article may be sent; None if it may be now, or does not wait."""
    return LedgerArticleDocument(
        article=entry.id,
        title=entry.article.title,
        link=entry.article.link,
        published=time_text(entry.article.published_ms),
        since=utc_time(entry.first_seen_ms),
        state=entry.state.value,
        settles=time_text(settles_ms),
        reason=entry.reason,
    )


def next_document(outlook: Outlook) -> NextDocument:
    return NextDocument(
        newsletter=outlook.newsletter,
        articles=outlook.articles,
        settling=outlook.settling,
        minimum=outlook.minimum,
        ready=isinstance(outlook.decision, decided.Ready),
        next=time_text(_next_ms(outlook)),
        reason=outlook.reason,
    )


def obstacle_document(found: "Obstacle") -> ObstacleDocument:
    return ObstacleDocument(found.kind.value, found.effect.value, found.text, found.remedy)


def _next_ms(outlook: Outlook) -> int | None:
    """The next time of a decision, if known."""
    match outlook.decision:
        case decided.Settling(until_ms=at_ms) | decided.NotDue(next_ms=at_ms):
            return at_ms
        case decided.TooFew(next_ms=at_ms) | decided.NoReaders(next_ms=at_ms):
            return at_ms
        case (
            decided.Missed(next_ms=at_ms)
            | decided.NotApproved(next_ms=at_ms)
            | decided.NotProven(next_ms=at_ms)
            | decided.Overtaken(next_ms=at_ms)
        ):
            return at_ms
        case _:
            return None


def article_document(article: Article) -> ArticleDocument:
    return ArticleDocument(article.title, article.link, article.author, time_text(article.published_ms))


def issue_document(issue: Issue) -> IssueDocument:
    return IssueDocument(
        newsletter=issue.newsletter,
        number=issue.number,
        kind=issue.kind.value,
        state=issue.state.value,
        slot=issue.slot,
        subject=issue.subject,
        articles=issue.article_count,
        minimum=issue.minimum,
        planned=issue.planned,
        created=utc_time(issue.created_ms),
        start=time_text(issue.start_ms),
        finished=time_text(issue.finished_ms),
        reason=issue.reason,
    )


def reckoning_document(
    issue: Issue, reckoning: Reckoning, bounced: Mapping[BounceKind, int]
) -> ReckoningDocument:
    return ReckoningDocument(
        newsletter=issue.newsletter,
        number=issue.number,
        state=issue.state.value,
        reason=issue.reason,
        planned=reckoning.planned,
        delivered=reckoning.delivered,
        suppressed=reckoning.suppressed,
        failed=reckoning.failed,
        expired=reckoning.expired,
        stopped=reckoning.stopped,
        unknown=reckoning.unknown,
        under_way=reckoning.under_way,
        adds_up=reckoning.adds_up,
        bounced={kind.value: reports for kind, reports in bounced.items()},
    )


def issue_mails_document(issue: Issue, mails: Sequence[ReaderDelivery], more: bool) -> IssueMailsDocument:
    """`next` is the value of --after for the next page."""
    return IssueMailsDocument(
        newsletter=issue.newsletter,
        number=issue.number,
        mails=[
            IssueMailDocument(
                id=str(mail.id),
                address=mail.recipient,
                state=mail.state.value,
                attempts=mail.attempts,
                last=time_text(mail.last_ms),
                due=due_time(mail),
                site=mail.site,
                site_down=mail.site_down,
                cause=mail.cause,
                host=mail.host,
                reply=mail.reply,
            )
            for mail in mails
        ],
        next=str(mails[-1].id) if more and len(mails) > 0 else None,
    )
