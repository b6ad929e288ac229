"""Readers who left or were erased come back only by their own sign-up.

The outcome of each sign-up is kept for the owner, without the address.
"""

from pathlib import Path

import apsw
import pytest

from secondpost.mail.address import Mailbox
from secondpost.mail.envelope import Lane
from secondpost.mail.subscriber import SubscriberId, SubscriberState
from secondpost.mail.subscriber_states import Reason
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.sqlite import schema
from secondpost.store.subscriber_ports import Imported, SignedUp
from secondpost.store.verbs.sign_up_outcomes import OUTCOMES_MAX
from secondpost.store.verbs.suppressed import hash_keys
from tests.store.place import Place, SqlitePlace, database_of, engine_of
from tests.store.readers import LIMITS, WEEKLY, Publisher, leased_issues

ANN = Mailbox.parse("ann@example.net")
LATER_MS = 90 * 24 * 3_600_000


async def erased(publisher: Publisher) -> None:
    [id] = await publisher.readers(str(ANN))
    assert await publisher.store.erase(id, publisher.clock.ms)


async def known(store: NewsletterStore, mailbox: Mailbox = ANN) -> tuple[SubscriberId, SubscriberState]:
    found = await store.find(WEEKLY, mailbox)
    assert found is not None
    return found.id, found.state


async def claimed_confirmations(store: NewsletterStore, now_ms: int) -> list[str]:
    lease = await leased_issues(store, Lane.OWN)
    claimed = await store.claim(lease, now_ms, 10)
    await store.give_back(lease)
    return [str(one.recipient) for one in claimed]


async def test_who_was_erased_comes_back_with_a_confirmation_and_by_no_list_before(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await erased(publisher)
    line = [Imported(ANN)]
    for state in (SubscriberState.PENDING, SubscriberState.ACTIVE):
        counted = await store.import_batch(WEEKLY, line, state, publisher.consent(), place.clock.ms)
        assert counted.suppressed == 1
    assert await publisher.sign_up(str(ANN)) is SignedUp.CONFIRM
    id, state = await known(store)
    assert state is SubscriberState.PENDING
    assert await claimed_confirmations(store, place.clock.ms) == [str(ANN)]
    counted = await store.import_batch(
        WEEKLY, line, SubscriberState.ACTIVE, publisher.consent(), place.clock.ms
    )
    assert (counted.confirmed, await known(store)) == (0, (id, SubscriberState.PENDING))
    assert await store.add(WEEKLY, ANN, publisher.consent(), place.clock.ms, None) is None
    suppression = await store.suppression(WEEKLY, ANN)
    assert suppression is not None
    assert (suppression.reason, suppression.yields) == (Reason.ERASED, True)
    assert await store.confirm(id, publisher.consent())
    assert await store.suppression(WEEKLY, ANN) is None
    issue = await publisher.sent()
    assert issue.planned == 1
    lease = await leased_issues(store)
    assert [one.recipient for one in await store.claim(lease, place.clock.ms, 10)] == [ANN]


async def test_who_was_erased_and_does_not_confirm_stays_suppressed(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await erased(publisher)
    assert await publisher.sign_up(str(ANN)) is SignedUp.CONFIRM
    place.clock.ms += LATER_MS
    assert await store.forget_pending(place.clock.ms) == 1
    assert await store.find(WEEKLY, ANN) is None
    assert await store.suppression(WEEKLY, ANN) is not None
    assert await publisher.sign_up(str(ANN)) is SignedUp.CONFIRM
    id, _ = await known(store)
    assert await store.leave(id, place.clock.ms, "page")
    assert await store.suppression(WEEKLY, ANN) is not None


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.ERASED])
@pytest.mark.parametrize("newsletter", ["", WEEKLY])
async def test_what_others_said_is_not_lifted_by_a_sign_up(
    place: Place, reason: Reason, newsletter: str
) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await erased(publisher)
    await publisher.sign_up(str(ANN))
    id, _ = await known(store)
    assert await store.suppress(newsletter, [ANN], reason, 7, "said so") == 1
    assert await claimed_confirmations(store, place.clock.ms) == []
    assert not await store.confirm(id, publisher.consent())
    place.clock.ms += LIMITS.again_after_ms
    assert await publisher.sign_up(str(ANN)) is SignedUp.SUPPRESSED
    assert await store.erase(id, place.clock.ms)
    stays = await store.suppression(WEEKLY, ANN)
    assert stays is not None
    assert (stays.reason, stays.newsletter, stays.yields) == (reason, newsletter, False)


