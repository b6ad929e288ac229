"""Computes the route to a domain, from the configuration and DNS as of now."""

import asyncio
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import Inside, NoPlan, Plan
from secondpost.mail.questions import Asking
from secondpost.route.destination import ByHosts, ByMx, road_to
from secondpost.route.hosts import Ourselves, plan_for_hosts, plan_for_mx, unanswered_hosts, unanswered_mx
from secondpost.world.asking import Answerer, drive

ROUTE_SECONDS_MAX = 30.0  # for all DNS queries of a route


@dataclass(frozen=True, slots=True)
class Routes:
    config: Config
    answerer: Answerer
    us: Ourselves

    async def route(self, lane: Lane, domain: Domain) -> Plan | NoPlan | Inside:
        road = road_to(self.config, lane, domain)
        if isinstance(road, Inside):
            return road
        try:
            async with asyncio.timeout(ROUTE_SECONDS_MAX):
                return await drive(self._asking(road), self.answerer)
        except TimeoutError:
            return self.unanswered(lane, domain)

    def unanswered(self, lane: Lane, domain: Domain) -> NoPlan:
        """The route if DNS did not answer in time."""
        road = road_to(self.config, lane, domain)
        return (
            unanswered_hosts(road.hosts, road.login) if isinstance(road, ByHosts) else unanswered_mx(domain)
        )

    def _asking(self, road: ByHosts | ByMx) -> Asking[Plan | NoPlan]:
        if isinstance(road, ByHosts):
            return plan_for_hosts(road.hosts, road.tls, self.us, road.login)
        return plan_for_mx(road.domain, road.as_backup, self.config.deliver.port, self.us)
