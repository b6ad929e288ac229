"""The verbs of attacks: which queries they run."""

from secondpost.mail.attack import NETWORKS_PER_RULE_MAX, AttackCount
from secondpost.store.verbs.attacks import AttacksVerbs
from secondpost.store.verbs.engine import BATCH_ROWS
from secondpost.store.verbs.steps import Query
from tests.store.recording import RecordingEngine, over

ONE = AttackCount(20_000, "login", "192.0.2.0/24", 2, 10, 20, "192.0.2.7", "line", "AUTH LOGIN")
ROW = (20_000, "login", "192.0.2.0/24", 2, 10, 20, "192.0.2.7", "line", "AUTH LOGIN")


async def test_a_new_network_gets_its_row_if_its_rule_has_room_and_a_known_one_always() -> None:
    for known, networks, network in (
        ([], NETWORKS_PER_RULE_MAX - 1, ONE.network),
        ([], NETWORKS_PER_RULE_MAX, ""),
        ([(20_000, "login", ONE.network)], NETWORKS_PER_RULE_MAX, ONE.network),
    ):
        engine = RecordingEngine(
            [
                ("attacks.known", known),
                ("attacks.networks", [(20_000, "login", networks)]),
                ("attacks.add", 1),
            ]
        )
        await over(engine, AttacksVerbs).count_attacks([ONE])
        assert engine.finished() == [
            Query("attacks.known", (), [(20_000, "login", ONE.network)]),
            Query("attacks.networks", (), [(20_000, "login")]),
            Query("attacks.add", (), [(20_000, "login", network, *ROW[3:])]),
        ]


async def test_counts_are_read_since_a_day() -> None:
    engine = RecordingEngine([("attacks.since", [ROW])])
    assert await over(engine, AttacksVerbs).attacks(19_999) == [ONE]
    assert engine.finished() == [Query("attacks.since", (19_999,))]


async def test_old_counts_are_forgotten_in_batches() -> None:
    engine = RecordingEngine([("attacks.forget", 5)])
    assert await over(engine, AttacksVerbs).forget_attacks(100) == 5
    assert engine.finished() == [Query("attacks.forget", (100, BATCH_ROWS))]
