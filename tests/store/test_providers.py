"""Pauses of providers, and counts of mail to them by day."""

from secondpost.mail.address import Domain
from secondpost.mail.delivery import State
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.envelope import Lane
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.ports import Lease, Settlement
from secondpost.store.provider_ports import PauseCause, ProviderDay, ProviderPause
from tests.store.place import Place
from tests.store.readers import Publisher, outcome

GMAIL = "gmail-smtp-in.l.google.com"
OTHER = "mx.example.net"


async def at_google(place: Place, store: NewsletterStore, readers: int = 3) -> Lease:
    """Mail of an issue that waits for a site of Google."""
    publisher = Publisher(place, store)
    await publisher.readers(*(f"u{n}@example.net" for n in range(readers)))
    await publisher.sent()
    await store.hint_site(Lane.ISSUES, Domain("example.net"), GMAIL)
    lease = await store.lease(Lane.ISSUES, GMAIL)
    assert lease is not None
    return lease


async def test_a_provider_may_be_paused_for_several_causes(place: Place) -> None:
    store = place.open_newsletter()
    breaker = ProviderPause("google", PauseCause.BREAKER, 5, "550 5.7.1 no", 9)
    owner = ProviderPause("google", PauseCause.OWNER, 6, "wait")
    assert await store.pause_provider(breaker)
    assert await store.pause_provider(owner)
    # Again: it began when it began, and says why as of now.
    assert not await store.pause_provider(ProviderPause("google", PauseCause.OWNER, 8, "wait longer"))
    again = ProviderPause("google", PauseCause.OWNER, 6, "wait longer")
    assert await store.provider_pauses() == [breaker, again]
    assert await store.resume_provider("google", PauseCause.BREAKER)
    assert not await store.resume_provider("google", PauseCause.BREAKER)
    assert await store.provider_pauses() == [again]


async def test_mail_of_an_issue_to_a_paused_provider_waits_and_then_goes(place: Place) -> None:
    store = place.open_newsletter()
    lease = await at_google(place, store)
    now_ms = place.clock.ms
    await store.pause_provider(ProviderPause("google", PauseCause.OWNER, now_ms, "wait"))
    assert await store.claim(lease, now_ms, 10) == []
    await store.resume_provider("google", PauseCause.OWNER)
    assert len(await store.claim(lease, now_ms, 10)) == 3


async def test_a_paused_provider_gets_one_trial_mail_an_hour(place: Place) -> None:
    store = place.open_newsletter()
    lease = await at_google(place, store)
    now_ms = place.clock.ms
    await store.pause_provider(ProviderPause("google", PauseCause.BREAKER, now_ms, "no", now_ms + HOUR_MS))
    assert await store.claim(lease, now_ms, 10) == []
    assert len(await store.claim(lease, now_ms + HOUR_MS, 10)) == 1
    assert await store.claim(lease, now_ms + HOUR_MS, 10) == []
    [pause] = await store.provider_pauses()
    assert pause.trial_ms == now_ms + 2 * HOUR_MS
    assert len(await store.claim(lease, now_ms + 2 * HOUR_MS, 1)) == 1
    assert await store.claim(lease, now_ms + 2 * HOUR_MS, 1) == []
    # For another cause there is no trial.
    await store.pause_provider(ProviderPause("google", PauseCause.BOUNCES, now_ms, "too many"))
    assert await store.claim(lease, now_ms + DAY_MS, 10) == []
    place.clock.ms += 2 * HOUR_MS


async def test_confirmations_are_not_paused(place: Place) -> None:
    """A campaign that is stopped delays no mail of another lane."""
    store = place.open_newsletter()
    await Publisher(place, store).sign_up("new@example.net")
    await store.hint_site(Lane.OWN, Domain("example.net"), GMAIL)
    await store.pause_provider(ProviderPause("google", PauseCause.OWNER, 1, "wait"))
    lease = await store.lease(Lane.OWN, GMAIL)
    assert lease is not None
    assert len(await store.claim(lease, place.clock.ms, 10)) == 1


async def test_waiting_for_a_paused_provider_expires_nothing(place: Place) -> None:
    store = place.open_newsletter()
    lease = await at_google(place, store)
    first = place.clock.ms
    claimed = await store.claim(lease, first, 10)
    await store.settle(lease, [outcome(one, State.WAITING, first, due_ms=first + 1) for one in claimed])
    await store.begin_days_anew({"outlook"})
    await store.begin_days_anew({"google"})
    late = first + 30 * DAY_MS
    expire = (Lane.ISSUES, Domain("example.net"), late - 3 * DAY_MS, late, State.EXPIRED)
    assert await store.expire(*expire) == 0
    # From the next attempt on the days count again.
    [one, *_] = await store.claim(lease, late, 1)
    assert one.attempts == 1
    await store.settle(lease, [outcome(one, State.WAITING, first + DAY_MS, due_ms=late)])
    assert await store.expire(*expire) == 1
    place.clock.ms = late


async def test_attempts_are_counted_by_provider_and_day(place: Place) -> None:
    store = place.open_newsletter()
    lease = await at_google(place, store)
    first, second, third = await store.claim(lease, place.clock.ms, 10)
    day = place.clock.ms // DAY_MS
    now_ms = place.clock.ms

    async def settled(*settlements: Settlement) -> None:
        assert await store.settle(lease, settlements) == len(settlements)

    await settled(Settlement(first.id, State.DELIVERED, now_ms, provider="google"))
    await settled(
        Settlement(second.id, State.FAILED, now_ms, cause="recipient", provider="google"),
        Settlement(
            third.id, State.WAITING, now_ms, now_ms, cause="message", provider="google", sender_fault=True
        ),
    )
    counted = ProviderDay("google", day, delivered=1, deferred=1, failed=1, sender_fault=1)
    assert await store.provider_days(day) == [counted]
    assert await store.provider_days(day + 1) == []
    # An outcome that came too late is counted no more than it is written.
    late = Settlement(first.id, State.DELIVERED, now_ms, provider="google")
    assert await store.settle(lease, [late]) == 0
    assert await store.provider_days(day) == [counted]
    assert await store.forget_provider_days(day) == 0
    assert await store.forget_provider_days(day + 1) == 1


async def test_the_audience_is_counted_by_provider(place: Place) -> None:
    """A domain that was never routed counts by its name, if that tells its provider."""
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.readers("a@example.net", "b@example.net", "c@gmail.com", "d@gmx.de", "e@example.org")
    await store.hint_site(Lane.ISSUES, Domain("example.net"), GMAIL)
    await store.hint_site(Lane.ISSUES, Domain("gmx.de"), OTHER)
    assert await store.readers_by_provider(publisher.newsletter) == {"google": 3, "others": 2}
    assert await store.readers_by_provider("monthly") == {}


async def test_complaints_are_counted_by_provider_since_a_time(place: Place) -> None:
    """A reader who complained counts once, whatever newsletter; one who left does not."""
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    here, routed, old, gone = await publisher.readers(
        "a@gmail.com", "b@example.net", "c@gmx.de", "d@gmail.com"
    )
    await store.hint_site(Lane.ISSUES, Domain("example.net"), GMAIL)
    now_ms = place.clock.ms
    await store.complain(old, now_ms - 2, "report")
    await store.complain(here, now_ms, "report")
    await store.complain(routed, now_ms, "report")
    await store.leave(gone, now_ms, "link")
    assert await store.complaints_by_provider(now_ms) == {"google": 2}
    assert await store.complaints_by_provider(0) == {"google": 2, "gmx": 1}
