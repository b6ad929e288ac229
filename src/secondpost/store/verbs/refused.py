"""Mail that primaries refused: its amount, and dropping it, oldest first."""

from collections.abc import Awaitable, Sequence

from secondpost.mail.address import Domain
from secondpost.mail.delivery import State
from secondpost.mail.envelope import Lane
from secondpost.store.owner_ports import Refused
from secondpost.store.ports import Dropped
from secondpost.store.verbs.engine import BATCH_ROWS, Verbs
from secondpost.store.verbs.steps import Row, Steps, number, rows, run

LANES = (Lane.RELAY, Lane.UNVERIFIED)  # redirected mail is in lane own: no primary refused it
# Removed from the table by one batch; every page of a content is read for it.
CONTENT_OCTETS_MAX = 4_000_000


class RefusedVerbs(Verbs):
    async def refused(self) -> list[Refused]:
        return [
            Refused(Domain(str(name)), number(deliveries), number(octets), number(oldest_ms))
            for name, deliveries, octets, oldest_ms in await self._engine.read(rows("desk.refused"))
        ]

    def drop_refused(
        self, domain: Domain, before_ms: int, octets_left: int | None, now_ms: int, detail: str
    ) -> Awaitable[Dropped]:
        def batch() -> Steps[Dropped]:
            oldest = yield from _oldest(domain)
            [(stored,)] = yield from rows("desk.refused_octets", domain.name)
            over = None if octets_left is None else number(stored) - octets_left
            going = oldest[: _going(oldest, before_ms, over)]
            if len(going) > 0:
                chosen = [row[:2] for row in going]
                yield from run("desk.move", State.DROPPED.value, now_ms, 1, chosen=chosen)
                yield from run("desk.tell", now_ms, State.DROPPED.value, detail, chosen=chosen)
            return Dropped(len(going), sum(number(row[3]) for row in going))

        return self._engine.change_some(batch, BATCH_ROWS, ends_mail=True)


def _oldest(domain: Domain) -> Steps[list[Row]]:
    found: list[Row] = []
    for lane in LANES:
        found += yield from rows("desk.oldest_refused", lane.value, domain.name, BATCH_ROWS)
    return sorted(found, key=lambda row: number(row[2]))[:BATCH_ROWS]


def _going(oldest: Sequence[Row], before_ms: int, over: int | None) -> int:
    """How many of these rows to drop: those refused before then, until `over` octets are gone,
    within one batch.
    """
    content = 0
    for going, (_, _, refused_ms, octets, size) in enumerate(oldest):
        is_full = going > 0 and content + number(size) > CONTENT_OCTETS_MAX
        if number(refused_ms) >= before_ms or is_full or (over is not None and over <= 0):
            return going
        content += number(size)
        over = None if over is None else over - number(octets)
    return len(oldest)
