"""The receive role's view: a message and its deliveries come in, many messages by few statements."""

from collections.abc import Awaitable, Sequence

import apsw

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.delivery import KeptFor
from secondpost.mail.envelope import Arrival
from secondpost.store.ports import Learned, ProvenPrefix
from secondpost.store.sqlite.base import Base
from secondpost.store.sqlite.group import Kind
from secondpost.store.sqlite.queries import Row, in_pieces, number, read_queries, with_rows
from secondpost.store.sqlite.rows import content_row, delivery_rows, message_row

OCTETS_PER_UNIT = 16 * 1024

_QUERIES = read_queries("intake")
_ADD_DOMAINS = with_rows(_QUERIES["add_domains"], 2)
_ADD_MESSAGES = with_rows(_QUERIES["add_messages"], 12)
_ADD_CONTENTS = with_rows(_QUERIES["add_contents"], 2)
_ADD_DELIVERIES = with_rows(_QUERIES["add_deliveries"], 9)

Coming = tuple[Arrival, KeptFor | None]


def _add(db: apsw.Connection, coming: Sequence[Coming]) -> list[None]:
    # In order of id: rows are appended to the end of their tables.
    in_order = sorted(coming, key=lambda one: one[0].queue_id)
    contents = [row for arrival, _ in in_order if (row := content_row(arrival)) is not None]
    deliveries = [row for arrival, kept_for in in_order for row in delivery_rows(arrival, kept_for)]
    domains: list[Row] = sorted({(row[2], row[3]) for row in deliveries})
    for texts, rows in (
        (_ADD_DOMAINS, domains),
        (_ADD_MESSAGES, [message_row(arrival) for arrival, _ in in_order]),
        (_ADD_CONTENTS, contents),
        (_ADD_DELIVERIES, deliveries),
    ):
        for text, bindings in in_pieces(texts, rows):
            db.execute(text, bindings)
    return [None] * len(coming)


_ADD = Kind(_add, goes_first=True)


class SqliteIntake(Base):
    def accept(self, arrival: Arrival, kept_for: KeptFor | None = None) -> Awaitable[None]:
        units = (
            1 + len(arrival.envelope.recipients) + min(arrival.content.size, 128 * 1024) // OCTETS_PER_UNIT
        )
        return self._writer.write(_ADD, (arrival, kept_for), units)

    def stored_octets(self, domain: Domain) -> int:
        [(octets,)] = self._read(_QUERIES["stored_octets"], (domain.name,))
        return number(octets)

    def unverified_octets(self, domain: Domain) -> int:
        [(octets,)] = self._read(_QUERIES["unverified_octets"], (domain.name,))
        return number(octets)

    def learned(self, mailbox: Mailbox) -> Learned | None:
        for known, at_ms, how in self._read(_QUERIES["learned"], (mailbox.key,)):
            return Learned(known == 1, number(at_ms), str(how))
        return None

    def learn(self, mailbox: Mailbox, learned: Learned) -> Awaitable[None]:
        row = (mailbox.key, int(learned.known), learned.at_ms, learned.how)
        self._learned_since += 1

        def write(db: apsw.Connection) -> None:
            db.execute(_QUERIES["learn"], row)

        return self._writer.change(write)

    def proven_prefixes(self, since_ms: int, limit: int) -> list[ProvenPrefix]:
        rows = self._read(_QUERIES["proven_prefixes"], (since_ms, limit))
        return [ProvenPrefix(str(prefix), number(at_ms)) for prefix, at_ms in reversed(rows)]

    def prove_prefix(self, proven: ProvenPrefix) -> Awaitable[None]:
        def write(db: apsw.Connection) -> None:
            db.execute(_QUERIES["prove_prefix"], (proven.prefix, proven.at_ms))

        return self._writer.change(write)
