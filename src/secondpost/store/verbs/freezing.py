"""Freezing: write a row for every reader of an issue, in short batches, all of them or none.

The audience is everyone active after one numbered event. Rows are written under the leader's lease;
an issue whose leader died is swept.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from functools import partial

from secondpost.mail.issue import Issue, IssueId, IssueState
from secondpost.store.newsletter_ports import FrozenSome, IssueRefused
from secondpost.store.ports import Lease
from secondpost.store.verbs.engine import BATCH_ROWS, CHANGE_UNITS, Verbs
from secondpost.store.verbs.half_renamed import refuse_half_renamed
from secondpost.store.verbs.issues import (
    counts_in,
    in_state,
    is_another_under_way,
    issue_in,
    permitted,
    reckoning_in,
)
from secondpost.store.verbs.leading import check_led
from secondpost.store.verbs.steps import Steps, number, rows, run

_AFTER_ALL = (1 << 63) - 1  # all readers were processed


@dataclass(frozen=True, slots=True)
class _Freeze:
    """The progress of an issue's freezing."""

    newsletter: str
    message: int
    event: int  # the audience is everyone active after this event
    looked_at: int  # the last reader processed


class FreezingVerbs(Verbs):
    def begin_freeze(self, issue: IssueId, leader: Lease) -> Awaitable[Issue]:
        return self._engine.change(partial(_begin_freeze, issue, leader))

    def freeze_batch(self, issue: IssueId, leader: Lease, readers_max: int) -> Awaitable[FrozenSome]:
        now_ms = self._engine.clock.now_ms()
        batch = partial(_freeze_batch, issue, leader, readers_max, now_ms)
        return self._engine.change_some(batch, CHANGE_UNITS + readers_max)

    async def freeze_done(self, issue: IssueId, leader: Lease, start_ms: int) -> Issue:
        after = await self._engine.change(partial(_freeze_done, issue, leader, start_ms))
        if after.state is not IssueState.FROZEN:
            written = sum((await self._engine.read(counts_in(issue))).values())
            raise IssueRefused(f"issue {after.number} is for {after.planned} readers and has {written} rows")
        return after

    async def sweep_abandoned(self) -> int:
        """Reopen issues whose freezing process lost the lead; returns their number."""
        swept = 0
        for (id,) in await self._engine.read(rows("issues.abandoned")):
            batch = partial(_thaw_batch, IssueId(number(id)))
            while not await self._engine.change_some(batch, BATCH_ROWS):
                pass
            swept += 1
        return swept


def _begin_freeze(id: IssueId, leader: Lease) -> Steps[Issue]:
    yield from check_led(leader)
    found = yield from in_state(id, IssueState.OPEN, "it was frozen before")
    if len((yield from rows("issues.has_content", id))) == 0:
        raise IssueRefused(f"issue {found.number} has no content yet")
    if (yield from is_another_under_way(found)):
        raise IssueRefused(f"another issue of {found.newsletter} is not finished yet")
    yield from refuse_half_renamed(found.newsletter)
    [(event,)] = yield from rows("engine.last_event")
    [(planned,)] = yield from rows("issues.active_readers", found.newsletter)
    chosen = permitted(IssueState.FREEZING)
    yield from run("issues.begin_freeze", id, event, planned, leader.fence, chosen=chosen)
    return (yield from issue_in(id))


def _freeze_batch(id: IssueId, leader: Lease, readers_max: int, now_ms: int) -> Steps[FrozenSome]:
    freeze = yield from _freezing(id, leader)
    newsletter, behind = freeze.newsletter, freeze.looked_at
    found = yield from rows("issues.last_of_next_readers", newsletter, behind, readers_max)
    upto = number(found[0][0]) if len(found) > 0 else _AFTER_ALL
    written = yield from run(
        "issues.freeze", newsletter, behind, upto, freeze.event, freeze.message, now_ms, id
    )
    yield from run("issues.frozen_upto", id, upto)
    return FrozenSome(written, is_last=len(found) == 0)


def _freeze_done(id: IssueId, leader: Lease, start_ms: int) -> Steps[Issue]:
    freeze = yield from _freezing(id, leader)
    planned = (yield from issue_in(id)).planned
    counted = yield from reckoning_in(id, planned)
    if freeze.looked_at == _AFTER_ALL and counted.under_way == planned:
        yield from run(
            "issues.frozen", id, start_ms, chosen=permitted(IssueState.FROZEN, IssueState.FREEZING)
        )
    else:
        yield from run("issues.leave_freezing", id)
    return (yield from issue_in(id))


def _thaw_batch(id: IssueId) -> Steps[bool]:
    """Delete a batch of the issue's rows; True once it is open again."""
    if (yield from run("issues.thaw", id, BATCH_ROWS)) > 0:
        return False
    yield from run("issues.open_again", id, chosen=permitted(IssueState.OPEN))
    return True


def _freezing(id: IssueId, leader: Lease) -> Steps[_Freeze]:
    """The progress of a freeze. Raises LeadershipLost and IssueRefused."""
    yield from check_led(leader)
    for newsletter, message, event, behind in (yield from rows("issues.freezing", id, leader.fence)):
        return _Freeze(str(newsletter), number(message), number(event), number(behind))
    raise IssueRefused("the issue is not being frozen by this leader")
