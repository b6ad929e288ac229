"""Feeds and articles, for the publish role; each look at a feed is one transaction."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from functools import partial

from secondpost.mail.article import Article
from secondpost.mail.article_states import ArticleState
from secondpost.mail.issue import ArticleId, IssueId
from secondpost.store.feed_ports import Feed, FeedPush
from secondpost.store.newsletter_ports import (
    TAKEN_BY_HAND,
    ArticleMove,
    FetchRecord,
    LedgerEntry,
    NewArticle,
    SeenAgain,
)
from secondpost.store.verbs.engine import CHANGE_UNITS, Verbs
from secondpost.store.verbs.half_renamed import is_being_renamed
from secondpost.store.verbs.steps import Row, Steps, maybe_number, number, rows, run


class LedgerVerbs(Verbs):
    async def feed(self, newsletter: str, url: str) -> Feed:
        return await self._engine.read(_feed(newsletter, url))

    async def feed_of_push(self, token: str) -> Feed | None:
        for row in await self._engine.read(rows("ledger.feed_of_push", token)):
            return _feed_of(row)
        return None

    def note_push(self, token: str, now_ms: int, apart_ms: int) -> Awaitable[None]:
        def write() -> Steps[None]:
            for row in (yield from rows("ledger.feed_of_push", token)):
                due_ms = max(now_ms, (_feed_of(row).last_fetch_ms or 0) + apart_ms)
                yield from run("ledger.note_push", token, due_ms)

        return self._engine.change(write)

    def record_fetch(self, record: FetchRecord) -> Awaitable[None]:
        articles = len(record.new) + len(record.again) + len(record.moves)
        return self._engine.change(partial(_record, record), CHANGE_UNITS + 3 * articles)

    def move_articles(self, newsletter: str, moves: Sequence[ArticleMove]) -> Awaitable[int]:
        return self._engine.change(partial(_move_by_hand, newsletter, moves), CHANGE_UNITS + len(moves))

    async def entries_by_guid(self, newsletter: str, url: str, guids: Sequence[str]) -> list[LedgerEntry]:
        return await self._engine.read(_entries("ledger.entries_by_guid", newsletter, url, among=guids))

    async def entries_by_link(self, newsletter: str, canonical_links: Sequence[str]) -> list[LedgerEntry]:
        return await self._engine.read(_entries("ledger.entries_by_link", newsletter, among=canonical_links))

    async def entries_by_fingerprint(self, newsletter: str, fingerprints: Sequence[str]) -> list[LedgerEntry]:
        return await self._engine.read(
            _entries("ledger.entries_by_fingerprint", newsletter, among=fingerprints)
        )

    async def entries(self, newsletter: str, state: ArticleState, limit: int) -> list[LedgerEntry]:
        if state is ArticleState.WAITING:
            return await self._engine.read(_entries("ledger.first_entries", newsletter, state.value, limit))
        latest = await self._engine.read(_entries("ledger.latest_entries", newsletter, state.value, limit))
        return latest[::-1]

    async def entries_of_issue(self, issue: IssueId) -> list[LedgerEntry]:
        return await self._engine.read(_entries("ledger.entries_of_issue", issue))

    async def entry(self, id: ArticleId) -> LedgerEntry | None:
        for found in await self._engine.read(_entries("ledger.entry", id)):
            return found
        return None

    async def standing(self, newsletter: str, url: str, since_ms: int, limit: int) -> list[LedgerEntry]:
        latest = await self._engine.read(_entries("ledger.standing", newsletter, url, since_ms, limit))
        return latest[::-1]

    async def count(self, newsletter: str, state: ArticleState) -> int:
        [(articles,)] = await self._engine.read(rows("ledger.count", newsletter, state.value))
        return number(articles)

    async def causes_held(self, newsletter: str) -> frozenset[str]:
        return frozenset(
            str(cause) for (cause,) in await self._engine.read(rows("ledger.causes_held", newsletter))
        )


def _feed(newsletter: str, url: str) -> Steps[Feed]:
    distrusted = yield from rows("ledger.distrusted", newsletter, url)
    guids = frozenset(str(guid) for (guid,) in distrusted)
    for row in (yield from rows("ledger.feed", newsletter, url)):
        return replace(_feed_of(row), distrusted_guids=guids)
    return Feed(newsletter, url, distrusted_guids=guids)


def _feed_of(row: Row) -> Feed:
    newsletter, url, etag, modified, identity, title, fetch_ms, good_ms, read_ms = row[:9]
    finding, baseline_done, left_out, validators_url, location, next_ms, not_before_ms = row[9:16]
    refresh_ms, hub, topic, token, secret, asked_ms = row[16:]
    return Feed(
        newsletter=str(newsletter),
        url=str(url),
        etag=str(etag),
        last_modified=str(modified),
        identity=str(identity),
        title=str(title),
        last_fetch_ms=maybe_number(fetch_ms),
        last_good_ms=maybe_number(good_ms),
        last_read_ms=maybe_number(read_ms),
        finding=str(finding),
        baseline_done=baseline_done == 1,
        left_out=str(left_out),
        validators_url=str(validators_url),
        location=str(location),
        next_fetch_ms=maybe_number(next_ms),
        not_before_ms=maybe_number(not_before_ms),
        refresh_ms=number(refresh_ms),
        push=FeedPush(str(hub), str(topic), str(token), str(secret), maybe_number(asked_ms)),
    )


def _entries(query: str, *binds: str | int, among: Sequence[str] | None = None) -> Steps[list[LedgerEntry]]:
    chosen: list[Row] | None = None if among is None else [(one,) for one in among]
    return [_entry(row) for row in (yield from rows(query, *binds, chosen=chosen))]


def _record(record: FetchRecord) -> Steps[None]:
    feed = record.feed
    if (yield from is_being_renamed(feed.newsletter)):
        return  # with half of its ledger here, everything else would look new
    yield from run("ledger.write_feed", *_feed_row(feed))
    for guid in sorted(feed.distrusted_guids):
        yield from run("ledger.distrust", feed.newsletter, feed.url, guid)
    # Row by row: each must see what the ones before it wrote.
    for new in record.new:
        yield from run("ledger.add_article", *_new_row(feed, new, record.at_ms))
    for again in record.again:
        yield from run("ledger.see_again", *_again_row(feed, again, record.at_ms))
    for move in record.moves:
        _check_movable(move.state)
        row = (move.id, feed.newsletter, move.state.value, move.reason, TAKEN_BY_HAND)
        yield from run("ledger.move_article", *row)


def _move_by_hand(newsletter: str, moves: Sequence[ArticleMove]) -> Steps[int]:
    for move in moves:
        _check_movable(move.state)
    goes = {move.id: move for move in moves}
    chosen: list[Row] = [(move.id, move.state.value, move.reason) for move in goes.values()]
    [(movable,)] = yield from rows("ledger.movable", newsletter, chosen=chosen)
    if movable != len(chosen):
        return 0
    return (yield from run("ledger.move_by_hand", newsletter, chosen=chosen))


def _feed_row(feed: Feed) -> Row:
    return (
        feed.newsletter,
        feed.url,
        feed.etag,
        feed.last_modified,
        feed.identity,
        feed.title,
        feed.last_fetch_ms,
        feed.last_good_ms,
        feed.last_read_ms,
        feed.finding,
        int(feed.baseline_done),
        feed.left_out,
        feed.validators_url,
        feed.location,
        feed.next_fetch_ms,
        feed.not_before_ms,
        feed.refresh_ms,
        feed.push.hub,
        feed.push.topic,
        feed.push.token,
        feed.push.secret,
        feed.push.asked_ms,
    )


def _check_movable(state: ArticleState) -> None:
    if state is ArticleState.TAKEN:
        raise ValueError("an article is taken by an issue alone")


def _new_row(feed: Feed, new: NewArticle, at_ms: int) -> Row:
    _check_movable(new.state)
    article = new.article
    return (
        feed.newsletter,
        feed.url,
        article.guid,
        article.link,
        new.canonical_link,
        article.fingerprint,
        article.title,
        article.summary,
        article.html,
        article.author,
        article.published_ms,
        at_ms,
        new.state.value,
        new.reason,
        article.place,
        article.language,
        article.picture,
    )


def _again_row(feed: Feed, again: SeenAgain, at_ms: int) -> Row:
    article = again.article
    return (
        again.id,
        feed.newsletter,
        at_ms,
        article.guid,
        article.link,
        article.fingerprint,
        article.title,
        article.summary,
        article.html,
        article.author,
        article.published_ms,
        article.place,
        article.language,
        article.picture,
        again.canonical_link,
        feed.url,
    )


def _entry(row: Row) -> LedgerEntry:
    id, newsletter, url, guid, link, title, summary, html, author, published_ms, fingerprint = row[:11]
    canonical_link, first_ms, last_ms, fetches, state, issue, reason = row[11:18]
    place, language, picture = row[18:]
    article = Article(
        guid=str(guid),
        link=str(link),
        title=str(title),
        summary=str(summary),
        html=str(html),
        author=str(author),
        published_ms=maybe_number(published_ms),
        fingerprint=str(fingerprint),
        place=number(place),
        language=str(language),
        picture=str(picture),
    )
    return LedgerEntry(
        id=ArticleId(number(id)),
        newsletter=str(newsletter),
        feed=str(url),
        article=article,
        canonical_link=str(canonical_link),
        first_seen_ms=number(first_ms),
        last_seen_ms=number(last_ms),
        good_fetches=number(fetches),
        state=ArticleState(str(state)),
        issue=None if issue is None else IssueId(number(issue)),
        reason=str(reason),
    )
