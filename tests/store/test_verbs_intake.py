"""The verbs of intake, by the queries that they run."""

from secondpost.mail.address import Domain, Mailbox
from secondpost.store.ports import Learned, ProvenPrefix
from secondpost.store.verbs.intake import IntakeVerbs
from secondpost.store.verbs.steps import Query
from tests.store.recording import RecordingEngine, names, over

ANNA = Mailbox.parse("Anna@Example.org")


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
    assert store.stored_octets(domain) == 7
    assert store.unverified_octets(domain) == 0
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
    assert store.proven_prefixes(5, 10) == [
        ProvenPrefix("198.51.100.0/24", 8),
        ProvenPrefix("192.0.2.0/24", 9),
    ]
    assert names(engine.finished()) == ["intake.prove_prefix", "intake.proven_prefixes"]
