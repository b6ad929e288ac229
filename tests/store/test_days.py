"""Daily counts of deliveries: they follow from the states, by any transition."""

from msgspec import structs

from secondpost.mail.address import Domain
from secondpost.mail.daily import DailyCount, day_of
from secondpost.mail.delivery import KeptFor, State
from secondpost.mail.duration import DAY_MS
from secondpost.mail.envelope import Lane
from secondpost.store.owner_ports import Selection
from secondpost.store.primary_ports import RefusedCount
from tests.store.letters import Letters, leased, settled
from tests.store.place import Place, Store

NET, ORG = Domain("example.net"), Domain("example.org")
SITE = "mx1.example"


async def counts(store: Store, place: Place, domain: Domain = NET) -> dict[DailyCount, int]:
    days = await store.day_counts(day_of(place.clock.ms), 7)
    assert all(count.today <= count.all_days for count in days)
    return {count.what: count.today for count in days if count.domain == domain}


async def test_what_is_passed_on_and_what_is_kept_is_counted_by_domain(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    await letters.send("one@example.net", "two@example.net", "three@example.org")
    lease = await leased(store)
    one, two, three = await store.claim(lease, place.clock.ms, 10)
    await store.settle(lease, [settled(one, State.DELIVERED, place.clock.ms)])
    await store.settle(lease, [settled(two, State.WAITING, place.clock.ms, cause="recipient")])
    await store.settle(lease, [settled(three, State.DELIVERED, place.clock.ms)])
    await store.accept(letters.arrival("four@example.net"), KeptFor.QUARANTINE)
    assert await counts(store, place) == {DailyCount.PASSED_ON: 1, DailyCount.KEPT: 1}
    assert await counts(store, place, ORG) == {DailyCount.PASSED_ON: 1}


async def test_what_comes_while_the_primary_is_down_is_held(place: Place) -> None:
    store = place.open()
    await store.hint_site(Lane.RELAY, NET, SITE)
    letters = Letters(place, store)
    await letters.send("before@example.net")
    await store.site_down(SITE, "connect", "refused", place.clock.ms, place.clock.ms)
    await letters.send("during@example.net", "too@example.net", "elsewhere@example.org")
    await store.site_up(SITE, place.clock.ms)
    await letters.send("after@example.net")
    assert await counts(store, place) == {DailyCount.HELD: 2}
    assert await counts(store, place, ORG) == {}


async def test_what_finds_it_down_and_what_is_handed_back_for_that_is_held_once(place: Place) -> None:
    store = place.open()
    await store.hint_site(Lane.RELAY, NET, SITE)
    letters = Letters(place, store)
    for name in ("first", "second", "third"):
        await letters.send(f"{name}@example.net")
    lease = await leased(store, SITE)
    first, second, third = await store.claim(lease, place.clock.ms, 10)
    await store.settle(lease, [settled(third, State.WAITING, place.clock.ms, attempted=False)])
    await store.site_down(SITE, "connect", "refused", place.clock.ms, place.clock.ms)
    await store.settle(lease, [settled(first, State.WAITING, place.clock.ms, cause="connect")])
    await store.settle(lease, [settled(second, State.WAITING, place.clock.ms, attempted=False)])
    assert await counts(store, place) == {DailyCount.HELD: 2}
    await store.site_up(SITE, place.clock.ms)
    again = await store.claim(lease, place.clock.ms, 10)
    await store.site_down(SITE, "connect", "refused", place.clock.ms, place.clock.ms)
    tried = next(one for one in again if one.id == first.id)
    await store.settle(lease, [settled(tried, State.WAITING, place.clock.ms, cause="connect")])
    assert await counts(store, place) == {DailyCount.HELD: 2}


async def test_what_is_given_back_untried_because_its_site_went_down_is_held_on_the_day_it_came(
    place: Place,
) -> None:
    store = place.open()
    await store.hint_site(Lane.RELAY, NET, SITE)
    await Letters(place, store).send("one@example.net")
    lease = await leased(store, SITE)
    [claimed] = await store.claim(lease, place.clock.ms, 10)
    place.clock.ms += DAY_MS
    await store.site_down(SITE, "connect", "refused", place.clock.ms, place.clock.ms)
    await store.give_back(lease)
    [waiting] = await store.listed(Selection(), None, 10)
    assert (waiting.state, waiting.attempts) == (State.WAITING, 0)
    yesterday = await store.day_counts(day_of(claimed.arrived_ms), 1)
    assert [(count.what, count.today) for count in yesterday] == [(DailyCount.HELD, 1)]
    assert await counts(store, place) == {DailyCount.HELD: 0}
    await store.site_up(SITE, place.clock.ms)
    again = await leased(store, SITE)
    assert await store.claim(again, place.clock.ms, 10) == [claimed]


async def test_refusals_add_up_and_need_no_mail_of_before(place: Place) -> None:
    store = place.open()
    today = day_of(place.clock.ms)
    for many in (3, 4):
        await store.count_refused(
            [
                RefusedCount(today, NET, DailyCount.REFUSED, many),
                RefusedCount(today, ORG, DailyCount.REFUSED_FOR_NOW, 1),
            ]
        )
    assert await counts(store, place) == {DailyCount.REFUSED: 7}
    assert await counts(store, place, ORG) == {DailyCount.REFUSED_FOR_NOW: 2}
    assert await store.waiting_domains() == []


async def test_a_week_is_seven_days_and_what_is_older_is_forgotten(place: Place) -> None:
    store = place.open()
    today = day_of(place.clock.ms)
    for ago in range(20):
        await store.count_refused([RefusedCount(today - ago, NET, DailyCount.REFUSED, 1)])
    (count,) = await store.day_counts(today, 7)
    assert (count.today, count.all_days) == (1, 7)
    await store.forget_days(today - 2)
    (count,) = await store.day_counts(today, 7)
    assert count.all_days == 3


async def test_what_expires_is_counted_and_stays_so_when_it_is_dropped(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    await letters.send("one@example.net")
    place.clock.ms += 40 * DAY_MS
    await store.expire(Lane.RELAY, NET, place.clock.ms - 31 * DAY_MS, place.clock.ms, State.KEPT)
    assert await counts(store, place) == {DailyCount.KEPT: 1}
    selection = Selection(states=(State.KEPT,))
    await store.move(selection, (State.KEPT,), State.DROPPED, place.clock.ms, "dropped", "")
    assert await counts(store, place) == {DailyCount.KEPT: 1}


async def test_mail_for_addresses_of_which_nothing_is_known_is_counted_with_its_domain(place: Place) -> None:
    store = place.open()
    await store.hint_site(Lane.RELAY, NET, SITE)
    await store.site_down(SITE, "connect", "refused", place.clock.ms, place.clock.ms)
    arrival = Letters(place, store).arrival("guess@example.net", "person@example.net")
    guess, _ = arrival.envelope.recipients
    await store.accept(structs.replace(arrival, unverified=frozenset({guess})))
    assert await counts(store, place) == {DailyCount.HELD: 2}
