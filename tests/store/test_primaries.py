"""Primaries: one row each, with the time since when it accepts connections, and its offer."""

from msgspec import structs

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.delivery import KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.mail.offered import Offered
from secondpost.store.ports import Learned
from secondpost.store.primary_ports import Primary
from tests.store.letters import Letters, leased, settled
from tests.store.place import Place

NET, ORG = Domain("example.net"), Domain("example.org")
SITE = "mx1.example"
WITH, WITHOUT = Offered(1_000_000, True), Offered(None, False)


async def test_all_domains_of_a_site_see_what_it_offers(place: Place) -> None:
    here, there = place.open("deliver"), place.open("receive")
    for domain in (NET, ORG):
        await here.hint_site(Lane.RELAY, domain, SITE)
    await here.hint_site(Lane.OWN, Domain("elsewhere.example"), SITE)
    assert await there.primaries() == {}
    await here.saw_primary(SITE, WITH, 1000)
    await here.saw_primary(SITE, WITHOUT, 2000)
    primary = Primary(SITE, 1000, 2000, WITHOUT)
    assert await there.primaries() == {NET: primary, ORG: primary}
    assert dict(await there.relay_sites()) == {NET: SITE, ORG: SITE}


async def test_it_is_up_since_it_was_last_down(place: Place) -> None:
    store = place.open()
    await store.hint_site(Lane.RELAY, NET, SITE)
    await store.saw_primary(SITE, WITH, 1000)
    await store.site_down(SITE, "connect", "refused", 5000, 35_000)
    assert (await store.primaries())[NET].looked_ms == 1000
    await store.saw_primary(SITE, WITH, 9000)
    await store.site_up(SITE, 9001)
    await store.site_up(SITE, 9500)  # it was not down
    assert (await store.primaries())[NET] == Primary(SITE, 9001, 9000, WITH)


async def test_one_that_nothing_leads_to_any_more_is_forgotten(place: Place) -> None:
    store = place.open()
    for domain, site in ((NET, "gone.example"), (ORG, "down.example")):
        await store.hint_site(Lane.RELAY, domain, site)
        await store.saw_primary(site, WITH, 1000)
    await store.site_down("down.example", "connect", "refused", 2000, 3000)
    await store.forget_primaries(1000)
    assert set(await store.primaries()) == {NET, ORG}
    await store.forget_primaries(1001)
    assert set(await store.primaries()) == {ORG}


async def test_what_is_kept_for_a_cause_is_told_by_domain(place: Place) -> None:
    store = place.open()
    await Letters(place, store).send("one@example.net", "two@example.net", "three@example.org")
    lease = await leased(store)
    for claimed, cause in zip(
        await store.claim(lease, place.clock.ms, 10), ("smtputf8", "message", "smtputf8"), strict=True
    ):
        kept = settled(claimed, State.KEPT, place.clock.ms, cause=cause)
        await store.settle(lease, [structs.replace(kept, kept_for=KeptFor.REFUSED)])
    assert await store.kept_for("smtputf8") == {NET: 1, ORG: 1}
    assert await store.kept_for("message") == {NET: 1}


async def test_recipients_that_exist_are_counted_by_domain(place: Place) -> None:
    store = place.open()
    for name, known in (("ada@example.net", True), ("bob@example.net", True), ("eve@example.net", False)):
        await store.learn(Mailbox.parse(name), Learned(known, 5, "probe"))
    await store.learn(Mailbox.parse("ada@sub.example.net"), Learned(True, 5, "probe"))
    assert await store.recipients_learned(NET) == 2
    assert await store.recipients_learned(ORG) == 0
