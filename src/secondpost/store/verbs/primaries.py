"""Primaries of backup domains: their sites, since when they are up, and what they offer."""

from collections.abc import Awaitable

from secondpost.mail.address import Domain
from secondpost.mail.offered import Offered
from secondpost.store.primary_ports import Primary
from secondpost.store.verbs.engine import Verbs
from secondpost.store.verbs.steps import Row, Steps, maybe_number, number, rows, run


class PrimariesVerbs(Verbs):
    def saw_primary(self, site: str, offered: Offered, now_ms: int) -> Awaitable[None]:
        def write() -> Steps[None]:
            smtputf8 = int(offered.smtputf8)
            yield from run("primaries.saw_primary", site, now_ms, offered.size_max, smtputf8)

        return self._engine.change(write)

    async def relay_sites(self) -> list[tuple[Domain, str]]:
        found = await self._engine.read(rows("primaries.relay_sites"))
        return [(Domain(str(name)), str(site)) for name, site in found]

    async def primaries(self) -> dict[Domain, Primary]:
        found = await self._engine.read(rows("primaries.primaries"))
        return {Domain(str(row[0])): _primary(row) for row in found}

    async def kept_for(self, cause: str) -> dict[Domain, int]:
        found = await self._engine.read(rows("primaries.kept_for", cause))
        return {Domain(str(name)): number(many) for name, many in found}

    async def recipients_learned(self, domain: Domain) -> int:
        found = await self._engine.read(rows("primaries.recipients_learned", f"@{domain}"))
        return number(found[0][0])

    async def forget_primaries(self, looked_before_ms: int) -> None:
        def write() -> Steps[None]:
            yield from run("primaries.forget_primaries", looked_before_ms)

        if len(await self._engine.read(rows("primaries.forgotten_primaries", looked_before_ms))) > 0:
            await self._engine.change(write)


def _primary(row: Row) -> Primary:
    _, site, since_ms, looked_ms, size_max, smtputf8 = row
    offered = Offered(maybe_number(size_max), smtputf8 == 1)
    return Primary(str(site), number(since_ms), number(looked_ms), offered)
