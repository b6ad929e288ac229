"""Have a newsletter's feeds fetched, and record the result in the ledger."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from secondpost.config.records import Newsletter, Start
from secondpost.mail.article import (
    FeedAnswered,
    FeedAsked,
    FeedGone,
    FeedLook,
    FeedNotLookedAt,
    FeedRead,
    FeedUnchanged,
    FeedUnreadable,
)
from secondpost.mail.article_states import ArticleState
from secondpost.mail.calendar import next_slot
from secondpost.mail.issue import Issue
from secondpost.mail.slot import WhenReady, parse_slot
from secondpost.newsletter.eligible import GOOD_FETCHES_MIN, is_in_doubt
from secondpost.newsletter.feed_place import located, moved_away, validated
from secondpost.newsletter.identity import recognised, reused_guids
from secondpost.newsletter.known import WAITING_MAX, what_is_known
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
from secondpost.newsletter.older_pages import (
    PAGES_MAX,
    PAGES_MS_MAX,
    are_large,
    has_gap,
    is_page_of,
    joined,
    newest_date,
)
from secondpost.newsletter.pushing import asked_of_hub, push_of, subscription_due
from secondpost.newsletter.rhythm import (
    GONE_MS,
    MOMENTS_MAX,
    FeedNeeds,
    FeedPast,
    next_fetch,
    next_fetch_in_doubt,
    past_of,
)
from secondpost.store.feed_ports import Feed
from secondpost.store.newsletter_ports import FetchRecord, Ledger, LedgerEntry
from secondpost.world.ports import Clock, Dice

GONE = (
    "Its server says that it was removed for good (HTTP 410). It is asked again once a week. Write its new "
    "address into `feeds`, or remove it there."
)
UNASKED = "The server answered that nothing has changed (304), which we did not ask."


class FeedReading:
    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        dice: Dice,
        look: FeedLook,
        own_archives: Sequence[str] = (),
        public_url: str | None = None,
    ) -> None:
        """`own_archives`: canonical links of the issue feeds that this server publishes. `public_url`: of
        this server, where hubs can call it; None if they cannot.
        """
        self._ledger = ledger
        self._clock = clock
        self._dice = dice
        self._look = look
        self._own_archives = tuple(own_archives)
        self._public_url = public_url

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

    async def read(self, newsletter: Newsletter, urls: Collection[str] | None = None) -> None:
        """Fetch all feeds, or only those of `urls`, one after the other, since they may have articles in
        common.
        """
        for url in newsletter.feeds:
            if urls is not None and url not in urls:
                continue
            feed = await self._ledger.feed(newsletter.name, url)
            asked = FeedAsked(
                url,
                feed.etag,
                feed.last_modified,
                feed.validators_url,
                feed.location,
                subscription_due(feed, self._public_url, self._clock.now_ms()),
            )
            answered = await self._look(asked)
            if isinstance(answered.found, FeedRead):
                answered = replace(answered, found=await self._with_older(answered.found, feed))
            # Load it again: another process may have recorded a look meanwhile.
            feed = await self._ledger.feed(newsletter.name, url)
            if asked.subscription is not None and not isinstance(answered.found, FeedNotLookedAt):
                feed = asked_of_hub(feed, self._clock.now_ms())
            record = await self._record(newsletter, feed, asked, answered)
            await self._ledger.record_fetch(await self._timed(record, newsletter, answered))

    async def _with_older(self, read: FeedRead, feed: Feed) -> FeedRead:
        """The document with what is on its older pages, if articles may be missing between it and the last
        reading.
        """
        entries, before = await self._recognised(read, feed)
        begun_ms = self._clock.now_ms()
        since_ms = newest_date(before.known.standing, begun_ms)
        if since_ms is None or not has_gap(read, entries, feed):
            return read
        pages: list[FeedRead] = []
        known: list[bool] = []
        asked, url = {feed.url, feed.location}, read.older
        while (
            len(pages) < PAGES_MAX
            and url not in asked
            and is_page_of(url, feed)
            and not are_large((read, *pages))
            and self._clock.now_ms() - begun_ms < PAGES_MS_MAX
        ):
            asked.add(url)
            answered = await self._look(FeedAsked(url))
            page = answered.found
            # One that was redirected to another site: a feed must not have us ask a stranger so often.
            if not isinstance(page, FeedRead) or not is_page_of(answered.validators_url, feed):
                break
            pages.append(page)
            found, _ = await self._recognised(page, feed)
            known += [entry is not None for entry in found]
            if any(known):
                return joined(read, pages, known, since_ms)
            url = page.older
        return read

    async def _recognised(self, read: FeedRead, feed: Feed) -> tuple[tuple[LedgerEntry | None, ...], Before]:
        """The ledger's entry for each article of a document, and what the ledger knows of them."""
        feed, marks = trusted(read, feed)
        before = await what_is_known(self._ledger, feed, marks)
        return recognised(feed.url, read.articles, marks, before.known), before

    async def _record(
        self, newsletter: Newsletter, feed: Feed, asked: FeedAsked, answered: FeedAnswered
    ) -> FetchRecord:
        now_ms = self._clock.now_ms()
        away = moved_away(feed, answered)
        if away is not None and not isinstance(answered.found, FeedUnreadable | FeedGone):
            return no_information(feed, away, now_ms)
        match answered.found:
            case FeedGone():
                return no_information(feed, GONE, now_ms)
            case FeedUnchanged() if len(asked.etag) == 0 and len(asked.last_modified) == 0:
                return no_information(feed, UNASKED, now_ms)  # RFC 9110 §15.4.5: unexpected
            case FeedUnreadable(reason):
                return no_information(feed, reason, now_ms)
            case FeedNotLookedAt(reason):
                return not_looked_at(feed, reason, now_ms)
            case FeedUnchanged():
                record = unchanged(feed, await self.waiting(newsletter), now_ms)
                return replace(record, feed=located(record.feed, answered))
            case FeedRead() as read:
                record = await self._look_at(_placed(read), newsletter, feed, now_ms)
                pushed = replace(
                    record.feed, push=push_of(feed.push, read, answered.validators_url, self._dice)
                )
                if self._public_url is not None and not is_in_doubt(record.feed):
                    record = replace(record, feed=pushed)
                return validated(record, answered)

    async def _timed(
        self, record: FetchRecord, newsletter: Newsletter, answered: FeedAnswered
    ) -> FetchRecord:
        """The record with the time of the next fetch."""
        now_ms, feed = self._clock.now_ms(), record.feed
        if isinstance(answered.found, FeedNotLookedAt):
            return record
        wait_ms = GONE_MS if isinstance(answered.found, FeedGone) else answered.wait_ms
        not_before_ms = None if wait_ms is None else now_ms + min(wait_ms, GONE_MS)
        if is_in_doubt(feed):
            next_ms = next_fetch_in_doubt(feed.last_good_ms, now_ms)
        else:
            past = await self._past(record)
            needs = FeedNeeds(
                settles=newsletter.settle_ms > 0 and await self._settles(record, newsletter),
                seen_until_ms=seen_until(newsletter, now_ms),
                refresh_ms=feed.refresh_ms,
            )
            next_ms = next_fetch(past, needs, now_ms, self._dice.fraction())
        return replace(record, feed=replace(feed, next_fetch_ms=next_ms, not_before_ms=not_before_ms))

    async def _past(self, record: FetchRecord) -> FeedPast:
        feed = record.feed
        standing = await self._ledger.standing(feed.newsletter, feed.url, 0, MOMENTS_MAX)
        again = {each.id for each in record.again}
        window = len(record.new) + sum(
            each.id in again or each.last_seen_ms >= (feed.last_read_ms or 0) for each in standing
        )
        known = [(each.article, each.first_seen_ms) for each in standing if not is_strange(each)]
        return past_of((*known, *((each.article, record.at_ms) for each in record.new)), window)

    async def _settles(self, record: FetchRecord, newsletter: Newsletter) -> bool:
        """Whether an article of the feed waits for its second look."""
        if any(each.state is ArticleState.WAITING for each in record.new):
            return True
        again = {each.id for each in record.again}
        return any(
            each.feed == record.feed.url and each.good_fetches + (each.id in again) < GOOD_FETCHES_MIN
            for each in await self.waiting(newsletter)
        )

    async def _look_at(self, read: FeedRead, newsletter: Newsletter, feed: Feed, now_ms: int) -> FetchRecord:
        feed, marks = trusted(read, feed)
        before = await what_is_known(self._ledger, feed, marks)
        reused = reused_guids(read.articles, marks, before.known)
        if len(reused) > 0:
            read = replace(read, repeated_guids=read.repeated_guids | reused)
            feed, marks = trusted(read, feed)
            before = replace(before, feed=feed)
        return look(read, marks, before, self._rules(newsletter), now_ms)

    def _rules(self, newsletter: Newsletter) -> LookRules:
        return LookRules(
            takes_everything=newsletter.start is Start.EVERYTHING,
            only=tuple(category.casefold() for category in newsletter.only),
            skip=tuple(category.casefold() for category in newsletter.skip),
            own_archives=self._own_archives,
            feeds=frozenset(newsletter.feeds),
        )


def _placed(read: FeedRead) -> FeedRead:
    return replace(read, articles=tuple(replace(each, place=at) for at, each in enumerate(read.articles)))


def seen_until(newsletter: Newsletter, now_ms: int) -> int | None:
    """When an article must have been seen to be in the next issue; None with `when ready`."""
    slot = parse_slot(newsletter.every)
    if isinstance(slot, WhenReady):
        return None
    coming = next_slot(slot, ZoneInfo(newsletter.timezone), now_ms)
    if coming is None:
        return None
    settled_ms = coming.at_ms - newsletter.settle_ms
    return settled_ms if settled_ms > now_ms else coming.at_ms
