"""The watch over arrivals: looks at what came, finds out from where, judges, and alarms.

Read `blocks` for what is judged. A look is cheap where nothing came.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.arrivals import BlockedNetwork, NetworkOrigin, PrimaryHour, origin_of
from secondpost.mail.duration import MINUTE_MS
from secondpost.mail.moment import utc_text
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.store.arrival_ports import ArrivalsKeeping
from secondpost.store.owner_ports import SiteDown
from secondpost.store.primary_ports import Primary
from secondpost.watch.blocks import judged, seen_of
from secondpost.world.ports import Clock

KEPT_HOURS = 70 * 24
APART_MS_MAX = 10 * MINUTE_MS  # of two looks; what was longer ago, no look has seen
LOOKED_UP_HOURS = 30 * 24  # after so long a network is looked up again
NETWORKS_PER_LOOK_MAX = 100
ALARMS_MAX = 20  # of one domain; more networks are only listed

# Finds out where networks belong; leaves out those of which it got no answer.
OriginLookup = Callable[[Sequence[str]], Awaitable[Mapping[str, NetworkOrigin]]]


class PrimariesView(Protocol):
    """What the watch needs to know of primaries."""

    async def primaries(self) -> dict[Domain, Primary]: ...

    async def sites_down(self) -> list[SiteDown]: ...


class ArrivalsWatch:
    def __init__(
        self,
        config: Config,
        arrivals: ArrivalsKeeping,
        primaries: PrimariesView,
        clock: Clock,
        alarms: StandingAlarms,
        look_up: OriginLookup | None,
    ) -> None:
        self._config = config
        self._arrivals = arrivals
        self._primaries = primaries
        self._clock = clock
        self._alarms = alarms
        self._look_up = look_up
        self._looked_ms: int | None = None
        self._noted: frozenset[PrimaryHour] = frozenset()  # by the last look
        self._forgotten_ms = 0  # what is older was deleted

    async def look(self) -> None:
        """Raises StoreUnavailable, StoreFull."""
        now_ms, hour_ms = self._clock.now_ms(), self._config.watch.hour_ms
        await self._note_primaries(now_ms, hour_ms)
        await self._arrivals.settle_arrivals()
        await self._find_origins(now_ms, hour_ms)
        await self._judge(now_ms, hour_ms)
        await self._forget(now_ms - now_ms % hour_ms - KEPT_HOURS * hour_ms)

    async def _forget(self, before_ms: int) -> None:
        if before_ms == self._forgotten_ms:
            return
        while await self._arrivals.forget_arrivals(before_ms) > 0:
            pass
        self._forgotten_ms = before_ms

    async def _note_primaries(self, now_ms: int, hour_ms: int) -> None:
        before_ms = self._looked_ms
        looked_ms = now_ms if before_ms is None or now_ms - before_ms > APART_MS_MAX else before_ms
        down = {one.site for one in await self._primaries.sites_down()}
        primaries = await self._primaries.primaries()
        found = [
            hour
            for backup in self._config.backups
            if (primary := primaries.get(backup.domain)) is not None
            for hour in primary_hours(backup.domain, primary, hours_between(looked_ms, now_ms, hour_ms))
            if primary.site not in down
        ]
        found += [
            PrimaryHour(backup.domain, at_ms, is_up=False)
            for backup in self._config.backups
            if (primary := primaries.get(backup.domain)) is not None and primary.site in down
            for at_ms in hours_between(max(primary.looked_ms, now_ms - KEPT_HOURS * hour_ms), now_ms, hour_ms)
        ]
        # A look that sees nothing new writes nothing.
        if len(news := [hour for hour in found if hour not in self._noted]) > 0:
            await self._arrivals.note_primaries(news)
        self._noted, self._looked_ms = frozenset(found), now_ms

    async def _find_origins(self, now_ms: int, hour_ms: int) -> None:
        if self._look_up is None:
            return
        before_ms = now_ms - LOOKED_UP_HOURS * hour_ms
        unknown = await self._arrivals.networks_unknown(before_ms, NETWORKS_PER_LOOK_MAX)
        if len(unknown) > 0 and len(found := await self._look_up(unknown)) > 0:
            await self._arrivals.learn_origins(found, now_ms)

    async def _judge(self, now_ms: int, hour_ms: int) -> None:
        since_ms = now_ms - KEPT_HOURS * hour_ms
        counts = await self._arrivals.hour_counts(since_ms)
        hours = await self._arrivals.primary_hours(since_ms)
        origins = await self._arrivals.origins()
        words = {network: origin_of(network, origins) for network in origins}
        known = await self._arrivals.blocked_networks()
        found: list[BlockedNetwork] = []
        for backup in self._config.backups:
            seen = seen_of(backup.domain, counts, hours, words, hour_ms)
            found += judged(seen, known, now_ms)
        ours = {backup.domain for backup in self._config.backups}
        gone = [one for one in known if one.domain not in ours and one.ended_ms is None]
        found += [replace(one, ended_ms=now_ms) for one in gone]
        if len(changed := [one for one in found if one not in known]) > 0:
            await self._arrivals.keep_blocked(changed)
        self._alarm(found, origins)

    def _alarm(self, found: Sequence[BlockedNetwork], origins: Mapping[str, NetworkOrigin]) -> None:
        names = {origin.word: str(origin) for origin in origins.values()}
        standing: dict[Domain, int] = {}
        for one in found:
            name = names.get(one.origin, one.origin)
            subject = f"{one.domain} from {one.origin}"
            if one.ended_ms is not None:
                self._alarms.end(
                    AlarmKind.PRIMARY_BLOCKED, subject, f"hardly any mail comes here from {name}"
                )
                continue
            standing[one.domain] = standing.get(one.domain, 0) + 1
            if standing[one.domain] <= ALARMS_MAX:
                self._alarms.begin(AlarmKind.PRIMARY_BLOCKED, subject, blocked_text(one, name))


def blocked_text(one: BlockedNetwork, name: str) -> str:
    """What is known of a block, for people. `name`: of the network, with its country."""
    return (
        f"servers of {name} bring mail for {one.domain} here although its primary lets us in: "
        f"{one.good} authenticated messages of {one.authors} domains since {utc_text(one.since_ms)}, "
        f"the last in the hour from {utc_text(one.last_ms)}"
    )


def hours_between(from_ms: int, to_ms: int, hour_ms: int) -> range:
    """When the hours began in which a time from the first to the second lies."""
    return range(from_ms - from_ms % hour_ms, to_ms + 1, hour_ms)


def primary_hours(domain: Domain, primary: Primary, hours: Iterable[int]) -> list[PrimaryHour]:
    """What a look at a primary that is up says of hours: it was, if it has been since before they began."""
    return [PrimaryHour(domain, at_ms, primary.since_ms <= at_ms) for at_ms in hours]
