"""Accepting a copy: the owner says what becomes of the mail that it holds.

Each batch leaves the copy in a state from which the rest can be settled, so that a command that was
killed can be typed again.
"""

from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from secondpost.mail.delivery import DeliveryId
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import IssueId, IssueState
from secondpost.mail.queue_id import QueueId
from secondpost.store.copy_ports import CopyVerdict, HeldByCopy, IssueInDoubt
from secondpost.store.verbs.engine import BATCH_ROWS, Verbs
from secondpost.store.verbs.sending import next_rows
from secondpost.store.verbs.steps import Row, Steps, number, rows, run
from secondpost.store.verbs.witness import deliveries_of

_OF_AN_ISSUE: Mapping[CopyVerdict, str] = MappingProxyType(
    {CopyVerdict.UNKNOWN: "witness.of_issue_unknown", CopyVerdict.ON: "witness.of_issue_go_on"}
)

_NAMED: Mapping[CopyVerdict, str] = MappingProxyType(
    {CopyVerdict.DELIVERED: "witness.were_delivered", CopyVerdict.UNKNOWN: "witness.may_have_been_sent"}
)


class AcceptingVerbs(Verbs):
    async def in_doubt(self) -> list[HeldByCopy]:
        found = await self._engine.read(rows("witness.in_doubt"))
        return [
            HeldByCopy(Lane(str(lane)), of_issues == 1, number(count)) for lane, of_issues, count in found
        ]

    async def settle_named(self, ids: Sequence[DeliveryId], to: CopyVerdict) -> int:
        now_ms, settled = self._engine.clock.now_ms(), 0
        for start in range(0, len(ids), BATCH_ROWS):
            chosen: list[Row] = [(id.queue_id, id.number) for id in ids[start : start + BATCH_ROWS]]
            batch = partial(run, _NAMED[to], now_ms, chosen=chosen)
            settled += await self._engine.change(batch, BATCH_ROWS, ends_mail=True)
        return settled

    def settle_doubted(self, to: CopyVerdict) -> Awaitable[int]:
        batch = partial(_settle_some, to, self._engine.clock.now_ms())
        return self._engine.change_some(batch, 2 * BATCH_ROWS, ends_mail=to is CopyVerdict.DROPPED)

    def end_copy_hold(self) -> Awaitable[None]:
        def end() -> Steps[None]:
            yield from run("witness.end_hold")

        return self._engine.change(end)


class NewsletterAcceptingVerbs(Verbs):
    async def issues_in_doubt(self) -> list[IssueInDoubt]:
        return [
            IssueInDoubt(
                IssueId(number(id)),
                str(newsletter),
                number(n),
                IssueState(str(state)),
                QueueId(number(message)),
                number(deliveries),
            )
            for id, newsletter, n, state, message, deliveries in await self._engine.read(
                rows("witness.issues_in_doubt")
            )
        ]

    async def settle_issue(self, issue: IssueInDoubt, to: CopyVerdict) -> int:
        settled, behind = 0, 0
        while True:
            batch = partial(_settle_rows, issue.message, behind, to, self._engine.clock.now_ms())
            upto, changed = await self._engine.change_some(batch, 2 * BATCH_ROWS)
            if upto is None:
                return settled
            settled, behind = settled + changed, upto

    async def articles_in_doubt(self) -> dict[str, int]:
        found = await self._engine.read(rows("witness.articles_in_doubt"))
        return {str(newsletter): number(count) for newsletter, count in found}

    def skip_articles(self, newsletter: str, reason: str) -> Awaitable[int]:
        def batch() -> Steps[int]:
            some = yield from rows("witness.some_articles", newsletter, BATCH_ROWS)
            return 0 if len(some) == 0 else (yield from run("witness.skip_articles", reason, chosen=some))

        return self._engine.change_some(batch, 2 * BATCH_ROWS)

    async def unread_feeds(self, since_ms: int) -> list[tuple[str, str]]:
        found = await self._engine.read(rows("witness.unread_feeds", since_ms))
        return [(str(newsletter), str(url)) for newsletter, url in found]

    async def last_numbers(self) -> dict[str, int]:
        found = await self._engine.read(rows("witness.last_numbers"))
        return {str(newsletter): number(last) for newsletter, last in found}


def _settle_some(to: CopyVerdict, now_ms: int) -> Steps[int]:
    found = yield from rows("witness.some_in_doubt", BATCH_ROWS)
    if len(found) == 0:
        return 0
    chosen = deliveries_of(found)
    match to:
        case CopyVerdict.DROPPED:
            return (yield from run("witness.let_drop", now_ms, chosen=chosen))
        case CopyVerdict.AGAIN | CopyVerdict.ON:
            again = int(to is CopyVerdict.AGAIN)
            return (yield from run("witness.go_on", again, now_ms, chosen=chosen))
        case CopyVerdict.UNKNOWN | CopyVerdict.DELIVERED:
            raise ValueError(f"what belongs to no issue does not become {to} in batches")


def _settle_rows(message: int, behind: int, to: CopyVerdict, now_ms: int) -> Steps[tuple[int | None, int]]:
    """Settle the next rows of an issue; returns the last one looked at, and how many were settled."""
    upto = yield from next_rows(message, behind, BATCH_ROWS)
    if upto is None:
        return None, 0
    return upto, (yield from run(_OF_AN_ISSUE[to], message, behind, upto, now_ms))
