"""Attacks are counted by day, rule and network, within bounds, in every store."""

from secondpost.mail.attack import NETWORKS_PER_RULE_MAX, OTHER_NETWORKS, AttackCount
from secondpost.store.verbs.engine import BATCH_ROWS
from tests.store.place import Place

DAY = 20_000


def seen(
    network: str, times: int = 1, at_ms: int = 100, *, day: int = DAY, rule: str = "opensmtpd-2020-7247"
) -> AttackCount:
    client = network.partition("/")[0]
    return AttackCount(day, rule, network, times, at_ms, at_ms, client, "address", f"at {at_ms}")


async def test_counts_of_all_processes_add_up(place: Place) -> None:
    store = place.open("receive")
    await store.count_attacks([seen("192.0.2.0/24", 2, 200), seen("2001:db8::/64", 1, 50)])
    await store.count_attacks([seen("192.0.2.0/24", 3, 100)])  # of a process that was late
    await store.count_attacks([seen("192.0.2.0/24", 4, 300), seen("192.0.2.0/24", day=DAY + 1)])
    (first, other, tomorrow) = await store.attacks(DAY)
    assert (first.network, first.times, first.first_ms, first.last_ms) == ("192.0.2.0/24", 9, 100, 300)
    assert first.sample == "at 200", "the first that was stored"
    assert (other.network, other.times) == ("2001:db8::/64", 1)
    assert tomorrow.day == DAY + 1
    assert await store.attacks(DAY + 1) == [tomorrow]


async def test_one_batch_may_have_a_network_twice(place: Place) -> None:
    store = place.open("receive")
    await store.count_attacks([seen("192.0.2.0/24", 2, 200), seen("192.0.2.0/24", 1, 300)])
    (count,) = await store.attacks(DAY)
    assert (count.times, count.first_ms, count.last_ms) == (3, 200, 300)


async def test_networks_beyond_the_bound_are_counted_together_and_hide_no_other_rule(place: Place) -> None:
    store = place.open("receive")
    for begin in range(0, 3 * NETWORKS_PER_RULE_MAX, 50):
        await store.count_attacks([seen(f"10.0.{n}.0/24", rule="login") for n in range(begin, begin + 50)])
    await store.count_attacks([seen("10.0.7.0/24", 5, rule="login"), seen("192.0.2.0/24")])
    counts = await store.attacks(0)
    logins = [count for count in counts if count.rule == "login"]
    assert len(logins) == NETWORKS_PER_RULE_MAX + 1
    assert sum(count.times for count in logins) == 3 * NETWORKS_PER_RULE_MAX + 5
    by_network = {count.network: count.times for count in logins}
    assert by_network[OTHER_NETWORKS] == 2 * NETWORKS_PER_RULE_MAX
    assert by_network["10.0.7.0/24"] == 6
    assert [count.network for count in counts if count.rule != "login"] == ["192.0.2.0/24"]


async def test_old_days_are_forgotten_in_batches(place: Place) -> None:
    store = place.open("receive")
    for day in range(3):
        await store.count_attacks([seen(f"10.0.{n}.0/24", day=day) for n in range(NETWORKS_PER_RULE_MAX)])
    await store.count_attacks([seen("192.0.2.0/24", day=3)])
    forgotten = []
    while (some := await store.forget_attacks(3)) > 0:
        forgotten.append(some)
    assert forgotten == [BATCH_ROWS, NETWORKS_PER_RULE_MAX]
    assert [count.day for count in await store.attacks(0)] == [3]
