"""Sending an issue: release its rows for claiming, stop it, and finish it when its counts add up."""

from collections.abc import Awaitable
from functools import partial

from secondpost.mail.duration import HOUR_MS, MINUTE_MS
from secondpost.mail.issue import Issue, IssueId, IssueKind, IssueState, issue_sources_of
from secondpost.mail.subscriber import SubscriberId
from secondpost.store.newsletter_ports import GIVEN_BACK, IssueRefused
from secondpost.store.verbs.claims import put_turns_right
from secondpost.store.verbs.engine import BATCH_ROWS, CHANGE_UNITS, Verbs
from secondpost.store.verbs.issues import (
    counts_in,
    is_another_under_way,
    issue_in,
    permitted,
    reckoning_in,
)
from secondpost.store.verbs.steps import Steps, maybe_number, number, rows, run

# In these states a reader has the issue, or may have it.
SENT = ("committing", "delivered", "unknown")

# Those who confirmed last get an issue first within each domain, since a provider judges a new address
# by its first mails. The order is kept in the due times of the rows, of which a claim takes the earliest:
# they lie within a minute, so that delays of mails stay true to a minute, and a step of it is three hours,
# so that a minute holds twenty years.
ORDER_MS = MINUTE_MS
CONFIRMED_STEP_MS = 3 * HOUR_MS


class SendingVerbs(Verbs):
    def start(self, issue: IssueId, now_ms: int) -> Awaitable[bool]:
        def write() -> Steps[bool]:
            # Only a retry sends a done issue again.
            chosen = permitted(IssueState.SENDING, IssueState.FROZEN)
            return (yield from run("issues.start", issue, now_ms, chosen=chosen)) == 1

        return self._engine.change(write)

    def send_batch(self, issue: IssueId, now_ms: int, rows_max: int) -> Awaitable[int]:
        batch = partial(_send_batch, issue, now_ms, rows_max)
        return self._engine.change_some(batch, CHANGE_UNITS + rows_max)

    def hold(self, issue: IssueId, reason: str) -> Awaitable[Issue]:
        return self._engine.change(partial(_hold, issue, reason))

    def resume(self, issue: IssueId, now_ms: int) -> Awaitable[Issue]:
        return self._engine.change(partial(_resume, issue, now_ms))

    def release_batch(self, issue: IssueId, now_ms: int, rows_max: int) -> Awaitable[int]:
        batch = partial(_release_batch, issue, now_ms, rows_max)
        return self._engine.change_some(batch, CHANGE_UNITS + rows_max)

    async def stop(self, issue: IssueId, now_ms: int, reason: str) -> Issue:
        stopped = await self._engine.change(partial(_stop, issue, now_ms, reason))
        await self._stop_rows(stopped.message, now_ms)
        return stopped

    async def finish_stops(self) -> None:
        """Complete stops that a crash interrupted."""
        for message, stopped_ms in await self._engine.read(rows("issues.half_stopped")):
            await self._stop_rows(number(message), number(stopped_ms))

    async def _stop_rows(self, message: int, now_ms: int) -> None:
        behind: int | None = 0
        while behind is not None:
            batch = partial(_stop_batch, message, behind, now_ms)
            behind = await self._engine.change_some(batch, 2 * BATCH_ROWS)

    def finish(self, issue: IssueId, now_ms: int) -> Awaitable[bool]:
        return self._engine.change(partial(_finish, issue, now_ms))

    async def unknown_to_retry(self, issue: IssueId, subscriber: SubscriberId | None) -> int:
        def look() -> Steps[int]:
            yield from _retriable(issue)
            [(again,)] = yield from rows("issues.unknown_to_retry", issue, subscriber)
            return number(again)

        return await self._engine.read(look())

    async def retry_unknown(self, issue: IssueId, subscriber: SubscriberId | None, now_ms: int) -> int:
        retried = 0
        batch = partial(_retry_batch, issue, subscriber, now_ms)
        while (some := await self._engine.change_some(batch, BATCH_ROWS)) > 0:
            retried += some
        return retried

    async def forget_rows(self, finished_before_ms: int) -> int:
        for (message,) in await self._engine.read(rows("issues.old_issue", finished_before_ms)):
            return await self._engine.change_some(partial(_forget_batch, number(message)), 2 * BATCH_ROWS)
        return 0


def _send_batch(id: IssueId, now_ms: int, rows_max: int) -> Steps[int]:
    for message, behind, start_ms in (yield from rows("issues.sending", id)):
        upto = yield from next_rows(number(message), number(behind), rows_max)
        if upto is None:
            return 0
        due_ms = min(now_ms, number(start_ms))
        gone = yield from run("issues.let_go", message, behind, upto, due_ms, ORDER_MS, CONFIRMED_STEP_MS)
        yield from run("issues.sent_upto", id, upto)
        return gone
    return 0


