"""Compare a fetched feed with the ledger: which articles are new, known, gone or doubtful.

Pure: a look yields a FetchRecord, which the store writes in one transaction. An article is new when
it is first seen; dates are only hints. A document that is in doubt adds and removes nothing, and
`Feed.finding` says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from secondpost.mail.article import Article, FeedRead
from secondpost.mail.article_states import ArticleState
from secondpost.mail.issue import ArticleId
from secondpost.newsletter.identity import KnownMarks, Marks, marks_of, recognised
from secondpost.newsletter.links import canonical, site
from secondpost.newsletter.novelty import (
    FAR_AHEAD,
    UNRECOGNISABLE,
    Sight,
    doubts,
    goes_on,
    is_far_ahead,
    is_oldest_first,
    is_strange,
    is_turnover,
    lost,
    sight_of,
)
from secondpost.store.feed_ports import Feed
from secondpost.store.newsletter_ports import (
    TAKEN_BY_HAND,
    ArticleMove,
    FetchRecord,
    LedgerEntry,
    NewArticle,
    SeenAgain,
)

OWN_GENERATOR = "Secondpost"
GONE = "it has gone from the feed"
MISSED = "no article was known any more, so some in between may be missing"
STRANGE_MAX = 200  # articles held as unrecognisable, in total; a single fetch may exceed it


@dataclass(frozen=True, slots=True)
class LookRules:
    """The newsletter's settings for its feeds."""

    takes_everything: bool  # start = "everything"
    only: tuple[str, ...]  # category names, folded
    skip: tuple[str, ...]
    own_archives: tuple[str, ...]  # canonical links of feeds that this server publishes
    feeds: frozenset[str]  # the newsletter's, by URL


@dataclass(frozen=True, slots=True)
class Before:
    """The ledger's state before the look."""

    feed: Feed
    known: KnownMarks
    waiting: tuple[LedgerEntry, ...]  # articles of this feed that wait for an issue or are held
    had_articles: bool  # whether any article of this feed was ever seen


def trusted(read: FeedRead, feed: Feed) -> tuple[Feed, tuple[Marks, ...]]:
    """The feed with the document's repeated guids distrusted, and the marks to look up in the
    ledger.
    """
    distrusted = feed.distrusted_guids | read.repeated_guids
    return replace(feed, distrusted_guids=distrusted), marks_of(read, distrusted)


def look(
    read: FeedRead, marks: Sequence[Marks], before: Before, rules: LookRules, now_ms: int
) -> FetchRecord:
    entries = recognised(before.feed.url, read.articles, marks, before.known)
    if is_oldest_first(read.articles, entries):  # nearly all feeds begin with the newest
        read = replace(read, articles=read.articles[::-1])
        marks, entries = marks[::-1], entries[::-1]
    sight = sight_of(read, entries, before.known.standing, before.feed, now_ms)
    doubt = _doubt(read, sight, before, rules, now_ms)
    if doubt is not None:
        return no_information(before.feed, doubt, now_ms)
    fresh = _fresh(read, marks, entries)
    again = _again(before.feed.url, read, marks, entries, rules.feeds)
    if _is_unrecognisable(sight, before) and not is_turnover(sight, now_ms):
        # Hold them for the owner to take or skip; waiting articles stay as they are.
        held = tuple(
            NewArticle(each.article, each.marks.link, ArticleState.HELD, UNRECOGNISABLE) for each in fresh
        )
        # Bounded: a feed that changes its words at every fetch must not fill the disk.
        strange = sum(is_strange(entry) for entry in before.waiting)
        if strange > 0 and strange + len(held) > STRANGE_MAX:
            held = ()
        finding = _unrecognisable_text(sight.window, before.feed.newsletter)
        return replace(no_information(before.feed, finding, now_ms), new=held, again=again)
    feed = replace(
        before.feed,
        identity=identity_of(read, before.feed.url),
        title=read.title,
        last_fetch_ms=now_ms,
        last_good_ms=now_ms,
        last_read_ms=now_ms,
        finding="",
        baseline_done=True,
        left_out="; ".join(each for each in (read.left_out, _missed(sight, before)) if len(each) > 0),
    )
    judged = _judged(fresh, sight, before, rules, now_ms)
    return FetchRecord(feed, now_ms, judged, again, _moves(sight, before, now_ms))


