"""Addresses in UTF-8 are returned as written, and found by every spelling."""

from secondpost.mail.envelope import Arrival, Envelope, Lane, Utf8
from secondpost.protocols.smtp.international import written_mailbox
from secondpost.store.owner_ports import Selection
from tests.store.letters import HELLO, PEER, Letters, leased
from tests.store.place import Place, Store


async def sent(place: Place, store: Store, sender: str, recipient: str, utf8: Utf8) -> Arrival:
    plain = Letters(place, store).arrival("somebody@example.net")
    envelope = Envelope(written_mailbox(sender), (written_mailbox(recipient),), utf8=utf8)
    arrival = Arrival(plain.queue_id, Lane.RELAY, envelope, PEER, plain.arrived_ms, HELLO)
    await store.accept(arrival)
    return arrival


async def test_they_are_claimed_as_they_were_written(place: Place) -> None:
    store = place.open()
    await sent(place, store, "иван@пример.example", "José@bücher.example", Utf8.NEEDED)
    (claimed,) = await store.claim(await leased(store), place.clock.ms, 10)
    assert claimed.sender.written == "иван@пример.example"
    assert claimed.recipient.written == "José@bücher.example"
    assert claimed.recipient.domain.name == "xn--bcher-kva.example"
    assert claimed.utf8 is Utf8.NEEDED


async def test_what_was_said_of_smtputf8_comes_back(place: Place) -> None:
    store = place.open()
    for utf8 in Utf8:
        await sent(place, store, "a@example.org", f"b{utf8}@example.net", utf8)
    claimed = await store.claim(await leased(store), place.clock.ms, 10)
    assert [one.utf8 for one in claimed] == list(Utf8)


async def test_every_spelling_of_an_address_finds_it(place: Place) -> None:
    store = place.open()
    await sent(place, store, "Иван@пример.example", "jose\u0301@example.net", Utf8.NEEDED)
    for address in (
        "иван@пример.example",
        "ИВАН@Пример.Example",
        "иван@xn--e1afmkfd.example",
        "Jos\u00e9@example.net",
    ):
        assert len(await store.listed(Selection(address=address), None, 10)) == 1, address
    for address in ("jose@example.net", "anna@xn--e1afmkfd.example", "иван"):
        assert await store.listed(Selection(address=address), None, 10) == [], address


async def test_an_a_label_finds_what_was_written_in_u_labels(place: Place) -> None:
    store = place.open()
    await sent(place, store, "a@example.org", "anna@bücher.example", Utf8.SAID)
    assert len(await store.listed(Selection(address="Anna@XN--bcher-kva.example"), None, 10)) == 1
