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
from secondpost.store.copy_ports import Doubted, InDoubt, IssueInDoubt
from secondpost.store.verbs.engine import BATCH_ROWS, Verbs
from secondpost.store.verbs.sending import next_rows
from secondpost.store.verbs.steps import Row, Steps, number, rows, run
from secondpost.store.verbs.witness import deliveries_of

_OF_AN_ISSUE: Mapping[Doubted, str] = MappingProxyType(
    {Doubted.UNKNOWN: "witness.of_issue_unknown", Doubted.ON: "witness.of_issue_go_on"}
)


class AcceptingVerbs(Verbs):
    async def in_doubt(self) -> list[InDoubt]:
        found = await self._engine.read(rows("witness.in_doubt"))
        return [InDoubt(Lane(str(lane)), of_issues == 1, number(count)) for lane, of_issues, count in found]

    async def were_delivered(self, ids: Sequence[DeliveryId]) -> int:
        now_ms, settled = self._engine.clock.now_ms(), 0
        for start in range(0, len(ids), BATCH_ROWS):
            chosen: list[Row] = [(id.queue_id, id.number) for id in ids[start : start + BATCH_ROWS]]
            batch = partial(run, "witness.were_delivered", now_ms, chosen=chosen)
            settled += await self._engine.change(batch, BATCH_ROWS, ends_mail=True)
        return settled

    def settle_doubted(self, to: Doubted) -> Awaitable[int]:
        batch = partial(_settle_some, to, self._engine.clock.now_ms())
        return self._engine.change_some(batch, 2 * BATCH_ROWS, ends_mail=to is Doubted.DROPPED)

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

    async def settle_issue(self, issue: IssueInDoubt, to: Doubted) -> int:
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


def _settle_some(to: Doubted, now_ms: int) -> Steps[int]:
    found = yield from rows("witness.some_in_doubt", BATCH_ROWS)
    if len(found) == 0:
        return 0
    chosen = deliveries_of(found)
    match to:
        case Doubted.DROPPED:
            return (yield from run("witness.let_drop", now_ms, chosen=chosen))
        case Doubted.AGAIN | Doubted.ON:
            again = int(to is Doubted.AGAIN)
            return (yield from run("witness.go_on", again, now_ms, chosen=chosen))
        case Doubted.UNKNOWN:
            raise ValueError("only mail of an issue becomes unknown")


def _settle_rows(message: int, behind: int, to: Doubted, now_ms: int) -> Steps[tuple[int | None, int]]:
    """Settle the next rows of an issue; returns the last one looked at, and how many were settled."""
    upto = yield from next_rows(message, behind, BATCH_ROWS)
    if upto is None:
        return None, 0
    return upto, (yield from run(_OF_AN_ISSUE[to], message, behind, upto, now_ms))
