"""An issue leaves: its rows can be claimed, its owner may stop it, and it is done when it adds up."""

from collections.abc import Awaitable
from functools import partial

import apsw

from secondpost.mail.issue import Issue, IssueId, IssueState
from secondpost.mail.subscriber import SubscriberId
from secondpost.store.newsletter_ports import GIVEN_BACK, IssueRefused
from secondpost.store.sqlite.base import BATCH_ROWS
from secondpost.store.sqlite.checkpoint import Checkpoints
from secondpost.store.sqlite.group import CHANGE_UNITS
from secondpost.store.sqlite.issues import ISSUE_QUERIES, is_another_under_way, issue_in, reckoning_of
from secondpost.store.verbs.claims import put_turns_right
from secondpost.store.verbs.steps import number

# With one of these a reader has the issue, or may have it.
SENT = ("committing", "delivered", "unknown")


class SqliteSending(Checkpoints):
    def start(self, issue: IssueId, now_ms: int) -> Awaitable[bool]:
        def write(db: apsw.Connection) -> bool:
            db.execute(ISSUE_QUERIES["start"], (issue, now_ms))
            return db.changes() == 1

        return self._writer.change(write)

    def send_batch(self, issue: IssueId, now_ms: int, rows_max: int) -> Awaitable[int]:
        def write(db: apsw.Connection) -> int:
            for message, behind, start_ms in db.execute(ISSUE_QUERIES["sending"], (issue,)).fetchall():
                upto = _next_rows(db, number(message), number(behind), rows_max)
                if upto is None:
                    return 0
                due_ms = min(now_ms, number(start_ms))
                db.execute(ISSUE_QUERIES["let_go"], (message, behind, upto, due_ms))
                gone = db.changes()
                db.execute(ISSUE_QUERIES["sent_upto"], (issue, upto))
                return gone
            return 0

        return self._change_some(write, CHANGE_UNITS + rows_max)

    async def stop(self, issue: IssueId, now_ms: int, reason: str) -> Issue:
        stopped = await self._end(issue, now_ms, reason)
        await self._stop_rows(stopped.message, now_ms)
        return stopped

    async def finish_stops(self) -> None:
        """Those that a crash cut short."""
        for message, stopped_ms in self._read(ISSUE_QUERIES["half_stopped"]):
            await self._stop_rows(number(message), number(stopped_ms))

    def _end(self, issue: IssueId, now_ms: int, reason: str) -> Awaitable[Issue]:
        def end(db: apsw.Connection) -> Issue:
            found = issue_in(db, issue)
            if found.state is IssueState.STOPPED:
                return found  # a stop that was cut short goes on
            if found.state not in (IssueState.OPEN, IssueState.FROZEN, IssueState.SENDING):
                raise IssueRefused(f"issue {found.number} is {found.state}, and cannot be stopped")
            counts = {
                str(state): number(many) for state, many in db.execute(ISSUE_QUERIES["reckoning"], (issue,))
            }
            if sum(counts.get(state, 0) for state in SENT) == 0:
                db.execute(ISSUE_QUERIES["give_back_articles"], (issue, GIVEN_BACK))
            db.execute(ISSUE_QUERIES["end_issue"], (issue, IssueState.STOPPED.value, now_ms, reason))
            return issue_in(db, issue)

        return self._writer.change(end)

    async def _stop_rows(self, message: int, now_ms: int) -> None:
        def batch(db: apsw.Connection, behind: int) -> int | None:
            upto = _next_rows(db, message, behind, BATCH_ROWS)
            if upto is None:
                return None
            rows = db.execute(ISSUE_QUERIES["waiting_between"], (message, behind, upto)).fetchall()
            db.execute(ISSUE_QUERIES["stop_rows"], (message, behind, upto, now_ms))
            self._drive(db, put_turns_right([number(domain) for (domain,) in rows]))
            return upto

        behind: int | None = 0
        while behind is not None:
            behind = await self._change_some(partial(batch, behind=behind), 2 * BATCH_ROWS)

    def finish(self, issue: IssueId, now_ms: int) -> Awaitable[bool]:
        def write(db: apsw.Connection) -> bool:
            found = issue_in(db, issue)
            rows = db.execute(ISSUE_QUERIES["reckoning"], (issue,)).fetchall()
            if found.state is not IssueState.SENDING or not reckoning_of(found.planned, rows).adds_up:
                return False
            db.execute(ISSUE_QUERIES["end_issue"], (issue, IssueState.DONE.value, now_ms, ""))
            return True

        return self._writer.change(write)

    async def retry_unknown(self, issue: IssueId, subscriber: SubscriberId | None, now_ms: int) -> int:
        def batch(db: apsw.Connection) -> int:
            found = issue_in(db, issue)
            if found.state not in (IssueState.SENDING, IssueState.DONE):
                raise IssueRefused(f"issue {found.number} is {found.state}, and cannot be tried again")
            if found.state is IssueState.DONE and is_another_under_way(db, found):
                raise IssueRefused(f"another issue of {found.newsletter} is not finished yet")
            db.execute(ISSUE_QUERIES["retry_unknown"], (issue, now_ms, BATCH_ROWS, subscriber))
            again = db.changes()
            if again > 0:
                db.execute(ISSUE_QUERIES["send_again"], (issue,))
            return again

        retried = 0
        while (some := await self._change_some(batch, BATCH_ROWS)) > 0:
            retried += some
        return retried

    async def forget_rows(self, finished_before_ms: int) -> int:
        def batch(db: apsw.Connection, message: int) -> int:
            upto = _next_rows(db, message, 0, BATCH_ROWS)
            if upto is None or len(db.execute(ISSUE_QUERIES["is_over"], (message,)).fetchall()) == 0:
                return 0
            for query in ("count_off_unknown", "forget_events", "forget_rows"):
                db.execute(ISSUE_QUERIES[query], (message, upto))
            return db.changes()

        old = self._read(ISSUE_QUERIES["old_issue"], (finished_before_ms,))
        if len(old) == 0:
            return 0
        message = number(old[0][0])
        return await self._change_some(lambda db: batch(db, message), 2 * BATCH_ROWS)


def _next_rows(db: apsw.Connection, message: int, behind: int, rows: int) -> int | None:
    """The number of the last of the issue's next rows; None when there are no more."""
    [(upto,)] = db.execute(ISSUE_QUERIES["next_rows"], (message, behind, rows)).fetchall()
    return None if upto is None else number(upto)
