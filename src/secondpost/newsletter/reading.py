"""Have a newsletter's feeds fetched, and record the result in the ledger."""

from collections.abc import Sequence
from dataclasses import replace

from secondpost.config.records import Newsletter, Start
from secondpost.mail.article import (
    ARTICLES_MAX,
    FeedAnswered,
    FeedAsked,
    FeedLook,
    FeedNotLookedAt,
    FeedRead,
    FeedUnchanged,
    FeedUnreadable,
)
from secondpost.mail.article_states import ArticleState
from secondpost.mail.issue import Issue
from secondpost.newsletter.identity import LATELY_MS, KnownMarks, Marks, reused_guids
from secondpost.newsletter.ledger import (
    Before,
    LookRules,
    look,
    no_information,
    not_looked_at,
    trusted,
    unchanged,
)
from secondpost.newsletter.novelty import is_strange
from secondpost.store.newsletter_ports import Feed, FetchRecord, Ledger, LedgerEntry
from secondpost.world.ports import Clock

WAITING_MAX = 1_000  # articles considered together

UNASKED = "The server answered that nothing has changed (304), which we did not ask."


class FeedReading:
    def __init__(
        self, ledger: Ledger, clock: Clock, look: FeedLook, own_archives: Sequence[str] = ()
    ) -> None:
        """`own_archives`: canonical links of the issue feeds that this server publishes."""
        self._ledger = ledger
        self._clock = clock
        self._look = look
        self._own_archives = tuple(own_archives)

    async def feeds(self, newsletter: Newsletter) -> dict[str, Feed]:
        return {url: await self._ledger.feed(newsletter.name, url) for url in newsletter.feeds}

    async def waiting(self, newsletter: Newsletter) -> list[LedgerEntry]:
        return await self.entries(newsletter, ArticleState.WAITING)

    async def entries(self, newsletter: Newsletter, state: ArticleState) -> list[LedgerEntry]:
        return await self._ledger.entries(newsletter.name, state, WAITING_MAX)

    async def has_any(self, newsletter: Newsletter, state: ArticleState) -> bool:
        return len(await self._ledger.entries(newsletter.name, state, 1)) > 0

    async def causes_held(self, newsletter: Newsletter) -> frozenset[str]:
        return await self._ledger.causes_held(newsletter.name)

    async def of_issue(self, issue: Issue) -> list[LedgerEntry]:
        return await self._ledger.entries_of_issue(issue.id)

    async def read(self, newsletter: Newsletter) -> None:
        """Fetch all feeds, one after the other, since they may have articles in common."""
        for url in newsletter.feeds:
            feed = await self._ledger.feed(newsletter.name, url)
            asked = FeedAsked(url, feed.etag, feed.last_modified)
            answered = await self._look(asked)
            # Load it again: another process may have recorded a look meanwhile.
            feed = await self._ledger.feed(newsletter.name, url)
            await self._ledger.record_fetch(await self._record(newsletter, feed, asked, answered))

    async def _record(
        self, newsletter: Newsletter, feed: Feed, asked: FeedAsked, answered: FeedAnswered
    ) -> FetchRecord:
        now_ms = self._clock.now_ms()
        match answered.found:
            case FeedUnchanged() if len(asked.etag) == 0 and len(asked.last_modified) == 0:
                return no_information(feed, UNASKED, now_ms)  # RFC 9110 §15.4.5: unexpected
            case FeedUnreadable(reason):
                return no_information(feed, reason, now_ms)
            case FeedNotLookedAt(reason):
                return not_looked_at(feed, reason, now_ms)
            case FeedUnchanged():
                return unchanged(feed, await self.waiting(newsletter), now_ms)
            case FeedRead() as read:
                record = await self._look_at(_placed(read), newsletter, feed, now_ms)
                return validated(record, answered)

    async def _look_at(self, read: FeedRead, newsletter: Newsletter, feed: Feed, now_ms: int) -> FetchRecord:
        feed, marks = trusted(read, feed)
        before = await self._before(feed, marks)
        reused = reused_guids(read.articles, marks, before.known)
        if len(reused) > 0:
            read = replace(read, repeated_guids=read.repeated_guids | reused)
            feed, marks = trusted(read, feed)
            before = replace(before, feed=feed)
        return look(read, marks, before, self._rules(newsletter), now_ms)

    async def _before(self, feed: Feed, marks: Sequence[Marks]) -> Before:
        name, ledger = feed.newsletter, self._ledger
        guids, links, words = (
            tuple({mark: None for mark in column if len(mark) > 0})
            for column in (
                [each.guid for each in marks],
                [each.link for each in marks],
                [each.words for each in marks],
            )
        )
        by_guid = await ledger.entries_by_guid(name, feed.url, guids)
        by_link = await ledger.entries_by_link(name, links)
        by_words = await ledger.entries_by_fingerprint(name, words)
        lately = await self._seen_lately(feed)
        read_ms = 0 if feed.last_read_ms is None else feed.last_read_ms
        # Of several entries with one mark this feed's come first, then the one seen first.
        known = KnownMarks(
            {entry.article.guid: entry for entry in reversed(by_guid)},
            {entry.canonical_link: entry for entry in _own_last(by_link, feed.url)},
            {entry.article.fingerprint: entry for entry in _own_last(by_words, feed.url)},
            tuple(entry for entry in lately if entry.last_seen_ms >= read_ms),
            tuple(entry for entry in lately if entry.last_seen_ms < read_ms),
        )
        kept = [
            *await ledger.entries(name, ArticleState.WAITING, WAITING_MAX),
            *await ledger.entries(name, ArticleState.HELD, WAITING_MAX),
        ]
        waiting = tuple(entry for entry in kept if entry.feed == feed.url)
        familiar = (*waiting, *by_guid, *by_link, *by_words)
        had_articles = any(entry.feed == feed.url for entry in familiar) or await self._had_articles(feed)
        return Before(feed, known, waiting, had_articles)

    async def _seen_lately(self, feed: Feed) -> list[LedgerEntry]:
        if feed.last_read_ms is None:
            return []
        since_ms = feed.last_read_ms - LATELY_MS
        found = await self._ledger.standing(feed.newsletter, feed.url, since_ms, ARTICLES_MAX)
        return [entry for entry in found if not is_strange(entry)]

    async def _had_articles(self, feed: Feed) -> bool:
        """Whether the feed ever had articles; asked only if nothing in the document is known.

        A feed that never had a good look had none. If there are too many entries to check, it is
        taken to have had some: doubting a feed is the lesser mistake.
        """
        if feed.last_good_ms is None and not feed.baseline_done:
            return False
        for state in (ArticleState.SEEN, ArticleState.TAKEN, ArticleState.SKIPPED):
            entries = await self._ledger.entries(feed.newsletter, state, WAITING_MAX)
            if len(entries) == WAITING_MAX or any(entry.feed == feed.url for entry in entries):
                return True
        return False

    def _rules(self, newsletter: Newsletter) -> LookRules:
        return LookRules(
            takes_everything=newsletter.start is Start.EVERYTHING,
            only=tuple(category.casefold() for category in newsletter.only),
            skip=tuple(category.casefold() for category in newsletter.skip),
            own_archives=self._own_archives,
        )


def _placed(read: FeedRead) -> FeedRead:
    return replace(read, articles=tuple(replace(each, place=at) for at, each in enumerate(read.articles)))


def _own_last(entries: Sequence[LedgerEntry], url: str) -> list[LedgerEntry]:
    """Sort for a mapping in which the last entry of a key wins: this feed's own entries last,
    oldest at the end.
    """
    newest_first = list(reversed(entries))
    return sorted(newest_first, key=lambda entry: entry.feed == url)


def validated(record: FetchRecord, answered: FeedAnswered) -> FetchRecord:
    """Store the validators for the next fetch after a good look only: a 304 would make a doubt
    permanent.
    """
    good = len(record.feed.finding) == 0
    etag, last_modified = (answered.etag, answered.last_modified) if good else ("", "")
    return replace(record, feed=replace(record.feed, etag=etag, last_modified=last_modified))
