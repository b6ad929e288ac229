"""Who gets an issue: each active reader once, whatever lists and forms say of them."""

from secondpost.mail.address import Mailbox
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, SubscriberState
from secondpost.store.subscriber_ports import Imported, SignedUp
from tests.store.place import Place, there
from tests.store.readers import WEEKLY, Publisher, leased_issues

AGREED = Consent("readers.csv", "import", "asked on paper in 2019", 5)


async def test_one_person_in_several_lists_is_one_reader_and_gets_one_mail(place: Place) -> None:
    """Catalogue row 33. The spelling of an address is no other address, a tag in it is."""
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    for list_ in (
        ("Ann@example.net", "ann@EXAMPLE.net", "ANN@Example.Net"),
        ("bob@xn--bcher-kva.example", "ann@example.net"),
        ("BOB@xn--bcher-kva.example", "bob@XN--BCHER-KVA.example", "ann+news@example.net"),
    ):
        lines = [Imported(Mailbox.parse(address)) for address in list_]
        await store.import_batch(WEEKLY, lines, SubscriberState.ACTIVE, AGREED, place.clock.ms)
    await publisher.readers("ann@example.NET")
    issue = await publisher.sent()
    assert await publisher.sign_up("aNN@example.net") is SignedUp.ALREADY
    claimed = await store.claim(await leased_issues(store), place.clock.ms, 10)
    assert sorted(str(one.recipient) for one in claimed) == [
        "Ann@example.net",
        "ann+news@example.net",
        "bob@xn--bcher-kva.example",
    ]
    assert issue.planned == len({one.subscriber for one in claimed}) == 3


async def test_who_has_not_confirmed_gets_no_issue(place: Place) -> None:
    """Catalogue row 52, the first half. Neither does anyone who left, complained or is suppressed."""
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.sign_up("form@example.net")
    listed = [Imported(Mailbox.parse("list@example.net"))]
    await store.import_batch(WEEKLY, listed, SubscriberState.PENDING, None, place.clock.ms)
    left, complained, erased, _ = await publisher.readers(
        "left@example.net", "complained@example.net", "erased@example.net", "ann@example.net"
    )
    assert await store.leave(left, place.clock.ms, "one-click")
    assert await store.complain(complained, place.clock.ms, "arf", QueueId(70))
    assert await store.erase(erased, place.clock.ms)
    for address in ("left@example.net", "complained@example.net", "erased@example.net"):
        await publisher.sign_up(address)
    issue = await publisher.sent()
    claimed = await store.claim(await leased_issues(store), place.clock.ms, 10)
    assert [str(one.recipient) for one in claimed] == ["ann@example.net"]
    assert issue.planned == 1


async def test_no_form_and_no_list_undoes_that_somebody_confirmed(place: Place) -> None:
    """Catalogue row 52, the second half: nothing is asked again, and the reader stays one."""
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    await publisher.sign_up("ann@example.net")
    ann = there(await store.find(WEEKLY, Mailbox.parse("ann@example.net")))
    lease = await leased_issues(store, Lane.OWN)
    assert len(await store.claim(lease, place.clock.ms, 10)) == 1
    assert await store.confirm(ann.id, publisher.consent())
    assert (await publisher.sent()).planned == 1
    for prefix in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"):
        assert await publisher.sign_up("ANN@example.net", prefix) is SignedUp.ALREADY
    again = [Imported(Mailbox.parse("Ann@example.net"))]
    for state, consent in ((SubscriberState.PENDING, None), (SubscriberState.ACTIVE, AGREED)):
        counted = await store.import_batch(WEEKLY, again, state, consent, place.clock.ms)
        assert (counted.known, counted.asked) == (1, 0)
    assert there(await store.subscriber(ann.id)).state is SubscriberState.ACTIVE
    assert await store.claim(lease, place.clock.ms, 10) == []
    assert len(await store.claim(await leased_issues(store), place.clock.ms, 10)) == 1