def _missed(sight: Sight, before: Before) -> str:
    """That the feed was replaced completely between two readings; "" if it was not.

    Said until no article waits any more, so that it is read before the issue that may lack some.
    """
    waits = any(entry.state is ArticleState.WAITING for entry in before.waiting)
    is_said = waits and before.feed.left_out.endswith(MISSED)
    return MISSED if is_said or _is_unrecognisable(sight, before) else ""


def _unrecognisable_text(window: int, newsletter: str) -> str:
    articles = "The one article in it is" if window == 1 else f"All {window} articles in it are"
    return (
        f"{articles} new at once: their ids may have changed. If they are new, type: secondpost issue take "
        f"{newsletter} --all; if readers had them before: secondpost issue skip {newsletter} --all."
    )


def no_information(feed: Feed, finding: str, now_ms: int) -> FetchRecord:
    """A record that adds and removes nothing, and says why."""
    return FetchRecord(replace(feed, last_fetch_ms=now_ms, finding=finding), now_ms)


def not_looked_at(feed: Feed, finding: str, now_ms: int) -> FetchRecord:
    """Mark a feed as in doubt without counting this as a fetch: it is fetched again as soon as
    possible.
    """
    return FetchRecord(replace(feed, finding=finding), now_ms)


def unchanged(feed: Feed, waiting: Sequence[LedgerEntry], now_ms: int) -> FetchRecord:
    """The record of a 304: articles present at the last good look are still there."""
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
    """The document's id or self link, canonical; else its site."""
    if len(read.identity) > 0:
        return canonical(read.identity) or read.identity
    return f"site:{site(read.home) or site(url)}"


def _doubt(read: FeedRead, sight: Sight, before: Before, rules: LookRules, now_ms: int) -> str | None:
    feed = before.feed
    own = {canonical(read.identity), canonical(feed.url)} & set(rules.own_archives)
    if len(own) > 0 or read.generator.startswith(OWN_GENERATOR):
        return "It is the archive of a newsletter, not a blog: an issue made from issues would never end."
    if len(read.articles) == 0 and before.had_articles:
        return "It is empty, and it was not before."
    if len(feed.identity) > 0 and identity_of(read, feed.url) != feed.identity:
        is_known = len(sight.familiar) * 2 >= sight.window > 0
        if not is_known and not goes_on(sight, now_ms):
            return (
                f"It has become a different feed: its id is now {identity_of(read, feed.url)!r}, and was "
                f"{feed.identity!r}. If that is right, change its address in `feeds` a little, such as "
                "by adding ?new at its end."
            )
    return None


# ---------------------------------------------------------------- what it brings


@dataclass(frozen=True, slots=True)
class _Fresh:
    place: int  # position in the document, newest first
    article: Article
    marks: Marks


def _fresh(
    read: FeedRead, marks: Sequence[Marks], entries: Sequence[LedgerEntry | None]
) -> tuple[_Fresh, ...]:
    """Articles never seen before, without repeats, oldest first."""
    words: set[str] = set()
    fresh: list[_Fresh] = []
    for place, (article, each, entry) in enumerate(zip(read.articles, marks, entries, strict=True)):
        if entry is not None or (len(each.words) > 0 and each.words in words):
            continue
        words.add(each.words)
        fresh.append(_Fresh(place, replace(article, guid=each.guid), each))
    fresh.reverse()
    if any(each.article.published_ms is None for each in fresh):
        return tuple(fresh)
    return tuple(sorted(fresh, key=lambda each: each.article.published_ms or 0))


