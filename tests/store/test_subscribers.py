"""Readers join by their own sign-up, leave by one click, and stay suppressed."""

import asyncio
from dataclasses import replace

import pytest

from secondpost.mail.address import Mailbox
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, SubscriberState
from secondpost.mail.subscriber_states import SUBSCRIBER_EDGES, Reason, SubscriberActor
from secondpost.store.owner_ports import Selection
from secondpost.store.subscriber_ports import (
    BATCH_READERS_MAX,
    Bounce,
    ImportCount,
    Imported,
    SignedUp,
    Suppression,
)
from tests.store.place import Place, there
from tests.store.readers import LIMITS, WEEKLY, Publisher, leased_issues

ANN = Mailbox.parse("Ann@example.net")
FROM_A_LIST = Consent("readers.csv", "import", "asked on paper in 2019", 5)


async def test_a_sign_up_is_pending_and_its_confirmation_on_its_way(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    assert await publisher.sign_up("Ann@example.net") is SignedUp.CONFIRM
    ann = await store.find(WEEKLY, Mailbox.parse("aNN@example.net"))
    assert ann is not None
    assert (str(ann.mailbox), ann.key, ann.state) == (
        "Ann@example.net",
        "ann@example.net",
        SubscriberState.PENDING,
    )
    assert ann.consent == publisher.consent("192.0.2.0/24")
    [claimed] = await store.claim(await leased_issues(store, Lane.OWN), place.clock.ms, 10)
    assert (claimed.subscriber, claimed.issue, str(claimed.recipient)) == (ann.id, None, "Ann@example.net")
    place.clock.ms += 1
    assert await store.confirm(ann.id, publisher.consent("192.0.2.0/24"))
    assert not await store.confirm(ann.id, publisher.consent("192.0.2.0/24"))
    assert there(await store.subscriber(ann.id)).state is SubscriberState.ACTIVE
    assert [event.what for event in await store.events_of(ann.id)] == ["signed-up", "confirmed"]
    assert await publisher.sign_up("ann@example.net") is SignedUp.ALREADY


async def test_a_form_cannot_be_made_to_write_again_and_again(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    assert await publisher.sign_up("ann@example.net") is SignedUp.CONFIRM
    assert await publisher.sign_up("ann@example.net") is SignedUp.REPEATED
    place.clock.ms += LIMITS.again_after_ms
    assert await publisher.sign_up("ann@example.net") is SignedUp.CONFIRM
    place.clock.ms += LIMITS.again_after_ms
    assert await publisher.sign_up("ann@example.net", "203.0.113.0/24") is SignedUp.REPEATED
    answers = [await publisher.sign_up(f"u{n}@example.net") for n in range(LIMITS.prefix_per_hour_max + 1)]
    assert answers.count(SignedUp.CONFIRM) == LIMITS.prefix_per_hour_max
    assert await publisher.sign_up("v@example.net", "198.51.100.0/24") is SignedUp.CONFIRM
    place.clock.ms += HOUR_MS + 1
    assert await publisher.sign_up("w@example.net") is SignedUp.CONFIRM


# Like the real limits, with fewer rows.
TENTH = replace(
    LIMITS,
    domain_per_hour_max=LIMITS.domain_per_hour_max // 10,
    per_hour_max=LIMITS.per_hour_max // 10,
    per_day_max=LIMITS.per_day_max // 10,
)


class Flood:
    """Sign-ups of any number of people, each from a network of their own."""

    def __init__(self, place: Place) -> None:
        self.store = place.open_newsletter()
        self.publisher = Publisher(place, self.store, limits=TENTH)
        self._number = 0

    async def at(self, domain: str, count: int) -> list[SignedUp]:
        numbers = range(self._number, self._number + count)
        self._number += count
        return await asyncio.gather(
            *(self.publisher.sign_up(f"u{n}@{domain}", f"10.{n >> 8}.{n & 255}.0/24") for n in numbers)
        )

    async def confirm(self, domain: str, count: int) -> None:
        pending = await self.store.readers(WEEKLY, (SubscriberState.PENDING,), None, 10_000)
        there = [one for one in pending if one.mailbox.domain.name == domain][:count]
        assert len(there) == count
        for one in there:
            assert await self.store.confirm(one.id, self.publisher.consent())


async def test_a_flood_of_sign_ups_at_one_domain_leaves_the_others_alone(place: Place) -> None:
    flood, most = Flood(place), TENTH.domain_per_hour_max
    answers = await flood.at("victim.example", most + 5)
    assert answers == [SignedUp.CONFIRM] * most + [SignedUp.CROWDED] * 5
    assert (await flood.store.reader_counts(WEEKLY))[SubscriberState.PENDING] == most
    assert await flood.at("other.example", 1) == [SignedUp.CONFIRM]
    place.clock.ms += HOUR_MS + 1
    assert await flood.at("victim.example", 1) == [SignedUp.CONFIRM]


async def test_where_people_confirm_as_many_more_may_sign_up(place: Place) -> None:
    """A large provider on the day of a launch: six of ten confirm within minutes."""
    flood = Flood(place)
    for _ in range(10):
        assert set(await flood.at("large.example", 5)) == {SignedUp.CONFIRM}
        await flood.confirm("large.example", 3)
    assert (await flood.store.reader_counts(WEEKLY))[SubscriberState.ACTIVE] == 30


async def test_a_flood_over_many_domains_has_an_hours_and_a_days_bound(place: Place) -> None:
    flood = Flood(place)
    confirmed = []
    for hour in range(5):
        answers = [one for n in range(6) for one in await flood.at(f"d{hour}-{n}.example", 9)]
        assert set(answers) <= {SignedUp.CONFIRM, SignedUp.CROWDED}
        confirmed.append(answers.count(SignedUp.CONFIRM))
        place.clock.ms += HOUR_MS + 1
    assert TENTH.per_day_max == 4 * TENTH.per_hour_max
    assert confirmed == [TENTH.per_hour_max] * 4 + [0]
    await flood.confirm("d0-0.example", 1)
    # One sign-up does not wait for an answer any more, so another is possible.
    assert await flood.at("d7.example", 3) == [SignedUp.CONFIRM, SignedUp.CONFIRM, SignedUp.CROWDED]
    place.clock.ms += 24 * HOUR_MS
    assert await flood.at("d8.example", 1) == [SignedUp.CONFIRM]


async def test_who_erases_takes_their_sign_ups_along(place: Place) -> None:
    flood = Flood(place)
    await flood.at("one.example", 1)
    [one] = await flood.store.readers(WEEKLY, (), None, 10)
    assert await flood.store.erase(one.id, place.clock.ms)
    again = await flood.at("one.example", TENTH.domain_per_hour_max)
    assert set(again) == {SignedUp.CONFIRM}


async def test_who_left_comes_back_only_by_confirming_anew(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    [id] = await publisher.readers("ann@example.net")
    assert await store.leave(id, place.clock.ms, "one-click")
    assert not await store.leave(id, place.clock.ms, "one-click")
    counted = await store.import_batch(
        WEEKLY, [Imported(ANN)], SubscriberState.ACTIVE, FROM_A_LIST, place.clock.ms
    )
    assert counted == ImportCount(added=0, confirmed=0, suppressed=0, known=1)
    back = await store.add(WEEKLY, ANN, FROM_A_LIST, place.clock.ms, None)
    assert back is not None
    assert back.state is SubscriberState.LEFT
    assert not await store.confirm(id, publisher.consent())
    assert await publisher.sign_up("ANN@example.net") is SignedUp.CONFIRM
    assert str(there(await store.subscriber(id)).mailbox) == "ANN@example.net"
    assert await store.confirm(id, publisher.consent())


async def test_after_a_complaint_only_the_owner_brings_a_reader_back(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    [id] = await publisher.readers("ann@example.net")
    assert await store.complain(id, 7, "arf", QueueId(70))
    assert await store.suppression(WEEKLY, ANN) == Suppression(WEEKLY, Reason.COMPLAINED, 7, "arf")
    assert await publisher.sign_up("ann@example.net") is SignedUp.SUPPRESSED
    assert await store.add(WEEKLY, ANN, FROM_A_LIST, 8, None) is None
    assert not await store.leave(id, 9, "one-click")
    assert await store.unsuppress(WEEKLY, ANN)
    assert await publisher.sign_up("ann@example.net") is SignedUp.SUPPRESSED
    line = [Imported(ANN)]
    counted = await store.import_batch(WEEKLY, line, SubscriberState.ACTIVE, FROM_A_LIST, 9)
    assert (counted.confirmed, counted.known) == (0, 1)
    assert there(await store.add(WEEKLY, ANN, None, 10, None)).state is SubscriberState.COMPLAINED
    wrote = Consent("a mail of 3 May", "owner", "I want it again", 11)
    back = there(await store.add(WEEKLY, ANN, wrote, 11, None))
    assert (back.id, back.state, back.consent) == (id, SubscriberState.ACTIVE, wrote)
    assert (await publisher.sent()).planned == 1


async def test_the_same_mail_changes_something_once(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    [id] = await publisher.readers("ann@example.net")
    assert await store.leave(id, 1, "mail", QueueId(7))
    await publisher.sign_up("ann@example.net")
    await store.confirm(id, publisher.consent(), QueueId(8))
    assert not await store.leave(id, 2, "mail", QueueId(7))
    assert there(await store.subscriber(id)).state is SubscriberState.ACTIVE


async def test_an_erased_reader_leaves_nothing_but_a_hash(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.sign_up("ann.lee@example.net")
    mailbox = Mailbox.parse("ann.lee@example.net")
    ann = await store.find(WEEKLY, mailbox)
    assert ann is not None
    await store.confirm(ann.id, publisher.consent("203.0.113.0/24"))
    issue = await publisher.sent()
    await store.record_bounce(
        Bounce(ann.id, issue.id, QueueId(9), BounceKind.FULL, "5.2.2", "ann.lee is full", 3)
    )
    assert await store.erase(ann.id, place.clock.ms)
    assert not await store.erase(ann.id, place.clock.ms)
    assert await store.subscriber(ann.id) is None
    assert (await store.reckoning(issue.id)).planned == 1
    told = await store.suppression(WEEKLY, mailbox)
    assert told is not None
    assert told.reason is Reason.ERASED
    for name, table in (await place.rows())["newsletter.db"].items():
        assert "ann" not in str(table.rows), name
        assert "203.0.113" not in str(table.rows), name
    counted = await store.import_batch(
        WEEKLY, [Imported(mailbox)], SubscriberState.ACTIVE, FROM_A_LIST, place.clock.ms
    )
    assert counted == ImportCount(added=0, confirmed=0, suppressed=1, known=0)


async def test_an_import_asks_for_suppression_first_then_for_who_is_known(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("known@example.net")
    suppressed = Mailbox.parse("never@example.net")
    assert await store.suppress("", [suppressed, suppressed], Reason.IMPORTED, 1, "cleaned.csv") == 1
    lines = [
        Imported(Mailbox.parse("KNOWN@example.net")),
        Imported(suppressed),
        Imported(Mailbox.parse("new@example.net"), (("name", "New"), ("plan", "free"))),
        Imported(Mailbox.parse("New@example.net")),
    ]
    counted = await store.import_batch(WEEKLY, lines, SubscriberState.ACTIVE, FROM_A_LIST, 5)
    assert counted == ImportCount(added=1, confirmed=0, suppressed=1, known=2)
    added = await store.find(WEEKLY, Mailbox.parse("new@example.net"))
    assert added is not None
    assert (added.attributes, added.consent) == ((("name", "New"), ("plan", "free")), FROM_A_LIST)
    assert [event.what for event in await store.events_of(added.id)] == ["imported"]
    assert await store.suppressed_count("") == 1


async def test_an_import_with_a_consent_confirms_who_is_pending_and_was_never_a_reader(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    names = ("imported", "signed-up", "came-back", "suppressed", "left")
    imported, signed_up, came_back, suppressed, left = (
        Mailbox.parse(f"{name}@example.net") for name in names
    )
    lines = [Imported(mailbox) for mailbox in (imported, signed_up, came_back, suppressed, left)]
    await store.import_batch(WEEKLY, lines[:1], SubscriberState.PENDING, None, place.clock.ms)
    assert await publisher.sign_up(str(signed_up)) is SignedUp.CONFIRM
    for id in await publisher.readers(str(came_back), str(left)):
        await store.leave(id, place.clock.ms, "one-click")
    assert await publisher.sign_up(str(came_back)) is SignedUp.CONFIRM
    assert await publisher.sign_up(str(suppressed)) is SignedUp.CONFIRM
    await store.suppress("", [suppressed], Reason.OWNER, place.clock.ms, "asked by post")
    place.clock.ms += 1
    elsewhere = Imported(signed_up)
    await store.import_batch("daily", [elsewhere], SubscriberState.PENDING, None, place.clock.ms)
    for _ in range(2):  # importing them again without consent changes nothing
        counted = await store.import_batch(WEEKLY, lines, SubscriberState.PENDING, None, place.clock.ms)
        assert counted == ImportCount(added=0, confirmed=0, suppressed=1, known=4)
    counted = await store.import_batch(WEEKLY, lines, SubscriberState.ACTIVE, FROM_A_LIST, place.clock.ms)
    assert counted == ImportCount(added=0, confirmed=2, suppressed=1, known=2)
    for mailbox, first in ((imported, "imported"), (signed_up, "signed-up")):
        found = await store.find(WEEKLY, mailbox)
        assert found is not None
        assert (found.state, found.consent, found.since_ms) == (
            SubscriberState.ACTIVE,
            FROM_A_LIST,
            place.clock.ms,
        )
        events = await store.events_of(found.id)
        assert [(event.what, event.state) for event in events] == [
            (first, SubscriberState.PENDING),
            ("confirmed", SubscriberState.ACTIVE),
        ]
        assert events[1].detail == FROM_A_LIST.where
    others = await store.readers(WEEKLY, (SubscriberState.PENDING, SubscriberState.LEFT), None, 10)
    assert {reader.mailbox: reader.state for reader in others} == {
        came_back: SubscriberState.PENDING,
        suppressed: SubscriberState.PENDING,
        left: SubscriberState.LEFT,
    }
    assert (await store.reader_counts("daily"))[SubscriberState.ACTIVE] == 0
    assert (await store.reader_counts(WEEKLY))[SubscriberState.ACTIVE] == 2
    again = await store.import_batch(WEEKLY, lines, SubscriberState.ACTIVE, FROM_A_LIST, place.clock.ms)
    assert again == ImportCount(added=0, confirmed=0, suppressed=1, known=4)


async def test_an_import_with_an_invitation_sends_confirmations_to_new_readers(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("known@example.net")
    lines = [Imported(Mailbox.parse(f"{name}@example.net")) for name in ("known", "a", "b")]
    messages = [publisher.id() for _ in lines]
    await store.import_batch(WEEKLY, lines, SubscriberState.PENDING, None, place.clock.ms, messages)
    claimed = await store.claim(await leased_issues(store, Lane.OWN), place.clock.ms, 10)
    assert [str(one.recipient) for one in claimed] == ["a@example.net", "b@example.net"]
    assert [one.id.queue_id for one in claimed] == messages[1:]


async def test_an_invitation_asks_once_whoever_is_pending_and_was_not_asked(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("active@example.net")
    assert await publisher.sign_up("asked@example.net") is SignedUp.CONFIRM
    names = ("active", "asked", "pending", "suppressed", "new")
    lines = [Imported(Mailbox.parse(f"{name}@example.net")) for name in names]
    await store.import_batch(WEEKLY, lines[2:4], SubscriberState.PENDING, None, place.clock.ms)
    await store.suppress(WEEKLY, [lines[3].mailbox], Reason.OWNER, place.clock.ms, "")
    for new, asked in ((1, 2), (0, 0)):
        messages = [publisher.id() for _ in lines]
        counted = await store.import_batch(
            WEEKLY, lines, SubscriberState.PENDING, None, place.clock.ms, messages
        )
        assert counted == ImportCount(added=new, confirmed=0, suppressed=1, known=4 - new, asked=asked)
    claimed = await store.claim(await leased_issues(store, Lane.OWN), place.clock.ms, 10)
    assert sorted(str(one.recipient) for one in claimed) == [
        "asked@example.net",
        "new@example.net",
        "pending@example.net",
    ]


async def test_an_import_without_consent_makes_nobody_active(place: Place) -> None:
    store = place.open_newsletter()
    with pytest.raises(ValueError, match="only with a consent"):
        await store.import_batch(WEEKLY, [Imported(ANN)], SubscriberState.ACTIVE, None, 1)
    line = Imported(ANN, state=SubscriberState.ACTIVE)
    with pytest.raises(ValueError, match="only with a consent"):
        await store.import_batch(WEEKLY, [line], SubscriberState.PENDING, None, 1)
    with pytest.raises(ValueError, match="at most"):
        await store.import_batch(
            WEEKLY, [Imported(ANN)] * (BATCH_READERS_MAX + 1), SubscriberState.PENDING, None, 1
        )


async def test_a_bounce_counts_once_and_for_a_reader_who_is_there(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    [id] = await publisher.readers("ann@example.net")
    issue = await publisher.sent()
    bounce = Bounce(id, issue.id, QueueId(70), BounceKind.DEAD, "5.1.1", "no such user", 3)
    assert await store.record_bounce(bounce)
    assert not await store.record_bounce(bounce)
    assert await store.bounces_of(id, 10) == [bounce]
    assert await store.bounced(issue.id) == dict.fromkeys(BounceKind, 0) | {BounceKind.DEAD: 1}
    assert (await store.events_of(id))[-1].detail == "dead 5.1.1"
    assert await store.suspend(id, 4, "dead")
    assert await store.confirm(id, publisher.consent())


async def test_readers_are_paged_counted_and_forgotten_when_they_never_confirm(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    readers = await publisher.readers(*(f"u{n}@example.net" for n in range(5)))
    await publisher.sign_up("pending@example.net")
    await store.remove(readers[0], 1, "asked by letter")
    page = await store.readers(WEEKLY, (), None, 3)
    assert [reader.id for reader in page] == readers[:3]
    assert [reader.id for reader in await store.readers(WEEKLY, (), page[-1].id, 10)][:2] == readers[3:]
    active = await store.readers(WEEKLY, (SubscriberState.ACTIVE,), None, 10)
    assert [reader.id for reader in active] == readers[1:]
    counts = await store.reader_counts(WEEKLY)
    assert counts == {
        SubscriberState.PENDING: 1,
        SubscriberState.ACTIVE: 4,
        SubscriberState.LEFT: 1,
        SubscriberState.SUSPENDED: 0,
        SubscriberState.COMPLAINED: 0,
    }
    assert await store.forget_pending(place.clock.ms) == 0
    assert await store.forget_pending(place.clock.ms + 1) == 1
    assert await store.find(WEEKLY, Mailbox.parse("pending@example.net")) is None
    assert await store.suppression(WEEKLY, Mailbox.parse("pending@example.net")) is None
    # The confirmation was still waiting: its address is removed, and it is not sent.
    [asked] = await store.listed(Selection(), None, 10)
    assert "pending" not in asked.recipient
    lease = await leased_issues(store, Lane.OWN)
    assert await store.claim(lease, place.clock.ms, 10) == []
    assert await store.counts() == []


async def test_many_who_do_the_same_at_once_are_each_answered(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    answers = await asyncio.gather(*(publisher.sign_up("ann@example.net") for _ in range(10)))
    assert sorted(answers) == [SignedUp.CONFIRM] + [SignedUp.REPEATED] * 9
    ids = await publisher.readers("bob@example.net")
    assert sum(await asyncio.gather(*(store.leave(ids[0], 1, "one-click") for _ in range(5)))) == 1


def test_nobody_becomes_a_reader_without_a_word_and_a_complaint_is_undone_by_the_owner_alone() -> None:
    into_active = {edge.source for edge in SUBSCRIBER_EDGES if edge.target is SubscriberState.ACTIVE}
    assert into_active == {
        None, SubscriberState.PENDING, SubscriberState.SUSPENDED, SubscriberState.COMPLAINED,
    }  # fmt: skip
    out_of_complained = [edge for edge in SUBSCRIBER_EDGES if edge.source is SubscriberState.COMPLAINED]
    assert [(edge.target, edge.by) for edge in out_of_complained] == [
        (SubscriberState.ACTIVE, SubscriberActor.OWNER)
    ]


async def test_who_had_left_has_left_again_when_nobody_confirms(place: Place) -> None:
    """Otherwise a stranger who types the address into the form could let a list bring them back."""
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    [ann] = await publisher.readers("ann@example.net")
    await store.leave(ann, place.clock.ms, "one-click")
    assert await publisher.sign_up("ann@example.net") is SignedUp.CONFIRM
    assert await store.forget_pending(place.clock.ms + 1) == 1
    assert await store.forget_pending(place.clock.ms + 1) == 0
    found = await store.find(WEEKLY, ANN)
    assert found is not None
    assert (found.id, found.state) == (ann, SubscriberState.LEFT)
    assert [event.what for event in await store.events_of(ann)][-2:] == ["signed-up", "left"]
    line = [Imported(ANN)]
    counted = await store.import_batch(WEEKLY, line, SubscriberState.ACTIVE, FROM_A_LIST, place.clock.ms)
    assert counted == ImportCount(added=0, confirmed=0, suppressed=0, known=1)
    assert (await store.reader_counts(WEEKLY))[SubscriberState.ACTIVE] == 0
