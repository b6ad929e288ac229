"""A full store is upgraded from an older schema, and its counts are right."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import apsw
import pytest

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.article_states import ArticleState
from secondpost.mail.authentication import NO_NOTE
from secondpost.mail.content import InFile, InTable
from secondpost.mail.delivery import KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import UNSORTED
from secondpost.mail.subscriber_states import Reason
from secondpost.store.newsletter_ports import ArticleMove
from secondpost.store.owner_ports import Selection
from secondpost.store.sqlite import SqliteStore, schema, statements
from secondpost.store.sqlite import store as sqlite_store
from secondpost.store.subscriber_ports import BATCH_READERS_MAX, Suppression
from secondpost.store.verbs.steps import Steps
from secondpost.store.verbs.witness import Judged
from tests.store.letters import Letters
from tests.store.place import SqlitePlace, content_in, database_of, engine_of
from tests.store.readers import FEED, Publisher
from tests.store.recounts import MAIL, found_by

FIRST_FIELDED = 3  # the newest migration of the stores in use
PICTURES = 16
STATES = 24
RHYTHM = 48


@contextmanager
def older_schema(monkeypatch: pytest.MonkeyPatch, newest: int) -> Iterator[None]:
    """Databases that are made inside have the migrations up to `newest`."""
    known = schema.migrations
    with monkeypatch.context() as older:
        older.setattr(
            schema, "migrations", lambda database: [m for m in known(database) if m.number <= newest]
        )
        older.setattr(sqlite_store, "judged", _before_witnesses)
        yield


def _before_witnesses(*_: object, **__: object) -> Steps[Judged]:
    """What an older version did about copies: nothing."""
    yield from ()
    return Judged(0)


def _write_waiting(db: apsw.Connection, *authors: str) -> None:
    """Write articles that wait, with the columns of the first schemas."""
    for n, author in enumerate(authors):
        db.execute(
            "INSERT INTO article (newsletter, url, guid, link, canonical_link, fingerprint, title,"
            " summary, html, author, first_seen_ms, last_seen_ms, good_fetches, state, reason)"
            " VALUES ('weekly', ?, ?, '', '', '', 't', '', '', ?, 1, 1, 1, 'waiting', '')",
            (FEED, f"{n}", author),
        )


async def test_after_0048_the_validators_of_a_feed_still_go_to_the_url_that_gave_them(
    place: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with older_schema(monkeypatch, RHYTHM - 1):
        database_of(place.open_newsletter()).execute(
            "INSERT INTO feed VALUES ('weekly', ?, 'e1', 'Mon', '', '', 1, 1, '', 1, 1, '')", (FEED,)
        )
        await place.close()
    feed = await place.open_newsletter().feed("weekly", FEED)
    assert (feed.etag, feed.last_modified, feed.validators_url) == ("e1", "Mon", FEED)
    assert (feed.location, feed.next_fetch_ms) == ("", None)


async def test_after_0016_an_author_is_no_address_and_each_feed_is_read_whole_once_more(
    place: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with older_schema(monkeypatch, PICTURES - 1):
        db = database_of(place.open_newsletter())
        _write_waiting(db, "Ann", "ann@example.org (Ann)")
        db.execute("INSERT INTO feed VALUES ('weekly', ?, 'e1', 'Mon', '', '', 1, 1, '', 1, 1)", (FEED,))
        await place.close()
    store = place.open_newsletter()
    waiting = await store.entries("weekly", ArticleState.WAITING, 10)
    assert [(entry.article.author, entry.article.picture) for entry in waiting] == [("Ann", ""), ("", "")]
    feed = await store.feed("weekly", FEED)
    assert (feed.etag, feed.last_modified, feed.left_out, feed.baseline_done) == ("", "", "", True)


async def test_after_0024_readers_and_articles_from_before_change_only_along_an_edge(
    place: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with older_schema(monkeypatch, STATES - 1):
        publisher = Publisher(place, place.open_newsletter())
        [reader] = await publisher.readers("ann@example.net")
        _write_waiting(database_of(place.open_newsletter()), "Ann", "Bob")
        await place.close()
    store = place.open_newsletter()
    articles = [entry.id for entry in await store.entries("weekly", ArticleState.WAITING, 10)]
    with pytest.raises(apsw.ConstraintError, match="no edge leads from this state of a reader"):
        database_of(store).execute("UPDATE subscriber SET state = 'pending'")
    with pytest.raises(apsw.ConstraintError, match="no edge leads from this state of an article"):
        database_of(store).execute("UPDATE article SET state = 'seen'")
    assert await store.leave(reader, place.clock.ms, "page")
    skipped = [ArticleMove(id, ArticleState.SKIPPED, "by hand") for id in articles]
    assert await store.move_articles("weekly", skipped) == 2


async def test_what_lay_here_before_is_counted_by_what_it_is_kept_for(
    place: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with older_schema(monkeypatch, FIRST_FIELDED):
        store = place.open()
        _write_without(
            store,
            ("intake.add_messages", ", utf8, authentication, seal_instance, chain_status, body_hash"),
            ("intake.add_contents", "prefix, "),
        )
        letters = Letters(place, store)
        for octets, kept_for in enumerate((None, *KeptFor, KeptFor.REFUSED), start=1):
            arrival = letters.arrival("one@example.net", "two@example.org", content=InTable(b"x" * octets))
            await store.accept(arrival, kept_for)
        place.open_newsletter()
        await place.close()
    place.open_newsletter()
    store = place.open()
    assert found_by(MAIL, database_of(store), place.clock.ms) == {}
    counts = {(c.domain, c.kept_for): (c.deliveries, c.octets, c.oldest_ms) for c in await store.counts()}
    assert counts["example.net", None] == (1, 1, place.clock.ms - 4)
    assert counts["example.org", KeptFor.REFUSED] == (2, 8, place.clock.ms - 2)
    assert len(counts) == 2 * 4
    assert await store.stored_octets(Domain("example.net")) == 7
    kept = await store.listed(Selection(states=(State.KEPT,)), None, 20)
    assert (len(kept), {one.first_recipient for one in kept}) == (8, {None})
    to = Mailbox.parse("me@elsewhere.example")
    await store.redirect(Selection(address="one@example.net"), to, place.clock.ms, "")
    assert len(await store.listed(Selection(address="one@example.net"), None, 20)) == 5
    assert found_by(MAIL, database_of(store), place.clock.ms) == {}


def _write_without(store: SqliteStore, *columns: tuple[str, str]) -> None:
    """Remove columns from queries that the older schema does not have."""
    now = statements.QUERIES
    then = {name: replace(now[name], text=now[name].text.replace(column, "")) for name, column in columns}
    engine_of(store).statements = statements.Statements({**now, **then})


BEFORE_PREFIXES = 22


async def test_mail_that_came_before_there_were_prefixes_goes_on_as_it_lies(
    place: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = InTable(b"Received: by us\r\nSubject: small\r\n\r\n")
    large = b"Received: by us\r\n" + b"x" * 200_000
    with older_schema(monkeypatch, BEFORE_PREFIXES):
        store = place.open()
        _write_without(
            store,
            ("intake.add_messages", ", authentication, seal_instance, chain_status, body_hash"),
            ("intake.add_contents", "prefix, "),
        )
        letters = Letters(place, store)
        name = f"content/{store.worker}-abc"
        file = place.mail_disk.create(name)
        file.write(large)
        file.close()
        arrivals = [
            await letters.send("one@example.net", content=small),
            await letters.send("one@example.net", content=InFile(name, len(large))),
        ]
        await place.close()
    store = place.open()
    for arrival, content in zip(arrivals, (small.data, large), strict=True):
        assert await content_in(store, arrival.queue_id, 64 * 1024) == content
    lease = await store.lease(Lane.RELAY, UNSORTED)
    assert lease is not None
    claimed = await store.claim(lease, place.clock.ms, 9)
    assert [await store.content(one) for one in claimed] == [small.data, large]
    assert await store.contents(claimed) == {arrivals[0].queue_id: small.data}
    notes = await store.authentication_notes(claimed)
    assert notes == {arrival.queue_id: NO_NOTE for arrival in arrivals}


BEFORE_OTHERS_HASHES = 12


async def test_who_was_suppressed_before_there_were_hashes_of_other_stores_still_is(
    place: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailboxes = [Mailbox.parse(f"reader{number}@example.net") for number in range(BATCH_READERS_MAX)]
    with older_schema(monkeypatch, BEFORE_OTHERS_HASHES):
        store = place.open_newsletter()
        assert await store.suppress("weekly", mailboxes, Reason.COMPLAINED, 7, "report") == len(mailboxes)
        assert await store.suppress("", mailboxes[:1], Reason.OWNER, 8, "by post") == 1
        await place.close()
    store = place.open_newsletter()
    assert await store.suppressions("weekly", mailboxes[0]) == [
        Suppression("", Reason.OWNER, 8, "by post"),
        Suppression("weekly", Reason.COMPLAINED, 7, "report"),
    ]
    assert (await store.suppressed_count("weekly"), await store.suppressed_count("")) == (len(mailboxes), 1)
    assert await store.suppress("weekly", mailboxes, Reason.BOUNCED, 9, "list.csv") == 0
    assert len(await store.suppressed_strangers("weekly", None, 1_000)) == len(mailboxes) + 1
