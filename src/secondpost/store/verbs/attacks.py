"""Attacks that were seen: counted by day, rule and network, with a bound on the networks of a rule."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from functools import partial

from secondpost.mail.attack import NETWORKS_PER_RULE_MAX, OTHER_NETWORKS, AttackCount, AttackKey, both
from secondpost.store.verbs.engine import BATCH_ROWS, Verbs
from secondpost.store.verbs.steps import Row, Steps, number, rows, run


class AttacksVerbs(Verbs):
    def count_attacks(self, counts: Sequence[AttackCount]) -> Awaitable[None]:
        def write() -> Steps[None]:
            keys = sorted({count.key for count in counts})
            found = yield from rows("attacks.known", chosen=keys)
            known = {(number(day), str(rule), str(network)) for day, rule, network in found}
            of_rules = yield from rows("attacks.networks", chosen=sorted({key[:2] for key in keys}))
            networks = {(number(day), str(rule)): number(many) for day, rule, many in of_rules}
            yield from run("attacks.add", chosen=[_row(count) for count in _bounded(counts, known, networks)])

        return self._engine.change(write, len(counts))

    async def attacks(self, since_day: int) -> list[AttackCount]:
        return [_count(row) for row in await self._engine.read(rows("attacks.since", since_day))]

    def forget_attacks(self, before_day: int) -> Awaitable[int]:
        return self._engine.change_some(partial(run, "attacks.forget", before_day, BATCH_ROWS), BATCH_ROWS)


def _bounded(
    counts: Sequence[AttackCount], known: set[AttackKey], networks: dict[tuple[int, str], int]
) -> list[AttackCount]:
    """One count per row, in order of key, with the networks beyond the bound counted together.

    `known`: the keys that have a row; `networks`: how many networks a day and rule have.
    """
    bounded: dict[AttackKey, AttackCount] = {}
    for count in counts:
        key = count.key
        of_rule = count.day, count.rule
        if key not in known and count.network != OTHER_NETWORKS:
            if networks.get(of_rule, 0) < NETWORKS_PER_RULE_MAX:
                known.add(key)
                networks[of_rule] = networks.get(of_rule, 0) + 1
            else:
                count = replace(count, network=OTHER_NETWORKS)
                key = count.key
        bounded[key] = both(bounded[key], count) if key in bounded else count
    return [bounded[key] for key in sorted(bounded)]


def _row(count: AttackCount) -> Row:
    return (
        count.day,
        count.rule,
        count.network,
        count.times,
        count.first_ms,
        count.last_ms,
        count.client,
        count.place,
        count.sample,
    )


def _count(row: Row) -> AttackCount:
    day, rule, network, times, first_ms, last_ms, client, place, sample = row
    return AttackCount(
        number(day),
        str(rule),
        str(network),
        number(times),
        number(first_ms),
        number(last_ms),
        str(client),
        str(place),
        str(sample),
    )
