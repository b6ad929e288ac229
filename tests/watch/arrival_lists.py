"""What the watch over arrivals needs of a store, as lists that a test fills."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field

from secondpost.mail.address import Domain
from secondpost.mail.arrivals import BlockedNetwork, HourCount, NetworkOrigin, PrimaryHour
from secondpost.mail.offered import Offered
from secondpost.store.owner_ports import SiteDown
from secondpost.store.primary_ports import Primary

NET = Domain("example.net")
SITE = "mx1.provider.example"


@dataclass(slots=True)
class ListedArrivals:
    """Implements ArrivalsKeeping and PrimariesView."""

    counts: list[HourCount] = field(default_factory=list)
    hours: dict[tuple[Domain, int], bool] = field(default_factory=dict)
    found: dict[str, NetworkOrigin] = field(default_factory=dict)
    known: dict[tuple[Domain, str, int], BlockedNetwork] = field(default_factory=dict)
    primary: Primary = field(default_factory=lambda: Primary(SITE, 0, 0, Offered(None, False)))
    down: list[SiteDown] = field(default_factory=list)
    writes: int = 0

    async def primaries(self) -> dict[Domain, Primary]:
        return {NET: self.primary}

    async def sites_down(self) -> list[SiteDown]:
        return self.down

    async def hour_counts(self, since_ms: int) -> list[HourCount]:
        return [one for one in self.counts if one.hour_ms >= since_ms]

    async def primary_hours(self, since_ms: int) -> list[PrimaryHour]:
        hours = [PrimaryHour(domain, at_ms, is_up) for (domain, at_ms), is_up in self.hours.items()]
        return sorted((one for one in hours if one.hour_ms >= since_ms), key=lambda one: one.hour_ms)

    async def origins(self) -> dict[str, NetworkOrigin]:
        return self.found

    async def blocked_networks(self) -> list[BlockedNetwork]:
        return list(self.known.values())

    async def settle_arrivals(self) -> int:
        return 0

    def note_primaries(self, hours: Sequence[PrimaryHour]) -> Awaitable[None]:
        self.writes += 1
        for one in hours:
            key = one.domain, one.hour_ms
            self.hours[key] = one.is_up and self.hours.get(key, True)
        return asyncio.sleep(0)

    async def networks_unknown(self, looked_before_ms: int, limit: int) -> list[str]:
        networks = {count.network for count in self.counts}
        return sorted(networks - self.found.keys())[:limit]

    def learn_origins(self, origins: Mapping[str, NetworkOrigin], at_ms: int) -> Awaitable[None]:
        self.writes += 1
        self.found |= origins
        return asyncio.sleep(0)

    def keep_blocked(self, blocks: Sequence[BlockedNetwork]) -> Awaitable[None]:
        self.writes += 1
        self.known |= {(one.domain, one.origin, one.since_ms): one for one in blocks}
        return asyncio.sleep(0)

    def forget_arrivals(self, before_ms: int) -> Awaitable[int]:
        self.writes += 1
        return asyncio.sleep(0, 0)

    async def known_authors(self, domain: Domain) -> int:
        return 0
