"""A copy is put back after mail came and went, and an issue went on: nothing is sent twice."""

from pathlib import Path

from secondpost.mail.delivery import State
from secondpost.owner.copies import CopyAcceptance, SentLog
from secondpost.store.copy_ports import CopyVerdict
from secondpost.store.sqlite.migrating import keep_copy
from secondpost.store.sqlite.schema import Database, newest_schema
from secondpost.store.sqlite.set_aside import LEFT_READERS, SetAside, put_back
from secondpost.world.room_disk import RoomDisk
from tests.store.letters import Letters, leased, settled
from tests.store.place import SqlitePlace
from tests.store.readers import Publisher, leased_issues, marked, outcome

READERS = [f"{name}@example.net" for name in ("ann", "bob", "cat", "dan", "eve", "fay")]


async def no_feeds() -> None:
    """No newsletter of this store has one."""


class Kept:
    """A copy that was kept of a database, as before a migration."""

    def __init__(self, place: SqlitePlace, database: Database) -> None:
        self._place, self._database = place, database
        self._room = RoomDisk(place.disk, database.room)
        schema = newest_schema(database)
        self._copy = keep_copy(self._room, database, schema, place.clock.ms, lambda octets: None)

    def put_back(self) -> SetAside:
        schema = newest_schema(self._database) + 1
        return put_back(self._room, self._database, self._copy, schema, self._place.clock.ms)


def sent(*aside: SetAside) -> SentLog:
    return SentLog.read(line for each in aside for line in Path(each.sent_log).read_text().splitlines())


async def test_an_issue_that_went_on_after_the_upgrade_reaches_each_reader_once(place: SqlitePlace) -> None:
    store = place.open_newsletter("deliver")
    publisher = Publisher(place, store)
    ids = await publisher.readers(*READERS)
    issue = await publisher.sent()
    lease = await leased_issues(store)
    ann, bob = await marked(store, lease, await store.claim(lease, place.clock.ms, 2))
    await store.settle(lease, [outcome(one, State.DELIVERED, place.clock.ms) for one in (ann, bob)])
    await store.give_back(lease)
    await place.close()
    kept = Kept(place, Database.NEWSLETTER)

    store = place.open_newsletter("deliver")
    lease = await leased_issues(store)
    cat, dan = await marked(store, lease, await store.claim(lease, place.clock.ms, 2))
    await store.settle(lease, [outcome(cat, State.DELIVERED, place.clock.ms)])  # of dan's nothing is known
    assert await store.leave(ids[0], place.clock.ms, "page")
    await place.close()
    aside = kept.put_back()
    assert (aside.messages, aside.left_readers) == (0, 1)
    assert (Path(aside.folder) / LEFT_READERS).read_text() == f"weekly {READERS[0]}\n"

    mail, news = place.open(), place.open_newsletter("deliver")
    acceptance = CopyAcceptance(mail, news, place.clock, frozenset(), no_feeds)
    assert (await acceptance.stands()).is_held
    accepted = await acceptance.accept(CopyVerdict.AGAIN, sent(aside))
    assert (accepted.delivered, accepted.unknown) == (1, 1)
    lease = await leased_issues(news)
    claimed = await news.claim(lease, place.clock.ms, 10)
    reached = {str(one.recipient) for one in (ann, bob, cat, dan)}
    assert {str(one.recipient) for one in claimed} == set(READERS) - reached
    counts = await news.reckoning(issue.id)
    assert (counts.planned, counts.delivered, counts.unknown) == (len(READERS), 3, 1)


async def test_relayed_mail_that_left_after_the_upgrade_is_not_sent_again(place: SqlitePlace) -> None:
    store = place.open()
    letters = Letters(place, store)
    await letters.send("one@example.net", "two@example.net")
    await letters.send("three@example.net")
    await place.close()
    kept = Kept(place, Database.MAIL)

    store = place.open()
    await Letters(place, store).send("since@example.net")
    lease = await leased(store)
    one, two, *_ = await store.claim(lease, place.clock.ms, 10)
    await store.settle(lease, [settled(each, State.DELIVERED, place.clock.ms) for each in (one, two)])
    await store.give_back(lease)
    await place.close()
    aside = kept.put_back()
    assert (aside.messages, aside.left_readers) == (1, 0)

    mail = place.open()
    acceptance = CopyAcceptance(mail, place.open_newsletter(), place.clock, frozenset(), no_feeds)
    await acceptance.stands()
    accepted = await acceptance.accept(CopyVerdict.AGAIN, sent(aside))
    assert (accepted.delivered, accepted.sent_on) == (2, 1)
    claimed = await mail.claim(await leased(mail), place.clock.ms, 10)
    assert [str(each.recipient) for each in claimed] == ["three@example.net"]
