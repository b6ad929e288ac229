"""The watch over a real store, with the services of `elsewhere` and a clock that is set."""

from dataclasses import dataclass, field, replace

from secondpost.config.records import REACH_URLS, ReachPlace, ReachSettings
from secondpost.mail.reach import ReachSource, ReachTarget, ReachView
from secondpost.mail.register import RegisterAsked, RegisterRead, RegisterResult
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.store.reach_ports import ReachKeeping
from secondpost.watch.reach.rounds import ReachRounds, ReachWorld
from secondpost.watch.reach.sources import ReachSources
from secondpost.watch.reach.targets import ReachTargets
from secondpost.watch.reach.words import state_alarms
from tests.clock import SetClock

from .elsewhere import Elsewhere
from .seen import EVERY_MS, TARGET


def reach_with(*sources: ReachSource, countries: tuple[str, ...] = ("RU",)) -> ReachSettings:
    places = tuple(ReachPlace(source, REACH_URLS[source]) for source in (ReachSource.GLOBALPING, *sources))
    return ReachSettings(countries, sources=places)


@dataclass
class Station:
    store: ReachKeeping
    elsewhere: Elsewhere
    alarms: StandingAlarms
    reach: ReachSettings = field(default_factory=reach_with)
    clock: SetClock = field(default_factory=SetClock)
    targets: ReachTargets = field(default_factory=lambda: ReachTargets((TARGET,), True))
    register: RegisterResult = field(default_factory=lambda: RegisterRead("2029-01-05", 20, 1_000))
    searched: list[RegisterAsked] = field(default_factory=list)

    async def rounds(self, *found: str) -> None:
        """A round for each, with what the probes in RU find; time passes between them."""
        rounds = self.of_a_process()
        for one in found:
            self.elsewhere.probes["RU"] = one
            await rounds.round()
            views, contexts = await self.store.reach_views(), await self.store.reach_contexts()
            state_alarms(self.alarms, views, self.reach.control, contexts)
            self.clock.ms += EVERY_MS

    def of_a_process(self) -> ReachRounds:
        async def targets() -> ReachTargets:
            return self.targets

        async def search(asked: RegisterAsked) -> RegisterResult:
            self.searched.append(asked)
            return self.register

        async def pause(seconds: float) -> None:
            self.clock.ms += round(seconds * 1000)

        sources = ReachSources(self.reach, self.elsewhere.ask, self.store, self.clock)
        return ReachRounds(self.reach, sources, self.store, ReachWorld(targets, search, self.clock, pause))

    def with_targets(self, *targets: ReachTarget, is_whole: bool = True) -> None:
        self.targets = ReachTargets(targets, is_whole)

    async def view(self) -> ReachView:
        return (await self.store.reach_views())[0]

    def standing(self) -> dict[str, str]:
        return {alarm.subject: alarm.detail for alarm in self.alarms.standing()}


def another(address: str, host: str = "mx2.provider.example") -> ReachTarget:
    return replace(TARGET, address=address, host=host)
