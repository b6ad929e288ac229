"""The part of the deliver role that watches from other countries, and the same for a command alone.

Its modules are imported where they are used: without `reach` in the configuration they are not needed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from secondpost.config.files import open_to_read
from secondpost.config.records import Config
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.protocols.reach_questions import RoundOver
from secondpost.roles.parts import REACH, REGISTER, SERVICES, Parts, opened
from secondpost.roles.web_services import WebServices, key_reader, service_places
from secondpost.roles.zones import public_addresses
from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.store.reach_ports import ReachKeeping
from secondpost.watch.reach.register_reading import register_reading
from secondpost.world.asking import drive, names_from
from secondpost.world.background import Background
from secondpost.world.ports import Clock, Listening, Resolver
from secondpost.world.sockets.reach import ask_round, round_door
from secondpost.world.sockets.register import RegisterAsker
from secondpost.world.sockets.services import ServiceAsker

if TYPE_CHECKING:
    from secondpost.watch.reach.rounds import ReachRounds
    from secondpost.watch.reach.targets import ReachTargets

FIRST_SECONDS = 60.0  # after the start, so that a service that starts again and again asks no one


def rounds_of(
    config: Config,
    resolver: Resolver,
    clock: Clock,
    store: ReachKeeping,
    services: ServiceAsker,
    register: RegisterAsker,
) -> "ReachRounds":
    from secondpost.watch.reach.rounds import ReachRounds, ReachWorld
    from secondpost.watch.reach.sources import ReachSources
    from secondpost.watch.reach.targets import reach_targets

    async def targets() -> "ReachTargets":
        return await drive(reach_targets(config, public_addresses(config)), names_from(resolver))

    reach = config.reach
    sources = ReachSources(reach, services.ask, store, clock)
    return ReachRounds(reach, sources, store, ReachWorld(targets, register.search, clock))


class ReachWatch:
    """Makes rounds, and states what they found. Without countries in the configuration it does nothing."""

    def __init__(self, parts: Parts, clock: Clock, background: Background) -> None:
        self._parts = parts
        self._clock = clock
        self._background = background
        self._rounds: ReachRounds | None = None
        self._one_at_a_time = asyncio.Lock()
        self._doors: list[Listening] = []

    async def start(self) -> None:
        parts, world = self._parts, self._parts.world
        if not parts.config.reach.is_on:
            return
        services = ServiceAsker(world.net, world.disk.path(SERVICES))
        register = RegisterAsker(world.net, world.disk.path(REGISTER))
        self._rounds = rounds_of(
            parts.config, world.resolver, self._clock, opened(parts.mail), services, register
        )
        door = round_door(self._make, self._background)
        self._doors.append(await door.open(world.net, world.disk.path(REACH)))
        self._background(self._run())

    def stop_listening(self) -> None:
        """The successor is asked from now on."""
        while len(self._doors) > 0:
            self._doors.pop().close()

    async def _run(self) -> None:
        """What stood when the process ended stands at once; then a round every so often."""
        await self._noting_faults(self._state_alarms)
        await asyncio.sleep(max(FIRST_SECONDS, await self._seconds_left()))
        while True:
            await self._make()
            await asyncio.sleep(self._parts.config.reach.every_ms / 1000)

    async def _seconds_left(self) -> float:
        """Until the next round, counted from the last one, which another process may have made."""
        every_ms, now_ms = self._parts.config.reach.every_ms, self._clock.now_ms()
        try:
            counts = await opened(self._parts.mail).last_reach_counts()
        except StoreUnavailable:
            return 0.0
        last_ms = min((count.at_ms for count in counts), default=0)
        return max(0, last_ms + every_ms - now_ms) / 1000 if last_ms <= now_ms else 0.0

    async def _make(self) -> RoundOver:
        async with self._one_at_a_time:
            return await self._noting_faults(self._round)

    async def _round(self) -> None:
        if self._rounds is not None:
            await self._rounds.round()
        await self._state_alarms()

    async def _noting_faults(self, work: Callable[[], Awaitable[None]]) -> RoundOver:
        try:
            await work()
        except (StoreUnavailable, StoreFull) as error:
            self._parts.alarms.begin(AlarmKind.HOUSEKEEPING_WAITS, "", str(error))
            return RoundOver(str(error))
        return RoundOver()

    async def _state_alarms(self) -> None:
        await state_reach_alarms(self._parts.config, opened(self._parts.mail), self._parts.alarms)


async def state_reach_alarms(config: Config, store: ReachKeeping, alarms: StandingAlarms) -> None:
    from secondpost.watch.reach.words import state_alarms

    views, contexts = await store.reach_views(), await store.reach_contexts()
    state_alarms(alarms, views, config.reach.control, contexts)


async def make_round(config: Config) -> RoundOver:
    """A round by the running service, or by this process if none runs. Raises StoreRefused,
    StoreUnavailable and StoreFull.
    """
    from secondpost.store.sqlite import SqliteStore
    from secondpost.world.real.clock import RealClock
    from secondpost.world.real.dice import RealDice
    from secondpost.world.real.disk import RealDisk
    from secondpost.world.real.dns import RealResolver
    from secondpost.world.real.fetch import RealFetcher
    from secondpost.world.real.net import RealNet
    from secondpost.world.real.work import RealWork

    with ExitStack() as ends:
        clock, work, disk, net = RealClock(), RealWork(), RealDisk(config.store), RealNet()
        ends.callback(work.close)
        ends.callback(net.close)
        over = await ask_round(net, disk.path(REACH))
        if over is not None:
            return over
        store = SqliteStore.open_desk(disk, work, clock, failed=lambda error: None)
        ends.callback(store.close)
        resolver = RealResolver(config.dns.servers, RealDice())
        fetcher = RealFetcher(resolver, allow_private=config.fetch.allow_private)
        services = WebServices(service_places(config), fetcher, key_reader(work, open_to_read))
        reading = register_reading(config, fetcher)
        asker = ServiceAsker(net, disk.path(SERVICES), services.ask)
        searcher = RegisterAsker(net, disk.path(REGISTER), None if reading is None else reading.search)
        await rounds_of(config, resolver, clock, store, asker, searcher).round()
    return RoundOver()
