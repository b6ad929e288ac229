"""Whether new articles in a feed were written since the last look, or were there all along (R14,
R16).

A blog that was offline for a week brings many new articles at once, and a blog that moved brings
its old ones under new names. The share of new articles does not tell these apart. What remained
does, and its order, and dates: new articles stand above the known ones or have later dates, and
nothing in between is missing. Articles explained by neither order nor dates are held for the owner.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from secondpost.mail.article import Article, FeedRead
from secondpost.mail.article_states import ArticleState
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.issue import ArticleId
from secondpost.newsletter.links import site
from secondpost.store.feed_ports import Feed
from secondpost.store.newsletter_ports import LedgerEntry

NOVEL_MAX = 5  # this many new articles per look need no explanation
BACKDATED_MS = 30 * DAY_MS  # a new article dated this long before the last look is an old one
FAR_AHEAD_MS = 31 * DAY_MS  # a later date is a typing error or a wrong clock
SAME_MOMENT_MS = 30_000  # dates this close together are those of a site build
SAME_DAY_MS = DAY_MS  # many blogs date to the day
FASTER_MAX = 4  # a blog may be written this many times faster than before during an outage

MANY = "much of the feed was new at once, and neither order nor dates show that it was written recently"
BACKDATED = "its date is long before it was first seen"
FAR_AHEAD = "its date is more than a month ahead"
BEHIND = "it appeared below all known articles, and seems to be an old one"
UNRECOGNISABLE = "everything in the feed was new at once: its ids may have changed"
CHANGED = "it has the title or the date of an article that has gone, and may be the same one"


@dataclass(frozen=True, slots=True)
class Sight:
    """A document compared with its feed's last reading. Places count from 0, newest first."""

    feed: Feed
    title: str  # of the feed
    window: int  # number of articles
    fresh: Mapping[int, Article]  # new articles, by place
    familiar: Mapping[int, LedgerEntry]  # known articles, by place
    articles: Mapping[ArticleId, Article]  # known articles as they are now
    lost: tuple[LedgerEntry, ...]  # gone, though an older article is still there
    standing: tuple[LedgerEntry, ...]
    newest_ms: int | None  # latest date in the feed at its last reading
    dates_tell: bool  # dates are the articles' own, not those of a site build

    @property
    def top(self) -> int:
        """The place of the newest known article."""
        return min(self.familiar, default=self.window)

    @property
    def bottom(self) -> int:
        """The place of the oldest known article."""
        return max(self.familiar, default=-1)

    @property
    def has_kept(self) -> bool:
        """Whether at least as many known articles are still there as were lost. Those that slid out
        at the end do not count as lost.
        """
        return 0 < len(self.familiar) >= len(self.lost)

    def date(self, article: Article) -> int | None:
        return article.published_ms if self.dates_tell else None


def sight_of(
    read: FeedRead,
    entries: Sequence[LedgerEntry | None],
    standing: Sequence[LedgerEntry],
    feed: Feed,
    now_ms: int,
) -> Sight:
    """Compare a document, newest first, with the ledger."""
    pairs = list(zip(read.articles, entries, strict=True))
    familiar = {place: entry for place, (_, entry) in enumerate(pairs) if entry is not None}
    dates = [
        each.article.published_ms
        for each in standing
        if each.article.published_ms is not None and each.article.published_ms <= now_ms + DAY_MS
    ]
    return Sight(
        feed=feed,
        title=read.title,
        window=len(pairs),
        fresh={place: article for place, (article, entry) in enumerate(pairs) if entry is None},
        familiar=familiar,
        articles={entry.id: article for article, entry in pairs if entry is not None},
        lost=lost(familiar, standing, feed),
        standing=tuple(standing),
        newest_ms=max(dates, default=None),
        dates_tell=_dates_tell(pairs),
    )


