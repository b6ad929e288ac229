"""The publish role's view of feeds and articles: one look at a feed is one transaction."""

from collections.abc import Awaitable, Sequence

import apsw

from secondpost.mail.article import Article
from secondpost.mail.issue import ArticleId, IssueId
from secondpost.store.newsletter_ports import (
    TAKEN_BY_HAND,
    ArticleMove,
    ArticleState,
    Feed,
    FetchRecord,
    LedgerEntry,
    NewArticle,
    SeenAgain,
)
from secondpost.store.sqlite.base import Base, as_json
from secondpost.store.sqlite.group import CHANGE_UNITS
from secondpost.store.sqlite.half_renamed import is_being_renamed
from secondpost.store.sqlite.queries import read_queries
from secondpost.store.verbs.steps import Row, Value, maybe_number, number

_QUERIES = read_queries("ledger")


def _entries_query(conditions: str) -> str:
    return _QUERIES["entries"].replace("{conditions}", conditions)


_BY_GUID = _entries_query(
    "WHERE newsletter = ?1 AND url = ?2 AND guid <> '' "
    "AND guid IN (SELECT value FROM json_each(?3)) ORDER BY id"
)
_BY_LINK = _entries_query(
    "WHERE newsletter = ?1 AND canonical_link IN (SELECT value FROM json_each(?2)) ORDER BY id"
)
_BY_FINGERPRINT = _entries_query(
    "WHERE newsletter = ?1 AND fingerprint IN (SELECT value FROM json_each(?2)) ORDER BY id"
)
_LATEST = _entries_query("WHERE newsletter = ?1 AND state = ?2 ORDER BY id DESC LIMIT ?3")
_FIRST = _entries_query("WHERE newsletter = ?1 AND state = ?2 ORDER BY id LIMIT ?3")
_OF_ISSUE = _entries_query("WHERE issue = ?1 ORDER BY place")
_ONE = _entries_query("WHERE id = ?1")
_STANDING = _entries_query(
    "WHERE newsletter = ?1 AND url = ?2 AND last_seen_ms >= ?3 ORDER BY id DESC LIMIT ?4"
)


class SqliteLedger(Base):
    def feed(self, newsletter: str, url: str) -> Feed:
        guids = frozenset(str(guid) for (guid,) in self._read(_QUERIES["distrusted"], (newsletter, url)))
        for row in self._read(_QUERIES["feed"], (newsletter, url)):
            etag, modified, identity, title, fetch_ms, good_ms, read_ms, finding, baseline_done, left_out = (
                row
            )
            return Feed(
                newsletter,
                url,
                str(etag),
                str(modified),
                str(identity),
                str(title),
                maybe_number(fetch_ms),
                maybe_number(good_ms),
                maybe_number(read_ms),
                str(finding),
                baseline_done == 1,
                guids,
                str(left_out),
            )
        return Feed(newsletter, url, distrusted_guids=guids)

    def record_fetch(self, record: FetchRecord) -> Awaitable[None]:
        articles = len(record.new) + len(record.again) + len(record.moves)
        return self._writer.change(lambda db: _record(db, record), CHANGE_UNITS + 3 * articles)

    def move_articles(self, newsletter: str, moves: Sequence[ArticleMove]) -> Awaitable[int]:
        return self._writer.change(lambda db: _move_by_hand(db, newsletter, moves), CHANGE_UNITS + len(moves))

    def entries_by_guid(self, newsletter: str, url: str, guids: Sequence[str]) -> list[LedgerEntry]:
        return self._entries(_BY_GUID, (newsletter, url, as_json(guids)))

    def entries_by_link(self, newsletter: str, canonical_links: Sequence[str]) -> list[LedgerEntry]:
        return self._entries(_BY_LINK, (newsletter, as_json(canonical_links)))

    def entries_by_fingerprint(self, newsletter: str, fingerprints: Sequence[str]) -> list[LedgerEntry]:
        return self._entries(_BY_FINGERPRINT, (newsletter, as_json(fingerprints)))

    def entries(self, newsletter: str, state: ArticleState, limit: int) -> list[LedgerEntry]:
        if state is ArticleState.WAITING:
            return self._entries(_FIRST, (newsletter, state.value, limit))
        return self._entries(_LATEST, (newsletter, state.value, limit))[::-1]

    def entries_of_issue(self, issue: IssueId) -> list[LedgerEntry]:
        return self._entries(_OF_ISSUE, (issue,))

    def entry(self, id: ArticleId) -> LedgerEntry | None:
        for found in self._entries(_ONE, (id,)):
            return found
        return None

    def standing(self, newsletter: str, url: str, since_ms: int, limit: int) -> list[LedgerEntry]:
        return self._entries(_STANDING, (newsletter, url, since_ms, limit))[::-1]

    def count(self, newsletter: str, state: ArticleState) -> int:
        [(articles,)] = self._read(_QUERIES["count"], (newsletter, state.value))
        return number(articles)

    def causes_held(self, newsletter: str) -> frozenset[str]:
        return frozenset(str(cause) for (cause,) in self._read(_QUERIES["causes_held"], (newsletter,)))

    def causes_alarmed(self, newsletter: str) -> frozenset[str]:
        return frozenset(str(cause) for (cause,) in self._read(_QUERIES["causes_alarmed"], (newsletter,)))

    def set_causes_alarmed(self, newsletter: str, causes: frozenset[str]) -> Awaitable[None]:
        return self._writer.change(
            lambda db: _set_causes_alarmed(db, newsletter, causes), CHANGE_UNITS + len(causes)
        )

    def _entries(self, query: str, bindings: Row) -> list[LedgerEntry]:
        return [_entry(row) for row in self._read(query, bindings)]


