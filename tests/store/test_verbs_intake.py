"""The verbs of intake: which queries they run."""

from secondpost.mail.address import NULL_PATH, Domain, Mailbox
from secondpost.mail.content import InTable
from secondpost.mail.delivery import KeptFor
from secondpost.mail.envelope import Arrival, Envelope, Lane, Peer
from secondpost.mail.queue_id import QueueId
from secondpost.store.ports import Learned, ProvenPrefix
from secondpost.store.verbs.intake import ACCEPT, IntakeVerbs
from secondpost.store.verbs.steps import Query
from tests.store.recording import RecordingEngine, names, over

BOB = Mailbox.parse("b@example.org")
ANNA = Mailbox.parse("Anna@Example.org")


def arrival(id: int) -> Arrival:
    envelope = Envelope(NULL_PATH, (ANNA, BOB))
    peer = Peer("192.0.2.1", "mail.example", "SMTP", "")
    return Arrival(QueueId(id), Lane.RELAY, envelope, peer, 9, InTable(b"hello"), prefix=b"top\n")


async def test_accepted_messages_of_a_group_are_one_query_for_each_table() -> None:
    adds = [("intake.add_domains", 1), ("intake.add_messages", 1), ("intake.add_contents", 1)]
    engine = RecordingEngine([*adds, ("intake.add_deliveries", 2), *adds, ("intake.add_deliveries", 4)])
    await over(engine, IntakeVerbs).accept(arrival(3))
    engine.write_all(ACCEPT, [(arrival(5), None), (arrival(4), KeptFor.QUARANTINE)])
    alone, together = engine.finished()[:4], engine.finished()[4:]
    assert alone[0] == Query("intake.add_domains", (), [("relay", "example.org")])
    assert alone[2] == Query("intake.add_contents", (), [(3, b"top\n", b"hello")])
    assert alone[3].chosen == [
        (3, 1, "relay", "example.org", "Anna@example.org", "waiting", None, 9, 9),
        (3, 2, "relay", "example.org", "b@example.org", "waiting", None, 0, 9),
    ]
    assert [row[0] for row in together[1].chosen or ()] == [4, 5]
    states = [row[5] for row in together[3].chosen or ()]
    assert states == ["kept", "kept", "waiting", "waiting"]


async def test_what_is_learned_of_a_recipient_is_one_row() -> None:
    engine = RecordingEngine([("intake.learn", 1), ("intake.learned", [(1, 5, "asked")])])
    store = over(engine, IntakeVerbs)
    await store.learn(ANNA, Learned(True, 5, "asked"))
    assert await store.learned(ANNA) == Learned(True, 5, "asked")
    assert engine.finished() == [
        Query("intake.learn", (ANNA.key, 1, 5, "asked")),
        Query("intake.learned", (ANNA.key,)),
    ]


async def test_nothing_learned_is_none() -> None:
    store = over(RecordingEngine([("intake.learned", [])]), IntakeVerbs)
    assert await store.learned(ANNA) is None


async def test_octets_of_a_domain_are_sums_of_the_store() -> None:
    engine = RecordingEngine([("intake.stored_octets", [(7,)]), ("intake.unverified_octets", [(0,)])])
    store = over(engine, IntakeVerbs)
    domain = Domain("example.org")
    assert await store.stored_octets(domain) == 7
    assert await store.unverified_octets(domain) == 0
    assert engine.finished()[0] == Query("intake.stored_octets", ("example.org",))


async def test_proven_prefixes_come_in_order_of_time() -> None:
    engine = RecordingEngine(
        [
            ("intake.prove_prefix", 1),
            ("intake.proven_prefixes", [("192.0.2.0/24", 9), ("198.51.100.0/24", 8)]),
        ]
    )
    store = over(engine, IntakeVerbs)
    await store.prove_prefix(ProvenPrefix("192.0.2.0/24", 9))
    assert await store.proven_prefixes(5, 10) == [
        ProvenPrefix("198.51.100.0/24", 8),
        ProvenPrefix("192.0.2.0/24", 9),
    ]
    assert names(engine.finished()) == ["intake.prove_prefix", "intake.proven_prefixes"]
