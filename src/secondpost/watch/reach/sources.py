"""Asks the sources within their quotas, and keeps each answer and how each source stands."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from secondpost.config.records import ReachSettings
from secondpost.mail.moment import utc_text
from secondpost.mail.reach import RawAnswer, ReachSource, SourceState
from secondpost.protocols.service_questions import (
    ServiceAnswer,
    ServiceRequest,
    ServiceResult,
    ServiceSilent,
)
from secondpost.store.reach_ports import ReachKeeping
from secondpost.watch.reach.answers import SourceFailed
from secondpost.watch.reach.globalping import StillRunning
from secondpost.watch.reach.quota import free_at_ms, heeding, quota_of, spent
from secondpost.world.ports import Clock

T = TypeVar("T")
AskSource = Callable[[ServiceRequest], Awaitable[ServiceResult]]


class ReachSources:
    """`ask` hands a question to the fetch role."""

    def __init__(self, reach: ReachSettings, ask: AskSource, store: ReachKeeping, clock: Clock) -> None:
        self._reach = reach
        self._ask = ask
        self._store = store
        self._clock = clock

    def is_on(self, source: ReachSource) -> bool:
        return self._reach.url(source) is not None

    async def ask(
        self,
        source: ReachSource,
        request: ServiceRequest,
        read: Callable[[ServiceResult], T | SourceFailed],
        cost: int = 0,
    ) -> T | SourceFailed:
        """What the answer says, as `read` understands it. A question that costs nothing, such as one for
        the result of another, is asked in any case. Raises StoreUnavailable and StoreFull.
        """
        refused = None if cost == 0 else await self.spend(source, cost)
        if refused is not None:
            return refused
        result = await self._ask(request)
        found = read(result)
        if not isinstance(found, StillRunning):
            await self._keep(source, request, result)
        failed = found if isinstance(found, SourceFailed) else None
        headers = result.headers if isinstance(result, ServiceAnswer) else {}
        state = heeding(await self._state(source), headers, self._clock.now_ms())
        await self._note(state, failed)
        return found

    async def spend(self, source: ReachSource, cost: int) -> SourceFailed | None:
        """Count a question before it is asked, or say why it may not be asked now."""
        now_ms, state = self._clock.now_ms(), await self._state(source)
        quota = quota_of(self._reach, source)
        free_ms = free_at_ms(state, quota, cost, now_ms)
        if free_ms > now_ms:
            return SourceFailed(f"is not asked before {utc_text(free_ms)}: its quota is used up")
        await self._store.note_source(spent(state, quota, cost, now_ms))
        return None

    async def note(self, source: ReachSource, failed: SourceFailed | None, found: str = "") -> None:
        """Record what became of a question beyond its answers."""
        state = await self._state(source)
        await self._note(replace(state, found=found or state.found), failed)

    async def _note(self, state: SourceState, failed: SourceFailed | None) -> None:
        now_ms = self._clock.now_ms()
        if failed is None:
            state = replace(state, answered_ms=now_ms, failed_ms=0, failure="")
        else:
            rests_ms = max(state.rests_until_ms, now_ms + failed.rest_ms if failed.rest_ms > 0 else 0)
            state = replace(state, failed_ms=now_ms, failure=failed.reason, rests_until_ms=rests_ms)
        await self._store.note_source(state)

    async def _state(self, source: ReachSource) -> SourceState:
        return (await self._store.reach_sources()).get(source, SourceState(source))

    async def _keep(self, source: ReachSource, request: ServiceRequest, result: ServiceResult) -> None:
        asked = f"{'GET' if request.body is None else 'POST'} {request.path}"
        match result:
            case ServiceAnswer(status, _, body):
                kept = RawAnswer(0, self._clock.now_ms(), source, asked, status, len(body), body)
            case ServiceSilent(reason):
                text = reason.encode()
                kept = RawAnswer(0, self._clock.now_ms(), source, asked, 0, len(text), text)
        await self._store.keep_answer(kept)
