"""Mail to readers, for the deliver role: the reader is checked again at the claim and before the
final dot.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from secondpost.mail.delivery import Claimed, DeliveryId
from secondpost.mail.envelope import Lane
from secondpost.store.ports import Lease
from secondpost.store.verbs.claims import ClaimsVerbs, claim, delivery_of
from secondpost.store.verbs.engine import CHANGE_UNITS, Verb
from secondpost.store.verbs.providers import Claimable, claimable, note_trial
from secondpost.store.verbs.steps import Row, Steps, number, rows, run


@dataclass(frozen=True, slots=True)
class Marking:
    """Deliveries of issues about to be sent under a lease."""

    lease: Lease
    ids: Sequence[DeliveryId]
    now_ms: int


def _commit_marks(payloads: Sequence[Marking]) -> Steps[list[frozenset[DeliveryId]]]:
    new: list[Row] = [(id.queue_id, id.number, one.lease.fence) for one in payloads for id in one.ids]
    written = yield from run("reader_mail.commit_marks", chosen=new)
    if written == len(new):
        return [frozenset(one.ids) for one in payloads]
    held = []
    for one in payloads:
        held.append((yield from _those_that_hold(one)))
    return held


COMMIT_MARKS = Verb(_commit_marks)


class ReaderMailVerbs(ClaimsVerbs):
    async def claim(self, lease: Lease, now_ms: int, limit: int) -> list[Claimed]:
        """Claim deliveries; if all that were due had to be withheld, claim again."""
        while True:
            claimed = await self._engine.change(
                lambda: _claim(lease, now_ms, limit), CHANGE_UNITS + 2 * limit
            )
            if claimed is None:
                return []
            if len(claimed) > 0 or not await self.is_due(lease, now_ms):
                return claimed

    def commit_marks(self, lease: Lease, ids: Sequence[DeliveryId]) -> Awaitable[frozenset[DeliveryId]]:
        marking = Marking(lease, ids, self._engine.clock.now_ms())
        return self._engine.write(COMMIT_MARKS, marking, 2 + len(ids))


def _claim(lease: Lease, now_ms: int, limit: int) -> Steps[list[Claimed] | None]:
    """None: the provider is paused, so nothing of an issue may be claimed."""
    if lease.lane is not Lane.ISSUES:
        return (yield from claim(lease, now_ms, limit, _not_withheld))
    may_claim = yield from claimable(lease.site, now_ms)
    if may_claim is Claimable.NONE:
        return None
    some = 1 if may_claim is Claimable.TRIAL else limit
    claimed = yield from claim(lease, now_ms, some, _not_withheld)
    if may_claim is Claimable.TRIAL and len(claimed) > 0:
        yield from note_trial(lease.site, now_ms)
    return claimed


def _not_withheld(due: Sequence[Row], now_ms: int) -> Steps[Sequence[Row]]:
    withheld = yield from _withhold([delivery_of(row) for row in due], now_ms)
    return [row for row in due if delivery_of(row) not in withheld]


def _withhold(chosen: Sequence[Row], now_ms: int) -> Steps[set[Row]]:
    """End those of the chosen deliveries that may not be sent; returns (message, number) of each."""
    if len(chosen) == 0:
        return set()
    withheld = yield from rows("reader_mail.may_not_go", chosen=chosen)
    if len(withheld) > 0:
        yield from run("reader_mail.withhold", now_ms, chosen=withheld)
    return {row[:2] for row in withheld}


def _those_that_hold(one: Marking) -> Steps[frozenset[DeliveryId]]:
    chosen: list[Row] = [(id.queue_id, id.number) for id in one.ids]
    claimed = yield from rows("reader_mail.still_claimed", one.lease.fence, chosen=chosen)
    yield from _withhold(claimed, one.now_ms)
    committing = yield from rows("reader_mail.are_committing", one.lease.fence, chosen=chosen)
    hold = {(number(message), number(n)) for message, n in committing}
    return frozenset(id for id in one.ids if (id.queue_id, id.number) in hold)
