"""What primaries have refused: how much of it lies here, and its end, the oldest first."""

from collections.abc import Awaitable, Sequence

import apsw

from secondpost.mail.address import Domain
from secondpost.mail.delivery import State
from secondpost.mail.envelope import Lane
from secondpost.store.owner_ports import Refused
from secondpost.store.ports import Dropped
from secondpost.store.sqlite.base import BATCH_ROWS, as_json
from secondpost.store.sqlite.checkpoint import Checkpoints
from secondpost.store.sqlite.queries import read_queries
from secondpost.store.verbs.steps import Value, number

LANES = (Lane.RELAY, Lane.UNVERIFIED)  # what is redirected is in lane own: that was not the primary
CONTENT_OCTETS_MAX = 4_000_000  # that one batch removes from the table: each of its pages is looked at

_QUERIES = read_queries("desk")


class SqliteRefused(Checkpoints):
    def refused(self) -> list[Refused]:
        return [
            Refused(Domain(str(name)), number(deliveries), number(octets), number(oldest_ms))
            for name, deliveries, octets, oldest_ms in self._read(_QUERIES["refused"])
        ]

    def drop_refused(
        self, domain: Domain, before_ms: int, octets_left: int | None, now_ms: int, detail: str
    ) -> Awaitable[Dropped]:
        def batch(db: apsw.Connection) -> Dropped:
            oldest = _oldest(db, domain)
            [(stored,)] = db.execute(_QUERIES["refused_octets"], (domain.name,)).fetchall()
            over = None if octets_left is None else number(stored) - octets_left
            rows = oldest[: _going(oldest, before_ms, over)]
            if len(rows) > 0:
                chosen = as_json([row[:2] for row in rows])
                db.execute(_QUERIES["move"], (chosen, State.DROPPED.value, now_ms))
                db.execute(_QUERIES["tell"], (chosen, now_ms, State.DROPPED.value, detail))
                self._note_leaving_files(db)
            return Dropped(len(rows), sum(number(row[3]) for row in rows))

        return self._change_some(batch, BATCH_ROWS)


def _oldest(db: apsw.Connection, domain: Domain) -> list[tuple[Value, ...]]:
    rows: list[tuple[Value, ...]] = []
    for lane in LANES:
        rows += db.execute(_QUERIES["oldest_refused"], (lane.value, domain.name, BATCH_ROWS)).fetchall()
    return sorted(rows, key=lambda row: number(row[2]))[:BATCH_ROWS]


def _going(oldest: Sequence[tuple[Value, ...]], before_ms: int, over: int | None) -> int:
    """How many of them go: those refused before then, until that many octets are gone, within one batch."""
    content = 0
    for going, (_, _, refused_ms, octets, size) in enumerate(oldest):
        is_full = going > 0 and content + number(size) > CONTENT_OCTETS_MAX
        if number(refused_ms) >= before_ms or is_full or (over is not None and over <= 0):
            return going
        content += number(size)
        over = None if over is None else over - number(octets)
    return len(oldest)