def lost(
    familiar: Mapping[int, LedgerEntry], among: Sequence[LedgerEntry], feed: Feed
) -> tuple[LedgerEntry, ...]:
    """Articles of `among` that are gone although the article at the feed's oldest place was first
    seen before them; all of `among` if nothing known is left.

    Only the oldest place counts: an old article may be pinned to the top.
    """
    own = {place: entry for place, entry in familiar.items() if entry.feed == feed.url}
    if len(own) == 0:
        return tuple(among)
    present = {entry.id for entry in own.values()}
    oldest = own[max(own)].id
    return tuple(entry for entry in among if entry.id not in present and entry.id > oldest)


def is_oldest_first(articles: Sequence[Article], entries: Sequence[LedgerEntry | None]) -> bool:
    """Whether the document is in ascending order, by dates or else by when its known articles were
    first seen.
    """
    dates = [each.published_ms for each in articles if each.published_ms is not None]
    seen = [entry.first_seen_ms for entry in entries if entry is not None]
    return _rises(dates if len(set(dates)) > 1 else seen)


def _rises(moments: Sequence[int]) -> bool:
    """Whether the next moment is usually later.

    The first step counts only if all others are equal: an old article may be pinned to the top.
    """
    steps = [(after > before) - (after < before) for before, after in pairwise(moments)]
    return sum(steps[1:] if any(steps[1:]) else steps) > 0


def _dates_tell(pairs: Sequence[tuple[Article, LedgerEntry | None]]) -> bool:
    """Whether dates are the articles' own: not if all are equal, or if known articles changed their
    dates.
    """
    dates = [article.published_ms for article, _ in pairs if article.published_ms is not None]
    if len(dates) > 1 and max(dates) - min(dates) <= SAME_MOMENT_MS:
        return False
    both = [
        (article.published_ms, entry.article.published_ms) for article, entry in pairs if entry is not None
    ]
    dated = [(now, before) for now, before in both if now is not None and before is not None]
    changed = sum(now != before for now, before in dated)
    return len(dated) == 0 or changed * 2 <= len(dated)


def doubts(sight: Sight, now_ms: int, *, takes_everything: bool) -> Mapping[int, str]:
    """Why each doubtful new article is held, by place."""
    mass = _unexplained(sight, now_ms)
    found: dict[int, str] = {}
    for place, article in sight.fresh.items():
        why = _doubt(sight, place, article, now_ms, takes_everything=takes_everything)
        if why is None and place in mass:
            why = MANY
        if why is not None:
            found[place] = why
    return found


def goes_on(sight: Sight, now_ms: int) -> bool:
    """Whether known articles remain and the new ones are few or explained by order and dates."""
    return sight.has_kept and len(_unexplained(sight, now_ms)) == 0


