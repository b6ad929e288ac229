"""What one look at a feed means for the ledger: what is new, what is known, what has gone, what is doubtful.

Nothing here acts: a look gives a FetchRecord, which the store writes in one transaction. New is what we
see for the first time; dates are hints. A document that gives reason to doubt it brings nothing and takes
nothing away, and says why in `Feed.finding`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from secondpost.mail.article import Article, FeedRead
from secondpost.newsletter.identity import Known, Marks, marks_of, recognised
from secondpost.newsletter.links import canonical, site
from secondpost.store.newsletter_ports import (
    ArticleMove,
    ArticleState,
    Feed,
    FetchRecord,
    LedgerEntry,
    NewArticle,
    SeenAgain,
)

DAY_MS = 86_400_000
NOVEL_MAX = 5  # new articles in one look that surprise nobody
BACKDATED_MS = 30 * DAY_MS  # a new article that is so much older than the last look is none
OWN_GENERATOR = "Secondpost"
UNRECOGNISABLE = "everything in the feed was new at once: its ids may have changed"
GONE = "it has gone from the feed"


@dataclass(frozen=True, slots=True)
class LookRules:
    """Of the newsletter."""

    takes_everything: bool  # start = "everything"
    only: tuple[str, ...]  # categories, folded
    skip: tuple[str, ...]
    own_archives: tuple[str, ...]  # canonical links of feeds that we publish ourselves


@dataclass(frozen=True, slots=True)
class Before:
    """What the ledger says before the look."""

    feed: Feed
    known: Known
    waiting: tuple[LedgerEntry, ...]  # of this feed: for an issue, or held
    had_articles: bool  # whether anything of this feed was ever seen


def trusted(read: FeedRead, feed: Feed) -> tuple[Feed, tuple[Marks, ...]]:
    """The feed with what the document tells of its guids, and the marks by which the ledger is asked."""
    distrusted = feed.distrusted_guids | read.repeated_guids
    return replace(feed, distrusted_guids=distrusted), marks_of(read, distrusted)


def look(
    read: FeedRead, marks: Sequence[Marks], before: Before, rules: LookRules, now_ms: int
) -> FetchRecord:
    entries = recognised(before.feed.url, marks, before.known)
    doubt = _doubt(read, entries, before, rules)
    if doubt is not None:
        return no_information(before.feed, doubt, now_ms)
    fresh = _fresh(read, marks, entries)
    again = _again(before.feed.url, read, entries)
    window = len(read.articles)
    if _is_unrecognisable(entries, before):
        # Held, so that the owner can take or skip them; what waits stays as it is until then.
        held = tuple(
            NewArticle(each.article, each.marks.link, ArticleState.HELD, UNRECOGNISABLE) for each in fresh
        )
        finding = f"All {window} articles in it are new at once: their ids may have changed."
        return replace(no_information(before.feed, finding, now_ms), new=held, again=again)
    feed = replace(
        before.feed,
        identity=identity_of(read, before.feed.url),
        title=read.title,
        last_fetch_ms=now_ms,
        last_good_ms=now_ms,
        finding="",
        baseline_done=True,
        left_out=read.left_out,
    )
    judged = _judged(fresh, window, before, rules, now_ms)
    return FetchRecord(feed, now_ms, judged, again, _moves(entries, len(fresh), before))


def no_information(feed: Feed, finding: str, now_ms: int) -> FetchRecord:
    """Nothing is added, nothing removed."""
    return FetchRecord(replace(feed, last_fetch_ms=now_ms, finding=finding), now_ms)


def not_looked_at(feed: Feed, finding: str, now_ms: int) -> FetchRecord:
    """In doubt, and looked at as soon as may be: this was not the look of this time."""
    return FetchRecord(replace(feed, finding=finding), now_ms)


def unchanged(feed: Feed, waiting: Sequence[LedgerEntry], now_ms: int) -> FetchRecord:
    """A 304: what stood there at the last good look still stands there."""
    again = tuple(
        SeenAgain(entry.id, entry.article)
        for entry in waiting
        if entry.feed == feed.url
        and feed.last_good_ms is not None
        and entry.last_seen_ms >= feed.last_good_ms
    )
    good = replace(feed, last_fetch_ms=now_ms, last_good_ms=now_ms, finding="")
    return FetchRecord(good, now_ms, again=again)


# ---------------------------------------------------------------- doubts about a document (R13)


def identity_of(read: FeedRead, url: str) -> str:
    """Its own id or self link, folded; else the site that it is about."""
    if len(read.identity) > 0:
        return canonical(read.identity) or read.identity
    return f"site:{site(read.home) or site(url)}"


def _doubt(
    read: FeedRead, entries: Sequence[LedgerEntry | None], before: Before, rules: LookRules
) -> str | None:
    feed = before.feed
    own = {canonical(read.identity), canonical(feed.url)} & set(rules.own_archives)
    if len(own) > 0 or read.generator.startswith(OWN_GENERATOR):
        return "It is an archive of issues, not a blog: an issue made of issues would never end."
    if len(read.articles) == 0 and before.had_articles:
        return "It is empty, and it was not before."
    if len(feed.identity) > 0 and identity_of(read, feed.url) != feed.identity:
        recognised_count = sum(entry is not None for entry in entries)
        if recognised_count * 2 < len(entries) or len(entries) == 0:
            return (
                f"It is another feed now: it calls itself {identity_of(read, feed.url)!r}, and was "
                f"{feed.identity!r}. If that is right, spell its address in `feeds` another way, such "
                "as with ?new at its end."
            )
    return None


# ---------------------------------------------------------------- what it brings


@dataclass(frozen=True, slots=True)
class _Fresh:
    article: Article
    marks: Marks


def _fresh(
    read: FeedRead, marks: Sequence[Marks], entries: Sequence[LedgerEntry | None]
) -> tuple[_Fresh, ...]:
    """Never seen before, once each, oldest first."""
    words: set[str] = set()
    fresh: list[_Fresh] = []
    for article, each, entry in zip(read.articles, marks, entries, strict=True):
        if entry is not None or (len(each.words) > 0 and each.words in words):
            continue
        words.add(each.words)
        fresh.append(_Fresh(replace(article, guid=each.guid), each))
    fresh.reverse()  # documents begin with the newest
    if any(each.article.published_ms is None for each in fresh):
        return tuple(fresh)
    return tuple(sorted(fresh, key=lambda each: each.article.published_ms or 0))


def _again(url: str, read: FeedRead, entries: Sequence[LedgerEntry | None]) -> tuple[SeenAgain, ...]:
    """Known ones of this feed, once each. One of another feed is that feed's to follow."""
    again: dict[int, SeenAgain] = {}
    for article, entry in zip(read.articles, entries, strict=True):
        if entry is not None and entry.feed == url:
            again.setdefault(entry.id, SeenAgain(entry.id, article))
    return tuple(again.values())


