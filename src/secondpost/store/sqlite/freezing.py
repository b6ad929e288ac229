"""A row for every reader of an issue, in short batches, all of them or none.

The audience is whoever was active after one numbered event. The rows are written under a leader's
lease; one that died leaves an issue that is swept away whole.
"""

from collections.abc import Awaitable
from functools import partial

import apsw

from secondpost.mail.envelope import Lane
from secondpost.mail.issue import Issue, IssueId, IssueState
from secondpost.store.newsletter_ports import FrozenSome, IssueRefused
from secondpost.store.ports import Lease
from secondpost.store.sqlite.base import BATCH_ROWS
from secondpost.store.sqlite.checkpoint import Checkpoints
from secondpost.store.sqlite.group import CHANGE_UNITS
from secondpost.store.sqlite.issues import (
    ISSUE_QUERIES,
    in_state,
    is_another_under_way,
    issue_in,
    reckoning_of,
    refuse_half_renamed,
)
from secondpost.store.sqlite.leading import check_led
from secondpost.store.verbs.claims import ClaimsVerbs
from secondpost.store.verbs.steps import number

_AFTER_ALL = (1 << 63) - 1  # every reader was looked at


class SqliteFreezing(ClaimsVerbs, Checkpoints):
    async def lead(self, what: str) -> Lease | None:
        """A lease of a site that nothing is ever sent to. That of a dead process falls here too: where
        no service runs no other process sweeps, and a command that was killed would lead for ever.
        """
        site = f"leader of {what}"
        lease = await self.lease(Lane.OWN, site)
        if lease is None and await self._dead_leader_fell(site):
            return await self.lease(Lane.OWN, site)
        return lease

    async def _dead_leader_fell(self, site: str) -> bool:
        leaders = self._read(ISSUE_QUERIES["leader"], (Lane.OWN.value, site))
        if len(leaders) == 0:
            return True  # it was given back meanwhile
        [(worker, lock)] = leaders
        held = self._opened.disk.hold(str(lock))
        if held is None:
            return False

        def drop(db: apsw.Connection) -> None:
            db.execute(ISSUE_QUERIES["drop_leader"], (Lane.OWN.value, site, worker))

        try:
            await self._writer.change(drop)
        finally:
            held.release()
        return True

    def begin_freeze(self, issue: IssueId, leader: Lease) -> Awaitable[Issue]:
        def write(db: apsw.Connection) -> Issue:
            check_led(db, leader)
            found = in_state(db, issue, IssueState.OPEN, "it was frozen before")
            if len(db.execute(ISSUE_QUERIES["issue_content"], (issue,)).fetchall()) == 0:
                raise IssueRefused(f"issue {found.number} has no content yet")
            if is_another_under_way(db, found):
                raise IssueRefused(f"another issue of {found.newsletter} is not finished yet")
            refuse_half_renamed(db, found.newsletter)
            [(event,)] = db.execute(ISSUE_QUERIES["last_event"]).fetchall()
            [(planned,)] = db.execute(ISSUE_QUERIES["active_readers"], (found.newsletter,)).fetchall()
            db.execute(ISSUE_QUERIES["begin_freeze"], (issue, event, planned, leader.fence))
            return issue_in(db, issue)

        return self._writer.change(write)

    def freeze_batch(self, issue: IssueId, leader: Lease, readers_max: int) -> Awaitable[FrozenSome]:
        now_ms = self._opened.clock.now_ms()

        def write(db: apsw.Connection) -> FrozenSome:
            newsletter, message, event, behind = _freezing(db, issue, leader)
            rows = db.execute(ISSUE_QUERIES["next_readers"], (newsletter, behind, readers_max)).fetchall()
            upto = number(rows[0][0]) if len(rows) > 0 else _AFTER_ALL
            db.execute(ISSUE_QUERIES["freeze"], (newsletter, behind, upto, event, message, now_ms, issue))
            written = db.changes()
            db.execute(ISSUE_QUERIES["frozen_upto"], (issue, upto))
            return FrozenSome(written, is_last=len(rows) == 0)

        return self._change_some(write, CHANGE_UNITS + readers_max)

    async def freeze_done(self, issue: IssueId, leader: Lease, start_ms: int) -> Issue:
        def write(db: apsw.Connection) -> Issue:
            _, _, _, behind = _freezing(db, issue, leader)
            found = issue_in(db, issue)
            counted = reckoning_of(found.planned, db.execute(ISSUE_QUERIES["reckoning"], (issue,)).fetchall())
            whole = behind == _AFTER_ALL and counted.under_way == counted.planned
            if whole:
                db.execute(ISSUE_QUERIES["frozen"], (issue, start_ms))
            else:
                db.execute(ISSUE_QUERIES["leave_freezing"], (issue,))
            return issue_in(db, issue)

        after = await self._writer.change(write)
        if after.state is not IssueState.FROZEN:
            rows = self.reckoning_rows(issue)
            raise IssueRefused(f"issue {after.number} is for {after.planned} readers and has {rows} rows")
        return after

    def reckoning_rows(self, issue: IssueId) -> int:
        return sum(number(many) for _, many in self._read(ISSUE_QUERIES["reckoning"], (issue,)))

    async def sweep_freezing(self) -> int:
        def batch(db: apsw.Connection, issue: int) -> bool:
            db.execute(ISSUE_QUERIES["thaw"], (issue, BATCH_ROWS))
            if db.changes() > 0:
                return False
            db.execute(ISSUE_QUERIES["open_again"], (issue,))
            return True

        swept = 0
        for (id,) in self._read(ISSUE_QUERIES["abandoned"]):
            issue = number(id)
            while not await self._change_some(partial(batch, issue=issue), BATCH_ROWS):
                pass
            swept += 1
        return swept


def _freezing(db: apsw.Connection, issue: IssueId, leader: Lease) -> tuple[str, int, int, int]:
    """Newsletter, message, event, and the last reader looked at. Raises LeadershipLost and
    IssueRefused."""
    check_led(db, leader)
    for newsletter, message, event, behind in db.execute(
        ISSUE_QUERIES["freezing"], (issue, leader.fence)
    ).fetchall():
        return str(newsletter), number(message), number(event), number(behind)
    raise IssueRefused("the issue is not being frozen by this leader")