def _unexplained(sight: Sight, now_ms: int) -> frozenset[int]:
    """Places of new articles that are too many to be recent and that neither order nor dates
    explain.
    """
    many = max(NOVEL_MAX, sight.window // 2)
    if len(sight.fresh) <= many or is_turnover(sight, now_ms):
        return frozenset()
    if not (sight.has_kept and _had_time(sight, now_ms)):
        return frozenset(sight.fresh)
    left = frozenset(place for place, article in sight.fresh.items() if not _is_newer(sight, place, article))
    return left if len(left) > many else frozenset()


def _had_time(sight: Sight, now_ms: int) -> bool:
    """Whether at least an hour per new article has passed since the newest known one appeared."""
    newest_ms = max((entry.first_seen_ms for entry in sight.standing), default=now_ms)
    return now_ms - newest_ms >= len(sight.fresh) * HOUR_MS


def _is_newer(sight: Sight, place: int, article: Article) -> bool:
    date = sight.date(article)
    if date is not None and sight.newest_ms is not None:
        return date >= sight.newest_ms - SAME_DAY_MS
    return place < sight.top


def _doubt(sight: Sight, place: int, article: Article, now_ms: int, *, takes_everything: bool) -> str | None:
    """The doubt about one article by itself."""
    if sight.dates_tell and is_far_ahead(article, now_ms):
        return FAR_AHEAD
    if _is_like_a_lost_one(sight, place, article):
        return CHANGED
    if takes_everything:
        return None
    if _is_backdated(sight, place, article, now_ms):
        return BACKDATED
    return BEHIND if place in _behind(sight) else None


def is_strange(entry: LedgerEntry) -> bool:
    """Whether an entry is held because nothing in its document was known.

    Such an entry does not make a later document a familiar one.
    """
    return entry.state is ArticleState.HELD and entry.reason == UNRECOGNISABLE


def is_far_ahead(article: Article, now_ms: int) -> bool:
    return article.published_ms is not None and article.published_ms > now_ms + FAR_AHEAD_MS


def _is_like_a_lost_one(sight: Sight, place: int, article: Article) -> bool:
    """Whether it has title or date of a lost article that was sent, seen or skipped.

    A lost article that was still waiting is held itself, so the new one may replace it.
    """
    if len(sight.familiar) == 0:
        return False
    old = [each.article for each in sight.lost if each.state is not ArticleState.WAITING]
    titles = {each.title.casefold() for each in old if len(each.title) > 0}
    dates = {each.published_ms for each in old if each.published_ms is not None}
    return article.title.casefold() in titles or sight.date(article) in dates


def _is_backdated(sight: Sight, place: int, article: Article, now_ms: int) -> bool:
    """Whether its date is long before the last look, and not explained by a blog whose clock is
    wrong throughout.
    """
    date, last_ms = sight.date(article), sight.feed.last_good_ms
    if date is None or last_ms is None or date >= min(last_ms, now_ms) - BACKDATED_MS:
        return False
    goes_on = sight.newest_ms is not None and date > sight.newest_ms and place < sight.top
    return not goes_on


def _behind(sight: Sight) -> frozenset[int]:
    """Places of old articles at the end of the feed.

    They appear when the feed refills after a loss, or shows more entries than before. A single one
    at the end of a growing feed may be new.
    """
    oldest_ms = min(
        (each.article.published_ms for each in sight.standing if each.article.published_ms is not None),
        default=None,
    )
    dates = {place: sight.date(article) for place, article in sight.fresh.items() if place > sight.bottom}
    older = {
        place: date
        for place, date in dates.items()
        if date is None or (oldest_ms is not None and date < oldest_ms)
    }
    fills_up = 0 < len(older) <= len(sight.lost)
    shows_more = len(older) > 1 and all(date is not None for date in older.values())
    return frozenset(older) if len(sight.familiar) > 0 and (fills_up or shows_more) else frozenset()


def is_turnover(sight: Sight, now_ms: int) -> bool:
    """Whether nothing in the document is known and it is still the same blog.

    Each article must be dated after all known ones, have a new title and be on this blog's host,
    and they must not have come faster than a blog is written.
    """
    dates = [sight.date(article) for article in sight.fresh.values()]
    known = [date for date in dates if date is not None]
    if len(sight.familiar) > 0 or len(known) < len(dates) or len(known) == 0 or sight.newest_ms is None:
        return False
    titles = {entry.article.title.casefold() for entry in sight.standing}
    hosts = {site(entry.article.link) for entry in sight.standing}
    return (
        sight.title == sight.feed.title
        and min(known) > sight.newest_ms
        and max(known) <= now_ms + DAY_MS
        and all(article.title.casefold() not in titles for article in sight.fresh.values())
        and all(site(article.link) in hosts for article in sight.fresh.values())
        and _is_written_by_people(sight, sorted(known))
    )


def _is_written_by_people(sight: Sight, dates: Sequence[int]) -> bool:
    """Whether articles are at least an hour apart, and not many times faster than earlier ones."""
    if len(dates) < 2:
        return True
    pace_ms = (dates[-1] - dates[0]) // (len(dates) - 1)
    before = sorted(
        each.article.published_ms for each in sight.standing if each.article.published_ms is not None
    )
    if len(before) < 2:
        return pace_ms >= HOUR_MS
    return pace_ms >= max(HOUR_MS, (before[-1] - before[0]) // (len(before) - 1) // FASTER_MAX)