def _judged(
    fresh: Sequence[_Fresh], window: int, before: Before, rules: LookRules, now_ms: int
) -> tuple[NewArticle, ...]:
    surprise = _surprise(len(fresh), window, before, rules)
    judged = []
    for each in fresh:
        state, reason = _judgement(each.article, surprise, before.feed, rules, now_ms)
        judged.append(NewArticle(each.article, each.marks.link, state, reason))
    return tuple(judged)


def _surprise(fresh: int, window: int, before: Before, rules: LookRules) -> str | None:
    """R14: too much of it is new for a blog that is only written on, also where it began with nothing."""
    was_empty = before.feed.baseline_done and not rules.takes_everything
    if not (before.had_articles or was_empty) or fresh <= max(NOVEL_MAX, window // 2):
        return None
    return f"{fresh} of the {window} articles in the feed were new at once"


def _is_unrecognisable(entries: Sequence[LedgerEntry | None], before: Before) -> bool:
    """Nothing in it was known before, or only from looks that were just as strange."""
    if not before.had_articles or len(entries) == 0:
        return False
    familiar = [entry for entry in entries if entry is not None and not _is_strange(entry)]
    return len(familiar) == 0


def _is_strange(entry: LedgerEntry) -> bool:
    return entry.state is ArticleState.HELD and entry.reason == UNRECOGNISABLE


def _judgement(
    article: Article, surprise: str | None, feed: Feed, rules: LookRules, now_ms: int
) -> tuple[ArticleState, str]:
    if not feed.baseline_done and not rules.takes_everything:
        return ArticleState.SEEN, "it was there when the feed was first read"
    categories = frozenset(category.casefold() for category in article.categories)
    if not categories.isdisjoint(rules.skip):
        return ArticleState.SKIPPED, "its category is one to skip"
    if len(rules.only) > 0 and categories.isdisjoint(rules.only):
        return ArticleState.SKIPPED, "it is in none of the categories to take"
    if surprise is not None:
        return ArticleState.HELD, surprise
    if not rules.takes_everything and _is_backdated(article, feed, now_ms):
        return ArticleState.HELD, "its date is long before it was first seen"
    return ArticleState.WAITING, ""


def _is_backdated(article: Article, feed: Feed, now_ms: int) -> bool:
    published, last = article.published_ms, feed.last_good_ms
    return published is not None and last is not None and published < min(last, now_ms) - BACKDATED_MS


# ---------------------------------------------------------------- what has gone, and what came back (R15)


def _moves(entries: Sequence[LedgerEntry | None], fresh: int, before: Before) -> tuple[ArticleMove, ...]:
    present = {entry.id: entry for entry in entries if entry is not None and entry.feed == before.feed.url}
    last_ms = before.feed.last_good_ms or 0
    # What was not there the last time either has long slid out, or was taken up by hand: it stays.
    gone = [
        each
        for each in before.waiting
        if each.state is ArticleState.WAITING and each.id not in present and each.last_seen_ms >= last_ms
    ]
    back = [each for each in before.waiting if each.id in present and _is_gone(each)]
    oldest = min((each.id for each in present.values()), default=None)
    withdrawn = [
        each
        for each in gone
        # A window that moves on loses its oldest, as many as came in. Anything else was taken back.
        if len(gone) > fresh or (oldest is not None and oldest < each.id)
    ]
    return (
        *(ArticleMove(each.id, ArticleState.HELD, GONE) for each in withdrawn),
        *(ArticleMove(each.id, ArticleState.WAITING, "") for each in back),
    )


def _is_gone(entry: LedgerEntry) -> bool:
    return entry.state is ArticleState.HELD and entry.reason == GONE
