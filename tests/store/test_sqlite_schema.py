"""The tables are those of docs/store.md, and refuse invalid rows."""

import re
from pathlib import Path

import apsw
import pytest

from secondpost.mail.queue_id import WORKERS_MAX
from secondpost.store.newsletter_ports import CalendarSince
from secondpost.store.sqlite import SqliteStore, schema
from secondpost.store.subscriber_ports import SignedUp
from tests.store.letters import Letters
from tests.store.place import SqlitePlace, database_of
from tests.store.readers import LIMITS, Publisher

PAGE = Path(__file__).parent.parent.parent / "docs" / "store.md"


async def test_every_table_is_documented_and_nothing_else(place: SqlitePlace) -> None:
    mail, newsletter = tables_of(place.open()), tables_of(place.open_newsletter())
    told = re.findall(r"^\| `([a-z_]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert (set(told[: len(mail)]), set(told)) == (mail, newsletter)
    assert len(told) == len(newsletter)


def tables_of(store: SqliteStore) -> set[str]:
    rows = database_of(store).execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return {str(row[0]) for row in rows}


async def test_the_workers_of_both_databases_have_numbers_of_their_own(place: SqlitePlace) -> None:
    numbers = [store.worker for store in (place.open(), place.open_newsletter(), place.open())]
    assert len(set(numbers)) == 3
    assert numbers[1] >= WORKERS_MAX // 2 > max(numbers[0], numbers[2])


@pytest.mark.parametrize(
    "wrong",
    [
        "state = 'committing'",
        "issue = NULL",
        "subscriber = NULL",
        "subscriber = 77",
        "state = 'failed'",
        "state = 'suppressed'",
        "fence = 1",
        "state = 'kept', kept_for = 'loop', issue = NULL, subscriber = NULL, ended_ms = 1",
    ],
)
async def test_mail_to_a_reader_that_contradicts_itself_cannot_be_written(
    place: SqlitePlace, wrong: str
) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net")
    await publisher.freeze((await publisher.digest()).id)
    with pytest.raises(apsw.ConstraintError):
        database_of(store).execute(f"UPDATE delivery SET {wrong}")


async def test_nobody_is_planned_twice_and_nobody_reads_without_a_consent(place: SqlitePlace) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net")
    await publisher.freeze((await publisher.digest()).id)
    db = database_of(store)
    columns = "domain, recipient, state, octets, arrived_ms, due_ms, issue"
    for message, subscriber in (("message", "subscriber"), ("message + 1", "subscriber")):
        with pytest.raises(apsw.ConstraintError):
            db.execute(
                f"INSERT INTO delivery (message, number, subscriber, {columns})"
                f" SELECT {message}, {subscriber}, {subscriber}, {columns} FROM delivery"
            )
    with pytest.raises(apsw.ConstraintError):
        db.execute("UPDATE subscriber SET consent = NULL")


@pytest.mark.parametrize(
    "wrong",
    [
        "state = 'kept'",
        "kept_for = 'loop'",
        "state = 'claimed'",
        "fence = 7",
        "state = 'delivered'",
        "ended_ms = 1",
        "state = 'lost'",
        "due_ms = 'tomorrow'",
        "maybe_duplicate = 2",
    ],
)
async def test_a_delivery_that_contradicts_itself_cannot_be_written(place: SqlitePlace, wrong: str) -> None:
    store = place.open()
    await Letters(place, store).send("one@example.net")
    with pytest.raises(apsw.ConstraintError):
        database_of(store).execute(f"UPDATE delivery SET {wrong}")


async def test_sqlite_syncs_around_checkpoints_that_come_only_when_told(place: SqlitePlace) -> None:
    db = database_of(place.open())
    facts = {
        name: db.execute(f"PRAGMA {name}").fetchall()[0][0]
        for name in (
            "journal_mode",
            "synchronous",
            "wal_autocheckpoint",
            "auto_vacuum",
            "page_size",
            "mmap_size",
        )
    }
    normal, incremental = 1, 2  # committed data is synced by the writer
    assert facts == {
        "journal_mode": "wal",
        "synchronous": normal,
        "wal_autocheckpoint": 0,
        "auto_vacuum": incremental,
        "page_size": 4096,
        "mmap_size": 0,
    }


def newsletter_of_before(place: SqlitePlace, number: int) -> apsw.Connection:
    """A database with the schema up to that number, as stores in the field have it."""
    place.disk.make_folder("newsletter")
    db = apsw.Connection(f"{place.folder}/newsletter/newsletter.db")
    db.execute(schema._VERSIONS)
    for migration in schema.migrations(schema.Database.NEWSLETTER):
        if migration.number <= number:
            db.execute(migration.text)
            db.execute("INSERT INTO migration VALUES (?, ?, 1)", (migration.number, migration.name))
    return db


async def test_newsletters_of_before_go_on_in_their_calendar(place: SqlitePlace) -> None:
    """A slot that comes during the upgrade does not count as before the newsletter's start."""
    db = newsletter_of_before(place, 11)
    for name, looked_ms in (("looked-at", 5), ("added", None)):
        db.execute(
            "INSERT INTO feed (newsletter, url, etag, last_modified, identity, title, last_fetch_ms, finding,"
            " baseline_done) VALUES (?, 'u', '', '', '', '', ?, '', 0)",
            (name, looked_ms),
        )
    db.execute(
        "INSERT INTO slot (newsletter, key, outcome, at_ms, reason) VALUES ('old', 'k', 'held', 5, '')"
    )
    db.close()
    store = place.open_newsletter()
    assert await store.calendar("looked-at") == CalendarSince("looked-at", "", "", 0)
    assert await store.calendar("old") == CalendarSince("old", "", "", 0)
    assert await store.calendar("added") is None


async def test_sign_ups_in_a_store_of_before_still_count(place: SqlitePlace) -> None:
    """Of a network that has reached its limit of sign-ups."""
    db = newsletter_of_before(place, 3)
    for _ in range(LIMITS.prefix_per_hour_max):
        db.execute("INSERT INTO sign_up VALUES ('192.0.2.0/24', ?)", (place.clock.ms,))
    db.close()
    publisher = Publisher(place, place.open_newsletter())
    assert await publisher.sign_up("ann@example.net", "192.0.2.0/24") is SignedUp.LIMITED
    assert await publisher.sign_up("ann@example.net", "198.51.100.0/24") is SignedUp.CONFIRM


def test_when_a_feed_was_last_read_is_known_of_feeds_that_were_there_before() -> None:
    db = apsw.Connection("")
    known = schema.migrations(schema.Database.NEWSLETTER)
    for migration in known:
        if migration.number < 14:
            db.execute(migration.text)
    feed = "INSERT INTO feed VALUES ('weekly', ?, '', '', '', '', 90, ?, '', 1)"
    db.execute(feed, ("read", 90))
    db.execute(feed, ("waits", 90))
    db.execute(feed, ("never", None))
    article = (
        "INSERT INTO article (newsletter, url, guid, link, canonical_link, fingerprint, title, summary, "
        "html, author, first_seen_ms, last_seen_ms, good_fetches, state, reason) "
        "VALUES ('weekly', ?, ?, '', '', '', '', '', '', '', 1, ?, 1, ?, '')"
    )
    # A 304 counts as a look at waiting articles, but not as reading the feed.
    rows = (("read", "a", 50, "seen"), ("read", "b", 40, "skipped"), ("read", "c", 90, "waiting"))
    for row in (*rows, ("waits", "d", 90, "waiting")):
        db.execute(article, row)
    [migration] = [each for each in known if each.number == 14]
    db.execute(migration.text)
    read = db.execute("SELECT url, last_read_ms FROM feed ORDER BY url").fetchall()
    assert read == [("never", None), ("read", 50), ("waits", 90)]


async def test_a_schema_that_another_role_wrote_is_not_trusted(place: SqlitePlace) -> None:
    """A role that was taken over may write its database, which the deliver role opens too."""
    store = place.open()
    db = database_of(store)
    other = apsw.Connection(db.filename)
    other.execute("CREATE VIEW lure AS SELECT 1")

    def effect(*_: object) -> int:
        """Has an effect besides its value, such as to read a page of the file or to load a library."""
        return 1

    other.create_scalar_function("effect", effect, 0)
    other.execute(
        "CREATE TABLE trap (x); CREATE TRIGGER snaps AFTER INSERT ON trap BEGIN SELECT effect(); END"
    )
    other.close()
    db.create_scalar_function("effect", effect, 0)
    with pytest.raises(apsw.SQLError, match="view"):
        db.execute("SELECT 1 FROM lure LIMIT 1").fetchall()
    with pytest.raises(apsw.SQLError, match="unsafe use of effect"):
        db.execute("INSERT INTO trap VALUES (1)")
    db.execute("PRAGMA writable_schema = ON").fetchall()
    with pytest.raises(apsw.SQLError, match="sqlite_master may not be modified"):
        db.execute("DELETE FROM sqlite_master WHERE name = 'trap'")