def _hold(id: IssueId, reason: str) -> Steps[Issue]:
    found = yield from issue_in(id)
    if found.state is IssueState.HELD:
        return found
    if found.state not in issue_sources_of(IssueState.HELD):
        raise IssueRefused(f"issue {found.number} is {found.state.in_words}, and cannot be held")
    yield from run("issues.hold", id, reason, chosen=permitted(IssueState.HELD))
    return (yield from issue_in(id))


def _resume(id: IssueId, now_ms: int) -> Steps[Issue]:
    found = yield from issue_in(id)
    if found.state is not IssueState.HELD:
        raise IssueRefused(f"issue {found.number} is {found.state.in_words}, not held")
    yield from run("issues.resume", id, now_ms, chosen=permitted(IssueState.SENDING, IssueState.HELD))
    return (yield from issue_in(id))


def _release_batch(id: IssueId, now_ms: int, rows_max: int) -> Steps[int]:
    """Release rows that were held with an issue that goes on; returns their number."""
    held = yield from rows("issues.held_rows", id, rows_max)
    if len(held) == 0:
        return 0
    yield from run("issues.release_rows", now_ms, chosen=held)
    yield from put_turns_right(sorted({number(domain) for _, _, domain in held}))
    return len(held)


def _stop(id: IssueId, now_ms: int, reason: str) -> Steps[Issue]:
    found = yield from issue_in(id)
    if found.state is IssueState.STOPPED:
        return found  # continue an interrupted stop
    if found.state not in issue_sources_of(IssueState.STOPPED):
        raise IssueRefused(f"issue {found.number} is {found.state.in_words}, and cannot be stopped")
    counts = yield from counts_in(id)
    if sum(counts.get(state, 0) for state in SENT) == 0:
        yield from run("issues.give_back_articles", id, GIVEN_BACK)
        yield from run("approvals.give_back_order", id)
        if found.kind is IssueKind.DIGEST and len(found.body) > 0:
            yield from run("issues.give_back_note", found.newsletter, found.body)
    chosen = permitted(IssueState.STOPPED)
    yield from run("issues.end_issue", id, IssueState.STOPPED.value, now_ms, reason, chosen=chosen)
    return (yield from issue_in(id))


def _stop_batch(message: int, behind: int, now_ms: int) -> Steps[int | None]:
    """Stop a batch of rows; returns the last one processed, None if there were none."""
    upto = yield from next_rows(message, behind, BATCH_ROWS)
    if upto is None:
        return None
    domains = yield from rows("issues.waiting_between", message, behind, upto)
    yield from run("issues.stop_rows", message, behind, upto, now_ms)
    yield from put_turns_right([number(domain) for (domain,) in domains])
    return upto


def _finish(id: IssueId, now_ms: int) -> Steps[bool]:
    found = yield from issue_in(id)
    counted = yield from reckoning_in(id, found.planned)
    if found.state not in issue_sources_of(IssueState.DONE) or not counted.adds_up:
        return False
    chosen = permitted(IssueState.DONE)
    yield from run("issues.end_issue", id, IssueState.DONE.value, now_ms, "", chosen=chosen)
    return True


def _retriable(id: IssueId) -> Steps[Issue]:
    """The issue, if its unknown mails may be tried again now. Raises IssueRefused."""
    found = yield from issue_in(id)
    if found.state not in (IssueState.SENDING, IssueState.DONE):
        raise IssueRefused(f"issue {found.number} is {found.state.in_words}, and cannot be sent once more")
    if found.state is IssueState.DONE and (yield from is_another_under_way(found)):
        raise IssueRefused(f"another issue of {found.newsletter} is not finished yet")
    return found


def _retry_batch(id: IssueId, subscriber: SubscriberId | None, now_ms: int) -> Steps[int]:
    yield from _retriable(id)
    again = yield from run("issues.retry_unknown", id, subscriber, now_ms, BATCH_ROWS)
    if again > 0:
        yield from run("issues.send_again", id, chosen=permitted(IssueState.SENDING, IssueState.DONE))
    return again


def _forget_batch(message: int) -> Steps[int]:
    upto = yield from next_rows(message, 0, BATCH_ROWS)
    if upto is None or len((yield from rows("issues.is_over", message))) == 0:
        return 0
    yield from run("issues.count_off_unknown", message, upto)
    yield from run("issues.forget_events", message, upto)
    return (yield from run("issues.forget_rows", message, upto))


def next_rows(message: int, behind: int, most: int) -> Steps[int | None]:
    """The number of the last of the issue's next rows, None if there are none."""
    [(upto,)] = yield from rows("issues.next_rows", message, behind, most)
    return maybe_number(upto)
