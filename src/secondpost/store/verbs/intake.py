"""Accept messages and their deliveries, many by few queries, for the receive role."""

from collections.abc import Awaitable, Sequence

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.delivery import KeptFor
from secondpost.mail.envelope import Arrival
from secondpost.store.ports import Learned, ProvenPrefix
from secondpost.store.verbs.engine import OCTETS_PER_UNIT, Verb, Verbs
from secondpost.store.verbs.rows import content_row, delivery_rows, message_row
from secondpost.store.verbs.steps import Row, Steps, number, rows, run

CONTENT_OCTETS_COUNTED_MAX = 128 * 1024  # larger contents are files, and no work for the database

Coming = tuple[Arrival, KeptFor | None]


def add_mail(coming: Sequence[Coming]) -> Steps[list[None]]:
    # Written in order of id, so that rows are appended to their tables.
    in_order = sorted(coming, key=lambda one: one[0].queue_id)
    contents = [row for arrival, _ in in_order if (row := content_row(arrival)) is not None]
    deliveries = [row for arrival, kept_for in in_order for row in delivery_rows(arrival, kept_for)]
    domains: list[Row] = sorted({(row[2], row[3]) for row in deliveries})
    yield from run("intake.add_domains", chosen=domains)
    yield from run("intake.add_messages", chosen=[message_row(arrival) for arrival, _ in in_order])
    yield from run("intake.add_contents", chosen=contents)
    yield from run("intake.add_deliveries", chosen=deliveries)
    return [None] * len(coming)


ACCEPT = Verb(add_mail, goes_first=True)


class IntakeVerbs(Verbs):
    def accept(self, arrival: Arrival, kept_for: KeptFor | None = None) -> Awaitable[None]:
        octets = min(arrival.size, CONTENT_OCTETS_COUNTED_MAX)
        units = 1 + len(arrival.envelope.recipients) + octets // OCTETS_PER_UNIT
        return self._engine.write(ACCEPT, (arrival, kept_for), units)

    async def stored_octets(self, domain: Domain) -> int:
        return await self._engine.read(_octets("intake.stored_octets", domain))

    async def unverified_octets(self, domain: Domain) -> int:
        return await self._engine.read(_octets("intake.unverified_octets", domain))

    async def learned(self, mailbox: Mailbox) -> Learned | None:
        def look() -> Steps[Learned | None]:
            for known, at_ms, how in (yield from rows("intake.learned", mailbox.key)):
                return Learned(known == 1, number(at_ms), str(how))
            return None

        return await self._engine.read(look())

    def learn(self, mailbox: Mailbox, learned: Learned) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("intake.learn", mailbox.key, int(learned.known), learned.at_ms, learned.how)

        return self._engine.change(write)

    async def proven_prefixes(self, since_ms: int, limit: int) -> list[ProvenPrefix]:
        def look() -> Steps[list[ProvenPrefix]]:
            latest_first = yield from rows("intake.proven_prefixes", since_ms, limit)
            return [ProvenPrefix(str(prefix), number(at_ms)) for prefix, at_ms in reversed(latest_first)]

        return await self._engine.read(look())

    def prove_prefix(self, proven: ProvenPrefix) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("intake.prove_prefix", proven.prefix, proven.at_ms)

        return self._engine.change(write)


def _octets(query: str, domain: Domain) -> Steps[int]:
    [(octets,)] = yield from rows(query, domain.name)
    return number(octets)
