"""Advisories about what runs here, and how asking for them went."""

from collections.abc import Awaitable, Sequence

from secondpost.store.advisory_ports import AdvisoryLook, KeptAdvisory
from secondpost.store.verbs.engine import CHANGE_UNITS, OCTETS_PER_UNIT, Verbs
from secondpost.store.verbs.steps import Steps, maybe_number, number, rows, run


class AdvisoriesVerbs(Verbs):
    async def advisories(self) -> list[KeptAdvisory]:
        found = await self._engine.read(rows("advisories.advisories"))
        return [KeptAdvisory(str(id), str(record), number(since_ms)) for id, record, since_ms in found]

    async def advisory_look(self) -> AdvisoryLook:
        for tried_ms, good_ms, failing_ms, why in await self._engine.read(rows("advisories.look")):
            return AdvisoryLook(number(tried_ms), maybe_number(good_ms), maybe_number(failing_ms), str(why))
        return AdvisoryLook()

    def keep_advisories(self, chosen: Sequence[KeptAdvisory], now_ms: int) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("advisories.keep", now_ms, chosen=[(one.id, one.record) for one in chosen])

        octets = sum(len(one.record) for one in chosen)
        return self._engine.change(write, CHANGE_UNITS + octets // OCTETS_PER_UNIT)

    def note_advisories(self, ids: Sequence[str], now_ms: int) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("advisories.forget_others", chosen=[(id,) for id in ids])
            yield from run("advisories.note_good", now_ms)

        return self._engine.change(write)

    def note_no_advisories(self, why: str, now_ms: int) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("advisories.note_bad", now_ms, why)

        return self._engine.change(write)
