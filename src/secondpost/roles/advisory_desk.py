"""Advisories for commands: what the store keeps of them, and asking now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.protocols.osv.questions import AdvisoriesFound
from secondpost.protocols.osv.records import Advisory
from secondpost.protocols.service_questions import WebService
from secondpost.roles.desk import open_desk
from secondpost.roles.parts import SERVICES
from secondpost.roles.web_services import ServicePlace, WebServices
from secondpost.store.advisory_ports import AdvisoryLook
from secondpost.watch.advisories import NotAnswered, WhatRuns, ask_advisories, kept_advisories
from secondpost.world.real.dice import RealDice
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.fetch import RealFetcher
from secondpost.world.real.net import RealNet
from secondpost.world.sockets.services import ServiceAsker

ATTEMPTS_NOW = 1  # a person waits, who can type it again


@dataclass(frozen=True, slots=True)
class KeptHere:
    """What the store keeps. `age_ms`: of the last good answer; None if there never was one."""

    advisories: list[Advisory]
    since_ms: Mapping[str, int]  # by identifier, when the service first answered with it
    look: AdvisoryLook
    now_ms: int

    @property
    def age_ms(self) -> int | None:
        return None if self.look.good_ms is None else max(self.now_ms - self.look.good_ms, 0)


async def kept_here(config: Config) -> KeptHere:
    """Raises what opening a store raises."""
    async with open_desk(config) as open_:
        found = await kept_advisories(open_.desk)
        return KeptHere(
            [advisory for advisory, _ in found],
            {kept.id: kept.since_ms for _, kept in found},
            await open_.desk.advisory_look(),
            open_.clock.now_ms(),
        )


async def ask_now(config: Config, runs: WhatRuns, kept: Iterable[Advisory]) -> AdvisoriesFound | NotAnswered:
    """Ask through the running fetch role, or in its place if none is running or it may not ask."""
    net, resolver = RealNet(), RealResolver(config.dns.servers, RealDice())
    try:
        place = ServicePlace(config.watch.advisories_url)
        fetcher = RealFetcher(resolver, allow_private=config.fetch.allow_private)
        here = WebServices({WebService.OSV: place}, fetcher).ask
        path = RealDisk(config.store).path(SERVICES)
        ask = ServiceAsker(net, path, otherwise=here).ask if config.watch.advisories else here
        return await ask_advisories(runs.inventory, kept, ask, ATTEMPTS_NOW)
    finally:
        resolver.close()
        net.close()