def _record(db: apsw.Connection, record: FetchRecord) -> None:
    feed = record.feed
    if is_being_renamed(db, feed.newsletter):
        return  # half of its ledger is there, and everything else would look new
    db.execute(
        _QUERIES["write_feed"],
        (
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
        ),
    )
    for guid in sorted(feed.distrusted_guids):
        db.execute(_QUERIES["distrust"], (feed.newsletter, feed.url, guid))
    for new in record.new:
        db.execute(_QUERIES["add_article"], _new_row(feed, new, record.at_ms))
    for again in record.again:
        db.execute(_QUERIES["see_again"], _again_row(feed, again, record.at_ms))
    _move(db, feed.newsletter, record.moves)


def _move(db: apsw.Connection, newsletter: str, moves: Sequence[ArticleMove]) -> None:
    for move in moves:
        _check_movable(move.state)
        row = (move.id, newsletter, move.state.value, move.reason, TAKEN_BY_HAND)
        db.execute(_QUERIES["move_article"], row)


def _move_by_hand(db: apsw.Connection, newsletter: str, moves: Sequence[ArticleMove]) -> int:
    for move in moves:
        _check_movable(move.state)
    ids = as_json(sorted({move.id for move in moves}))
    [(movable,)] = db.execute(_QUERIES["movable"], (newsletter, ids))
    if movable != len({move.id for move in moves}):
        return 0
    for move in moves:
        db.execute(_QUERIES["move_by_hand"], (move.id, newsletter, move.state.value, move.reason))
    return number(movable)


def _set_causes_alarmed(db: apsw.Connection, newsletter: str, causes: frozenset[str]) -> None:
    db.execute(_QUERIES["forget_causes_alarmed"], (newsletter,))
    for cause in sorted(causes):
        db.execute(_QUERIES["add_cause_alarmed"], (newsletter, cause))


def _check_movable(state: ArticleState) -> None:
    if state is ArticleState.TAKEN:
        raise ValueError("an article is taken by an issue alone")


def _new_row(feed: Feed, new: NewArticle, at_ms: int) -> Row:
    _check_movable(new.state)
    told = new.article
    return (
        feed.newsletter,
        feed.url,
        told.guid,
        told.link,
        new.canonical_link,
        told.fingerprint,
        told.title,
        told.summary,
        told.html,
        told.author,
        told.published_ms,
        at_ms,
        new.state.value,
        new.reason,
        told.place,
        told.language,
        told.picture,
    )


def _again_row(feed: Feed, again: SeenAgain, at_ms: int) -> Row:
    told = again.article
    return (
        again.id,
        feed.newsletter,
        at_ms,
        told.guid,
        told.link,
        told.fingerprint,
        told.title,
        told.summary,
        told.html,
        told.author,
        told.published_ms,
        told.place,
        told.language,
        told.picture,
        again.canonical_link,
    )


def _entry(row: tuple[Value, ...]) -> LedgerEntry:
    id, newsletter, url, guid, link, title, summary, html, author, published_ms, fingerprint = row[:11]
    canonical_link, first_ms, last_ms, fetches, state, issue, reason = row[11:18]
    place, language, picture = row[18:]
    told = Article(
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
        article=told,
        canonical_link=str(canonical_link),
        first_seen_ms=number(first_ms),
        last_seen_ms=number(last_ms),
        good_fetches=number(fetches),
        state=ArticleState(str(state)),
        issue=None if issue is None else IssueId(number(issue)),
        reason=str(reason),
    )
