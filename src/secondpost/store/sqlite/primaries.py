"""The primaries of backup domains: which sites they are, since when they are up, what they offer."""

from collections.abc import Awaitable

import apsw

from secondpost.mail.address import Domain
from secondpost.mail.offered import Offered
from secondpost.store.primary_ports import Primary
from secondpost.store.sqlite.base import Base
from secondpost.store.sqlite.queries import maybe_number, number, read_queries

PRIMARY_QUERIES = read_queries("primaries")


class SqlitePrimaries(Base):
    def saw_primary(self, site: str, offered: Offered, now_ms: int) -> Awaitable[None]:
        row = (site, now_ms, offered.size_max, int(offered.smtputf8))

        def write(db: apsw.Connection) -> None:
            db.execute(PRIMARY_QUERIES["saw_primary"], row)

        return self._writer.change(write)

    def relay_sites(self) -> list[tuple[Domain, str]]:
        return [(Domain(str(name)), str(site)) for name, site in self._read(PRIMARY_QUERIES["relay_sites"])]

    def primaries(self) -> dict[Domain, Primary]:
        return {
            Domain(str(name)): Primary(
                str(site),
                number(since_ms),
                number(looked_ms),
                Offered(maybe_number(size_max), smtputf8 == 1),
            )
            for name, site, since_ms, looked_ms, size_max, smtputf8 in self._read(
                PRIMARY_QUERIES["primaries"]
            )
        }

    def kept_for(self, cause: str) -> dict[Domain, int]:
        return {
            Domain(str(name)): number(many)
            for name, many in self._read(PRIMARY_QUERIES["kept_for"], (cause,))
        }

    async def forget_primaries(self, looked_before_ms: int) -> None:
        def write(db: apsw.Connection) -> None:
            db.execute(PRIMARY_QUERIES["forget_primaries"], (looked_before_ms,))

        if len(self._read(PRIMARY_QUERIES["forgotten_primaries"], (looked_before_ms,))) > 0:
            await self._writer.change(write)
