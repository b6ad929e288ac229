"""Sites and domains: down, paused, hinted, or past their time."""

import pytest
from msgspec import structs

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.delivery import KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.store.owner_ports import Selection, SiteDown
from secondpost.store.ports import CatchAll, SiteDue
from tests.store.letters import UNSORTED, Letters, leased, recipients, settled
from tests.store.place import Place, there

RELAY = Lane.RELAY
NET = Domain("example.net")
SITE = "mx.example.net:25"


async def test_unverified_mail_has_no_turn_while_relayed_mail_of_its_site_has_one(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    known, strange = Mailbox.parse("one@example.net"), Mailbox.parse("two@example.net")
    arrival = letters.arrival(str(known), str(strange))
    await store.accept(structs.replace(arrival, unverified=frozenset({strange})))
    lanes = (Lane.RELAY, Lane.UNVERIFIED)
    now_ms = place.clock.ms
    assert [due.lane for due in await store.sites_due(lanes, now_ms, 10)] == [Lane.RELAY]
    assert await store.stored_octets(known.domain) == 2 * arrival.content.size
    assert await store.unverified_octets(known.domain) == arrival.content.size
    lease = await store.lease(Lane.RELAY, UNSORTED)
    assert lease is not None
    [claimed] = await store.claim(lease, now_ms, 10)
    assert (claimed.recipient, claimed.lane) == (known, Lane.RELAY)
    assert [due.lane for due in await store.sites_due(lanes, now_ms, 10)] == [Lane.UNVERIFIED]
    behind = await store.lease(Lane.UNVERIFIED, UNSORTED)
    assert behind is not None
    [claimed] = await store.claim(behind, now_ms, 10)
    assert (claimed.recipient, claimed.lane, claimed.origin) == (strange, Lane.UNVERIFIED, Lane.RELAY)


async def test_what_is_known_of_a_primary_that_takes_every_address_is_replaced(place: Place) -> None:
    store = place.open()
    domain = Domain("example.net")
    assert await store.catch_all(domain) is None
    for found in (CatchAll(True, 5), CatchAll(False, 9)):
        await store.learn_catch_all(domain, found)
        assert await place.open_desk().catch_all(domain) == found


async def test_a_hint_leads_a_domains_mail_to_its_site(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    await letters.send("one@example.net")
    last = await letters.send("two@example.org")
    await store.hint_site(RELAY, NET, SITE)
    assert {due.site for due in await store.sites_due([RELAY], place.clock.ms, 10)} == {SITE, UNSORTED}
    assert (await store.sites_due([RELAY], place.clock.ms, 1))[0].site == SITE
    assert recipients(await store.claim(await leased(store, SITE), place.clock.ms, 10)) == ["one@example.net"]
    assert recipients(await store.claim(await leased(store), place.clock.ms, 10)) == ["two@example.org"]
    assert await store.domains_of(SITE, 10) == []
    await store.hint_site(Lane.OWN, Domain("new.example"), SITE)
    await letters.send("three@new.example", lane=Lane.OWN)
    assert await store.sites_due([Lane.OWN], place.clock.ms, 10) == [SiteDue(Lane.OWN, SITE, place.clock.ms)]
    assert last.arrived_ms < place.clock.ms


async def test_a_domain_in_two_lanes_may_have_two_sites(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    await letters.send("one@example.net")
    await letters.send("two@example.net", lane=Lane.OWN)
    await store.hint_site(Lane.OWN, NET, "smart.example:587")
    assert await store.domains_of(UNSORTED, 10) == [(RELAY, NET)]
    assert await store.domains_of("smart.example:587", 10) == [(Lane.OWN, NET)]
    assert set(await store.waiting_domains()) == {(RELAY, NET), (Lane.OWN, NET)}


async def test_nothing_is_claimed_from_a_site_that_is_down(place: Place) -> None:
    store = place.open()
    await Letters(place, store).send("one@example.net")
    await store.hint_site(RELAY, NET, SITE)
    lease = await leased(store, SITE)
    assert await store.site_down(SITE, "connect", "timed out", 1000, 2000)
    assert not await store.site_down(SITE, "greeting", "554", 1500, 3000)
    assert await store.sites_down() == [SiteDown(SITE, 1000, "greeting", "554", 3000, 1500)]
    assert await store.claim(lease, place.clock.ms, 10) == []
    await store.give_back(lease)
    assert await store.sites_due([RELAY], place.clock.ms, 10) == []
    assert await store.next_due_ms([RELAY]) is None
    assert (await store.listed(Selection(), None, 1))[0].site_down
    assert await store.domains_of(SITE, 10) == [(RELAY, NET)]
    assert await store.site_up(SITE, place.clock.ms)
    assert not await store.site_up(SITE, place.clock.ms)
    assert await store.sites_down() == []
    assert [due.site for due in await store.sites_due([RELAY], place.clock.ms, 10)] == [SITE]


async def test_mail_for_a_site_that_is_down_already_is_not_due(place: Place) -> None:
    store = place.open()
    await store.site_down(SITE, "connect", "", 1, 2)
    await store.hint_site(RELAY, NET, SITE)
    await Letters(place, store).send("one@example.net")
    assert await store.next_due_ms([RELAY]) is None
    await store.site_up(SITE, place.clock.ms)
    assert await store.next_due_ms([RELAY]) == place.clock.ms


async def test_when_a_site_is_up_what_waited_for_it_goes_first_and_own_clocks_run_on(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    for n in range(6):
        await letters.send(f"u{n}@example.net")
    await store.hint_site(RELAY, NET, SITE)
    lease = await leased(store, SITE)
    first, second, third = await store.claim(lease, place.clock.ms, 3)
    now = place.clock.ms
    later = now + 3_600_000
    await store.settle(
        lease,
        [
            settled(first, State.WAITING, now, due_ms=now, cause="connect"),
            settled(second, State.WAITING, now, due_ms=later, cause="recipient"),
            settled(third, State.WAITING, now, due_ms=later, cause="lost"),
        ],
    )
    await store.site_down(SITE, "connect", "", now, now)
    place.clock.ms += 60_000
    await store.site_up(SITE, place.clock.ms)
    claimed = await store.claim(lease, place.clock.ms, 10)
    # Mail on the connection that broke goes last: it may have caused the break.
    assert recipients(claimed) == [f"u{n}@example.net" for n in (0, 3, 4, 5, 2)]
    assert await store.next_due_ms([RELAY]) == later


async def test_many_that_waited_for_a_site_are_due_when_it_is_up(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    await letters.send(*(f"u{n}@example.net" for n in range(450)))
    lease = await leased(store)
    claimed = await store.claim(lease, place.clock.ms, 500)
    later = place.clock.ms + 3_600_000
    await store.settle(
        lease, [settled(one, State.WAITING, place.clock.ms, due_ms=later, cause="tls") for one in claimed]
    )
    assert await store.claim(lease, place.clock.ms, 500) == []
    await store.site_up(UNSORTED, place.clock.ms)
    assert len(await store.claim(lease, place.clock.ms, 500)) == 450


async def test_a_paused_domain_waits_and_the_others_of_its_site_do_not(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    await letters.send("one@example.net")
    await letters.send("two@example.org")
    until = place.clock.ms + 600_000
    await store.pause_domain(RELAY, NET, until)
    lease = await leased(store)
    assert recipients(await store.claim(lease, place.clock.ms, 10)) == ["two@example.org"]
    await letters.send("three@example.net")
    assert await store.claim(lease, until - 1, 10) == []
    assert await store.next_due_ms([RELAY]) == until
    assert recipients(await store.claim(lease, until, 10)) == ["one@example.net", "three@example.net"]


async def test_a_pause_can_be_taken_back(place: Place) -> None:
    store = place.open()
    arrival = await Letters(place, store).send("one@example.net")
    await store.pause_domain(RELAY, NET, place.clock.ms + 600_000)
    await store.pause_domain(RELAY, NET, 0)
    assert await store.next_due_ms([RELAY]) == arrival.arrived_ms


async def test_a_pause_made_while_the_clock_was_ahead_is_over_when_it_is_mended(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    await letters.send("one@example.net")
    await letters.send("two@example.org")
    now_ms = place.clock.ms
    await store.pause_domain(RELAY, NET, now_ms + 86_400_000)
    await store.pause_domain(RELAY, Domain("example.org"), now_ms + 900_000)
    assert await store.mend_due(now_ms + 4_000_000, now_ms) == 0
    lease = await leased(store)
    assert recipients(await store.claim(lease, now_ms, 10)) == ["one@example.net"]


@pytest.mark.parametrize("to", [State.KEPT, State.EXPIRED])
async def test_what_waited_too_long_expires_whether_tried_or_not(place: Place, to: State) -> None:
    store = place.open()
    letters = Letters(place, store)
    for n in range(3):
        await letters.send(f"old{n}@example.net")
    lease = await leased(store)
    [tried] = await store.claim(lease, place.clock.ms, 1)
    later = place.clock.ms + 3_600_000
    await store.settle(
        lease, [settled(tried, State.WAITING, place.clock.ms, due_ms=later, cause="recipient")]
    )
    place.clock.ms += 1_000_000
    border = place.clock.ms
    await letters.send("new@example.net")
    await letters.send("other@example.org")
    assert await store.expire(RELAY, NET, border, border, to) == 3
    assert await store.expire(RELAY, NET, border, border, to) == 0
    assert await store.expire(RELAY, Domain("never.example"), border, border, to) == 0
    states = {one.recipient: (one.state, one.kept_for) for one in await store.listed(Selection(), None, 10)}
    ended = (State.KEPT, KeptFor.EXPIRED)  # relayed mail is never expired by time
    assert states == {
        "old0@example.net": ended,
        "old1@example.net": ended,
        "old2@example.net": ended,
        "new@example.net": (State.WAITING, None),
        "other@example.org": (State.WAITING, None),
    }
    assert there(await store.message(tried.id.queue_id)).has_content
    assert await store.next_due_ms([RELAY]) == border + 1


async def test_a_clock_set_back_is_mended(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    await letters.send("near@example.net")
    await letters.send("own.clock@example.net")
    lease = await leased(store)
    rows = await store.claim(lease, place.clock.ms, 10)
    later_ms = place.clock.ms + 1_800_000
    await store.settle(
        lease, [settled(rows[1], State.WAITING, place.clock.ms, due_ms=later_ms, cause="recipient")]
    )
    await store.give_back(lease)
    place.clock.ms += 1_000_000
    await letters.send("far@example.net")
    place.clock.ms -= 1_000_000
    now_ms = place.clock.ms
    lease = await leased(store)
    assert [one.recipient.local for one in await store.claim(lease, now_ms, 10)] == ["near"]
    await store.give_back(lease)
    assert await store.mend_due(now_ms + 4_000_000, now_ms) == 1
    assert await store.mend_due(now_ms + 4_000_000, now_ms) == 0
    lease = await leased(store)
    assert [one.recipient.local for one in await store.claim(lease, now_ms, 10)] == ["near", "far"]
    await store.give_back(lease)
    assert await store.mend_due(now_ms + 1_000_000, now_ms) == 1
    lease = await leased(store)
    assert len(await store.claim(lease, now_ms, 10)) == 3


async def test_own_mail_expires_and_redirected_mail_is_kept(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    await letters.send("own@elsewhere.example", lane=Lane.OWN)
    relayed = await letters.send("anna@example.net")
    chosen = Selection(ids=(relayed.queue_id,))
    await store.redirect(chosen, Mailbox.parse("anna@elsewhere.example"), place.clock.ms, "by the owner")
    place.clock.ms += 1_000_000
    now_ms = place.clock.ms
    assert await store.expire(Lane.OWN, Domain("elsewhere.example"), now_ms, now_ms, State.EXPIRED) == 2
    states = {one.recipient: one.state for one in await store.listed(Selection(), None, 10)}
    assert states == {"own@elsewhere.example": State.EXPIRED, "anna@elsewhere.example": State.KEPT}


async def test_expiry_takes_one_batch_at_a_time_and_leaves_claimed_mail_alone(place: Place) -> None:
    store = place.open()
    await Letters(place, store).send(*(f"u{n}@example.net" for n in range(450)))
    lease = await leased(store)
    await store.claim(lease, place.clock.ms, 10)
    batches = []
    while (many := await store.expire(RELAY, NET, place.clock.ms + 1, place.clock.ms, State.KEPT)) > 0:
        batches.append(many)
    assert sum(batches) == 440
    assert max(batches) < 450