def _again(
    url: str,
    read: FeedRead,
    marks: Sequence[Marks],
    entries: Sequence[LedgerEntry | None],
    feeds: frozenset[str],
) -> tuple[SeenAgain, ...]:
    """Known articles of this feed, once each; those of another feed are updated when it is read.

    Articles of a feed that is no longer configured become this feed's: its address was changed.
    """
    again: dict[int, SeenAgain] = {}
    for article, each, entry in zip(read.articles, marks, entries, strict=True):
        if entry is not None and (entry.feed == url or entry.feed not in feeds):
            seen = SeenAgain(entry.id, replace(article, guid=each.guid), each.link)
            again.setdefault(entry.id, seen)
    return tuple(again.values())


def _judged(
    fresh: Sequence[_Fresh], sight: Sight, before: Before, rules: LookRules, now_ms: int
) -> tuple[NewArticle, ...]:
    # Doubts apply from the second reading on, even if the feed was empty at the first.
    is_begun = before.had_articles or before.feed.baseline_done
    why = doubts(sight, now_ms, takes_everything=rules.takes_everything) if is_begun else {}
    judged = []
    for each in fresh:
        state, reason = _judgement(each.article, why.get(each.place), before.feed, rules)
        judged.append(NewArticle(each.article, each.marks.link, state, reason))
    return tuple(judged)


def _is_unrecognisable(sight: Sight, before: Before) -> bool:
    """Whether nothing in the document is known; articles held as unrecognisable do not count."""
    if not before.had_articles or sight.window == 0:
        return False
    return all(is_strange(entry) for entry in sight.familiar.values())


def _judgement(article: Article, doubt: str | None, feed: Feed, rules: LookRules) -> tuple[ArticleState, str]:
    if not feed.baseline_done and not rules.takes_everything:
        return ArticleState.SEEN, "it was there when the feed was first read"
    categories = frozenset(category.casefold() for category in article.categories)
    if not categories.isdisjoint(rules.skip):
        return ArticleState.SKIPPED, "it has a category that `skip` names"
    if len(rules.only) > 0 and categories.isdisjoint(rules.only):
        return ArticleState.SKIPPED, "it has none of the categories that `only` names"
    return (ArticleState.WAITING, "") if doubt is None else (ArticleState.HELD, doubt)


# ---------------------------------------------------------------- what has gone, and what came back (R15)


def _moves(sight: Sight, before: Before, now_ms: int) -> tuple[ArticleMove, ...]:
    present = {entry.id: place for place, entry in sight.familiar.items() if entry.feed == before.feed.url}
    back = [each for each in before.waiting if each.id in present and _is_free(each, sight, now_ms)]
    return (
        *(ArticleMove(each.id, ArticleState.HELD, GONE) for each in _withdrawn(sight, before, present)),
        *(ArticleMove(each.id, ArticleState.WAITING, "") for each in back),
    )


def _withdrawn(sight: Sight, before: Before, present: Mapping[ArticleId, int]) -> list[LedgerEntry]:
    """Waiting articles that the blog withdrew.

    A feed with a fixed number of articles loses as many old ones as it gains; any further loss is a
    withdrawal.
    """
    last_ms = before.feed.last_good_ms or 0
    # Articles already absent at the last look slid out long ago, or were taken by hand: they stay.
    gone = [
        each
        for each in before.waiting
        if each.state is ArticleState.WAITING
        and each.reason != TAKEN_BY_HAND
        and each.id not in present
        and each.last_seen_ms >= last_ms
    ]
    known = [entry for entry in sight.familiar.values() if entry.id in present]
    came = len(sight.fresh) + sum(entry.first_seen_ms > last_ms for entry in known)
    missing = {entry.id for entry in lost(sight.familiar, gone, before.feed)} if len(present) > 0 else set()
    return [each for each in gone if len(gone) > came or each.id in missing]


def _is_free(entry: LedgerEntry, sight: Sight, now_ms: int) -> bool:
    """Whether a held article is in the feed again and the cause of holding it is gone."""
    if entry.state is not ArticleState.HELD:
        return False
    if entry.reason == FAR_AHEAD:
        here = sight.articles[entry.id]
        return not is_far_ahead(here, now_ms)
    return entry.reason == GONE