async def test_a_complaint_about_the_confirmation_ends_it_for_good(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await erased(publisher)
    await publisher.sign_up(str(ANN))
    id, _ = await known(store)
    assert await store.complain(id, place.clock.ms, "report")
    place.clock.ms += LIMITS.again_after_ms
    assert await publisher.sign_up(str(ANN)) is SignedUp.SUPPRESSED
    suppression = await store.suppression(WEEKLY, ANN)
    assert suppression is not None
    assert suppression.reason is Reason.COMPLAINED


async def test_whom_a_list_of_an_earlier_version_called_gone_may_come_back(place: SqlitePlace) -> None:
    """That version did not distinguish readers who left from those whose mail bounced."""
    (Path(place.folder) / "newsletter").mkdir()
    db = apsw.Connection(f"{place.folder}/newsletter/newsletter.db")
    db.execute(schema._VERSIONS)
    for migration in schema.migrations(schema.Database.NEWSLETTER):
        if migration.number < 12:
            db.execute(migration.text)
            db.execute("INSERT INTO migration VALUES (?, ?, 1)", (migration.number, migration.name))
    db.close()
    probe = place.open_newsletter()
    hash = (await engine_of(probe).read(hash_keys())).hash_of(ANN)
    await place.close()
    db = apsw.Connection(f"{place.folder}/newsletter/newsletter.db")
    [(text,)] = [(m.text,) for m in schema.migrations(schema.Database.NEWSLETTER) if m.number == 12]
    for reason, told in (("imported", hash), ("owner", b"o" * 16), ("complained", b"c" * 16)):
        db.execute(
            "INSERT INTO suppression (hash, newsletter, reason, at_ms, evidence) VALUES (?, ?, ?, 1, '')",
            (told, WEEKLY, reason),
        )
    update = next(part for part in text.split(";") if "UPDATE suppression" in part)
    db.execute(update)
    assert db.execute("SELECT reason FROM suppression WHERE yields = 1").fetchall() == [("imported",)]
    db.close()
    publisher = Publisher(place, place.open_newsletter())
    assert await publisher.sign_up(str(ANN)) is SignedUp.CONFIRM


# ---- outcomes of sign-ups


async def outcomes(store: NewsletterStore, mailbox: Mailbox = ANN) -> list[tuple[SignedUp, bool]]:
    return [(one.outcome, one.is_confirmed) for one in await store.sign_ups_of(WEEKLY, mailbox, 10)]


async def test_what_came_of_each_sign_up_is_kept_without_the_address(place: Place) -> None:
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    begin_ms = place.clock.ms
    await publisher.sign_up(str(ANN))
    place.clock.ms += 1
    await publisher.sign_up(str(ANN))
    place.clock.ms += 1
    await store.note_sign_up(WEEKLY, ANN, place.clock.ms, "form", SignedUp.TRAPPED)
    id, _ = await known(store)
    assert await store.confirm(id, publisher.consent())
    place.clock.ms += 1
    await publisher.sign_up(str(ANN))
    assert await outcomes(store) == [
        (SignedUp.CONFIRM, True),
        (SignedUp.REPEATED, False),
        (SignedUp.TRAPPED, False),
        (SignedUp.ALREADY, False),
    ]
    counts = await store.sign_up_counts(WEEKLY, begin_ms)
    assert (counts.asked, counts.confirmed) == (4, 1)
    assert {outcome for outcome, many in counts.outcomes.items() if many == 1} == {
        SignedUp.CONFIRM, SignedUp.REPEATED, SignedUp.TRAPPED, SignedUp.ALREADY,
    }  # fmt: skip
    assert (await store.sign_up_counts(WEEKLY, place.clock.ms)).asked == 1
    assert (await store.sign_up_counts("other", 0)).asked == 0
    kept = (await place.rows())["newsletter.db"]["sign_up_outcome"]
    assert "ann" not in str(kept.rows)
    assert await store.erase(id, place.clock.ms)
    assert await outcomes(store) == []


async def test_what_came_of_sign_ups_is_forgotten(place: Place) -> None:
    store = place.open_newsletter()
    for number in range(5):
        await note_refused(place, store, number)
    assert (await store.sign_up_counts(WEEKLY, 0)).asked == 5
    await store.forget_pending(place.clock.ms + 3)
    assert (await store.sign_up_counts(WEEKLY, 0)).asked == 2
    assert await outcomes(store, reader(4)) == [(SignedUp.REFUSED, False)]


async def test_of_so_many_sign_ups_the_newest_are_remembered(place: SqlitePlace) -> None:
    store = place.open_newsletter()
    for number in range(4):
        await note_refused(place, store, number)
    # As if most of those before the last one had been recorded.
    database_of(store).execute("UPDATE sign_up_outcome SET id = ? WHERE id = 4", (OUTCOMES_MAX + 2,))
    await note_refused(place, store, 4)
    assert (await store.sign_up_counts(WEEKLY, 0)).asked == 2
    assert await outcomes(store, reader(2)) == []
    for number in (3, 4):
        assert await outcomes(store, reader(number)) == [(SignedUp.REFUSED, False)]


async def note_refused(place: Place, store: NewsletterStore, number: int) -> None:
    await store.note_sign_up(WEEKLY, reader(number), place.clock.ms + number, "form", SignedUp.REFUSED)


def reader(number: int) -> Mailbox:
    return Mailbox.parse(f"r{number}@example.net")
