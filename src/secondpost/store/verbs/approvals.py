"""Approvals of issues, and the order of the next issue.

Bounds: a newsletter has one approval a slot; those asked for KEPT_MS ago are deleted when it is
asked again.
"""

from collections.abc import Awaitable, Sequence

from secondpost.mail.duration import DAY_MS
from secondpost.mail.issue import ArticleId, DigestDraft
from secondpost.store.approval_ports import Approval, ApprovalId, ApprovalOutcome
from secondpost.store.verbs.engine import Verbs
from secondpost.store.verbs.steps import Row, Steps, maybe_number, number, rows, run

KEPT_MS = 90 * DAY_MS  # so long a link says what became of it


class ApprovalsVerbs(Verbs):
    async def approval(self, newsletter: str, slot: str) -> Approval | None:
        return _first(await self._engine.read(rows("approvals.approval", newsletter, slot)))

    async def newest_approval(self, newsletter: str) -> Approval | None:
        return _first(await self._engine.read(rows("approvals.newest", newsletter)))

    def ask_approval(self, draft: DigestDraft, last_ms: int | None, now_ms: int) -> Awaitable[Approval]:
        def write() -> Steps[Approval]:
            articles = _text_of(draft.articles)
            found = _first((yield from rows("approvals.approval", draft.newsletter, draft.slot)))
            if found is None or found.approved_ms is not None:
                yield from run("approvals.ask", draft.newsletter, draft.slot, articles, last_ms, now_ms)
            elif found.articles != draft.articles or found.last_ms != last_ms:
                yield from run("approvals.change", found.id, articles, last_ms)
            asked = _first((yield from rows("approvals.approval", draft.newsletter, draft.slot)))
            assert asked is not None
            yield from run("approvals.forget", draft.newsletter, asked.id, now_ms - KEPT_MS)
            return asked

        return self._engine.change(write)

    async def approvals_to_mail(self) -> list[Approval]:
        def look() -> Steps[list[Approval]]:
            found = [_approval(row) for row in (yield from rows("approvals.to_mail"))]
            waiting = []
            for each in found:
                if len((yield from rows("approvals.is_decided", *_slot(each)))) == 0:
                    waiting.append(each)
            return waiting

        return await self._engine.read(look())

    def set_secret(self, id: ApprovalId, secret: bytes) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("approvals.set_secret", id, secret)

        return self._engine.change(write)

    def approval_mailed(self, id: ApprovalId, now_ms: int) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("approvals.mailed", id, now_ms)

        return self._engine.change(write)

    async def approval_of_secret(self, secret: bytes) -> Approval | None:
        return _first(await self._engine.read(rows("approvals.by_secret", secret)))

    async def is_approval_over(self, id: ApprovalId, now_ms: int) -> bool:
        def look() -> Steps[bool]:
            found = _first((yield from rows("approvals.by_id", id)))
            return found is None or (yield from _is_over(found, now_ms))

        return await self._engine.read(look())

    def approve(
        self, id: ApprovalId, articles: Sequence[ArticleId], now_ms: int
    ) -> Awaitable[ApprovalOutcome]:
        def write() -> Steps[ApprovalOutcome]:
            found = _first((yield from rows("approvals.by_id", id)))
            if found is None:
                return ApprovalOutcome.OVER
            if found.approved_ms is not None:
                return ApprovalOutcome.ALREADY
            if (yield from _is_over(found, now_ms)):
                return ApprovalOutcome.OVER
            if found.articles != tuple(articles):
                return ApprovalOutcome.CHANGED
            yield from run("approvals.approve", id, now_ms)
            return ApprovalOutcome.APPROVED

        return self._engine.change(write)

    async def next_order(self, newsletter: str) -> tuple[ArticleId, ...]:
        for (articles,) in await self._engine.read(rows("approvals.next_order", newsletter)):
            return _articles(articles)
        return ()

    def set_next_order(self, newsletter: str, articles: Sequence[ArticleId]) -> Awaitable[None]:
        def write() -> Steps[None]:
            if len(articles) == 0:
                yield from run("approvals.drop_next_order", newsletter)
            else:
                yield from run("approvals.set_next_order", newsletter, _text_of(articles))

        return self._engine.change(write)


def _is_over(found: Approval, now_ms: int) -> Steps[bool]:
    if found.last_ms is not None and now_ms > found.last_ms:
        return True
    return len((yield from rows("approvals.is_decided", *_slot(found)))) > 0


def _slot(found: Approval) -> tuple[str, str, int]:
    return found.newsletter, found.slot, found.id


def _first(found: Sequence[Row]) -> Approval | None:
    return None if len(found) == 0 else _approval(found[0])


def _approval(row: Row) -> Approval:
    id, newsletter, slot, articles, last_ms, asked_ms, approved_ms = row
    return Approval(
        ApprovalId(number(id)),
        str(newsletter),
        str(slot),
        _articles(articles),
        maybe_number(last_ms),
        number(asked_ms),
        maybe_number(approved_ms),
    )


def _text_of(articles: Sequence[ArticleId]) -> str:
    return " ".join(map(str, articles))


def _articles(text: object) -> tuple[ArticleId, ...]:
    return tuple(ArticleId(int(word)) for word in str(text).split())
