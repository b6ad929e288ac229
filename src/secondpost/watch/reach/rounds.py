"""One round: every address from every country, then what confirms or explains a block."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from secondpost.config.records import ReachSettings
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.reach import (
    Confirmation,
    ProbeLook,
    ReachContext,
    ReachCount,
    ReachSource,
    ReachTarget,
    ReachVerdict,
    ReachView,
)
from secondpost.mail.register import RegisterAsked, RegisterHit, RegisterRead, RegisterResult
from secondpost.store.reach_ports import ReachKeeping
from secondpost.watch.reach import atlas, globalping, ooni
from secondpost.watch.reach.answers import SourceFailed
from secondpost.watch.reach.sources import ReachSources
from secondpost.watch.reach.targets import ReachTargets
from secondpost.watch.reach.verdict import (
    after_round,
    asked_again,
    by_network,
    confirmed,
    control_passes,
    counted_networks,
)
from secondpost.world.ports import Clock

RESULT_SECONDS = 2.0  # between two looks at a measurement of Globalping: it allows five in two seconds
RESULTS_MAX = 25  # looks; Globalping itself ends a measurement after 30 s
TRACE_SECONDS = 60.0  # between two looks at a measurement of RIPE Atlas
TRACES_MAX = 12
TRACED_PART = 0.7  # of the probes asked for: the others may be off
CONFIRMED_AGAIN_MS = 6 * HOUR_MS
CONTEXT_MS = DAY_MS
COUNTS_MS = 31 * DAY_MS
REGISTER_COUNTRY = "RU"

Pause = Callable[[float], Awaitable[None]]
Views = dict[tuple[str, str], ReachView]


@dataclass(frozen=True, slots=True)
class ReachWorld:
    """What a round needs of the others: the addresses, the register, and time."""

    targets: Callable[[], Awaitable[ReachTargets]]
    register: Callable[[RegisterAsked], Awaitable[RegisterResult]]
    clock: Clock
    pause: Pause = asyncio.sleep


class ReachRounds:
    def __init__(
        self, reach: ReachSettings, sources: ReachSources, store: ReachKeeping, world: ReachWorld
    ) -> None:
        self._reach = reach
        self._sources = sources
        self._store = store
        self._world = world

    async def round(self) -> None:
        """Raises StoreUnavailable and StoreFull; the next round does what is left."""
        at_ms = self._world.clock.now_ms()
        asked = await self._world.targets()
        views = {(view.target.address, view.country): view for view in await self._store.reach_views()}
        for target in sorted(asked.targets, key=lambda one: self._looked_ms(views, one)):
            await self._look(target, views, at_ms)
        if asked.is_whole:
            await self._forget_others(asked.targets, views)
        for view in list(views.values()):
            if self._is_to_confirm(view, at_ms):
                await self._confirm(view)
        await self._look_up(asked.targets, [one for one in views.values() if _is_blocked(one)], at_ms)
        await self._store.forget_counts(at_ms - COUNTS_MS)

    def _looked_ms(self, views: Views, target: ReachTarget) -> int:
        """Those that were looked at longest ago are first, in case the quota does not do for all."""
        looked = [views.get((target.address, country)) for country in self._reach.countries]
        return max((0 if view is None else view.looked_ms for view in looked), default=0)

    async def _look(self, target: ReachTarget, views: Views, at_ms: int) -> None:
        before = {
            country: replace(views.get((target.address, country), ReachView(target, country)), target=target)
            for country in self._reach.countries
        }
        looks = await self._connect(target, before, at_ms)
        if isinstance(looks, SourceFailed):
            looks = ()
        counts = [self._counted(target, country, looks, at_ms) for country in (*before, self._reach.control)]
        is_conclusive = control_passes(counts[-1])
        for country, view in before.items():
            seen = after_round(view, _of(country, looks), is_conclusive, at_ms)
            views[target.address, country] = seen
            await self._store.note_view(seen)
        if len(looks) > 0:
            await self._store.note_counts(counts)

    def _counted(
        self, target: ReachTarget, country: str, looks: Sequence[ProbeLook], at_ms: int
    ) -> ReachCount:
        return counted_networks(target.address, country, by_network(_of(country, looks)), at_ms)

    async def _connect(
        self, target: ReachTarget, before: Mapping[str, ReachView], at_ms: int
    ) -> Sequence[ProbeLook] | SourceFailed:
        """What Globalping's probes found."""
        source = ReachSource.GLOBALPING
        countries = {country: asked_again(view, at_ms) for country, view in before.items()}
        request = globalping.measurement_request(target.address, countries, self._reach.control)
        cost = globalping.tests_in(countries)
        created = await self._sources.ask(source, request, globalping.read_created, cost)
        if isinstance(created, SourceFailed):
            return created
        for _ in range(RESULTS_MAX):
            await self._world.pause(RESULT_SECONDS)
            request = globalping.result_request(created)
            found = await self._sources.ask(source, request, globalping.read_measurement)
            if isinstance(found, SourceFailed):
                return found
            if isinstance(found, globalping.Looked):
                return found.looks
        return await self._failed(source, "did not finish a measurement in time")

    async def _failed(self, source: ReachSource, reason: str) -> SourceFailed:
        failed = SourceFailed(reason)
        await self._sources.note(source, failed)
        return failed

    async def _forget_others(self, targets: Sequence[ReachTarget], views: Views) -> None:
        """Addresses that are no MX any more, and countries that are not watched any more."""
        addresses = {target.address for target in targets}
        for (address, country), view in list(views.items()):
            if address not in addresses or country not in self._reach.countries:
                del views[address, country]
                await self._store.forget_view(view)

    # -- what confirms a block

    def _is_to_confirm(self, view: ReachView, at_ms: int) -> bool:
        is_due = at_ms - view.confirmed_ms >= CONFIRMED_AGAIN_MS
        return self._sources.is_on(ReachSource.ATLAS) and _is_blocked(view) and is_due

    async def _confirm(self, view: ReachView) -> None:
        looks = await self._trace(view)
        said = Confirmation.NO_ANSWER
        if not isinstance(looks, SourceFailed):
            said = confirmed(view, _of(view.country, looks), _of(self._reach.control, looks))
        await self._store.note_view(replace(view, confirmation=said, confirmed_ms=self._world.clock.now_ms()))

    async def _trace(self, view: ReachView) -> Sequence[ProbeLook] | SourceFailed:
        """What RIPE Atlas' probes found."""
        source, address = ReachSource.ATLAS, view.target.address
        networks = [one.network for one in view.blocked][:3]
        request, probes = atlas.trace_request(address, view.country, networks, self._reach.control)
        created = await self._sources.ask(
            source, request, atlas.read_atlas_created, probes * atlas.CREDITS_PER_PROBE
        )
        if isinstance(created, SourceFailed):
            return created
        traced = atlas.AtlasTraces({})
        for _ in range(TRACES_MAX):
            await self._world.pause(TRACE_SECONDS)
            found = await self._sources.ask(source, atlas.traces_request(created), atlas.read_traces)
            if isinstance(found, SourceFailed):
                return found
            traced = found
            if len(traced.findings) >= probes * TRACED_PART:
                break
        if len(traced.findings) == 0:
            return await self._failed(source, "has not one probe's result")
        read = partial(atlas.read_networks, traced=traced, address=address)
        return await self._sources.ask(source, atlas.networks_request(traced), read)

    # -- what explains a block

    async def _look_up(
        self, targets: Sequence[ReachTarget], blocked: Sequence[ReachView], at_ms: int
    ) -> None:
        if self._sources.is_on(ReachSource.REGISTER) and await self._is_stale(ReachSource.REGISTER, at_ms):
            await self._search_register(targets, at_ms)
        if self._sources.is_on(ReachSource.OONI):
            for country in sorted({view.country for view in blocked}):
                await self._ask_ooni(country, [one for one in blocked if one.country == country], at_ms)

    async def _is_stale(self, source: ReachSource, at_ms: int) -> bool:
        state = (await self._store.reach_sources()).get(source)
        return state is None or not 0 <= at_ms - state.answered_ms < CONTEXT_MS

    async def _search_register(self, targets: Sequence[ReachTarget], at_ms: int) -> None:
        source = ReachSource.REGISTER
        if await self._sources.spend(source, 1) is not None:
            return
        names = {name: None for target in targets for name in (target.host, *target.domains)}
        addresses = tuple(target.address for target in targets)
        match await self._world.register(RegisterAsked(addresses, tuple(names))):
            case RegisterRead(updated, files, lines, hits):
                found = f"of {updated}, {files} files, {lines:,} lines"
                await self._sources.note(source, None, found)
                await self._store.note_contexts(source, REGISTER_COUNTRY, _contexts(hits, at_ms))
            case unread:
                await self._sources.note(source, SourceFailed(unread.reason))

    async def _ask_ooni(self, country: str, blocked: Sequence[ReachView], at_ms: int) -> None:
        source = ReachSource.OONI
        known = {one.subject: one for one in await self._store.reach_contexts() if _is(one, source, country)}
        kept = []
        for target in (view.target for view in blocked):
            before = known.get(target.address)
            if before is None or not 0 <= at_ms - before.at_ms < CONTEXT_MS:
                request = ooni.counts_request(target, country, at_ms)
                counts = await self._sources.ask(source, request, ooni.read_counts, 1)
                if not isinstance(counts, SourceFailed):
                    before = ReachContext(source, target.address, country, at_ms, counts)
            if before is not None:
                kept.append(before)
        await self._store.note_contexts(source, country, kept)


def _of(country: str, looks: Sequence[ProbeLook]) -> list[ProbeLook]:
    return [look for look in looks if look.country == country]


def _is(context: ReachContext, source: ReachSource, country: str) -> bool:
    return context.source is source and context.country == country


def _is_blocked(view: ReachView) -> bool:
    return view.verdict is ReachVerdict.BLOCKED


def _contexts(hits: Sequence[RegisterHit], at_ms: int) -> list[ReachContext]:
    """One for each address or name: all that the register has of it."""
    lines: dict[str, list[str]] = {}
    for hit in hits:
        said = f"{hit.entry} ({', '.join(filter(None, (hit.authority, hit.decision, hit.date)))})"
        lines.setdefault(hit.subject, []).append(said)
    return [
        ReachContext(ReachSource.REGISTER, subject, REGISTER_COUNTRY, at_ms, "; ".join(said[:5]))
        for subject, said in lines.items()
    ]
