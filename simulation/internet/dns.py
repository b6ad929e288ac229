"""DNS as dicts, and wrong answers seen from single networks.

A zone is data: `mx["a.example"] = [(10, "mx.a.example")]`, `addresses["mx.a.example"] =
["192.0.2.1"]`. A lie applies to one viewpoint (a network, or "*") and one name until it is removed.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from secondpost.mail.address import Domain
from secondpost.mail.dns_questions import PtrAnswer
from secondpost.mail.questions import AddressAnswer, Finding, MxAnswer, MxRecord, TxtAnswer
from simulation.dice import SimDice

QUICK_SECONDS = 0.03
SLOW_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Lie:
    """The answer given instead of the zone's."""

    finding: Finding = Finding.FAILED
    addresses: tuple[str, ...] = ()
    late_seconds: float = 0.0


SERVFAIL = Lie()
NXDOMAIN = Lie(Finding.NO_NAME)
ZERO = Lie(Finding.FOUND, ("0.0.0.0",))
SLOW = Lie(late_seconds=SLOW_SECONDS)


@dataclass(slots=True)
class SimDns:
    mx: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    addresses: dict[str, list[str]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    lies: dict[tuple[str, str], Lie] = field(default_factory=dict)

    def lie(self, viewpoint: str, name: str) -> Lie | None:
        return self.lies.get((viewpoint, name)) or self.lies.get(("*", name))

    def exists(self, name: str) -> bool:
        return name in self.mx or name in self.addresses or name in self.texts


class SimResolver:
    """The Resolver port, as seen from one network."""

    def __init__(self, dns: SimDns, viewpoint: str, scheduling: SimDice) -> None:
        self._dns = dns
        self._viewpoint = viewpoint
        self._dice = scheduling

    async def mx(self, domain: Domain) -> MxAnswer:
        lie = await self._wait(domain.name)
        if lie is not None and len(lie.addresses) == 0:
            return MxAnswer(lie.finding)
        records = self._dns.mx.get(domain.name, [])
        if len(records) == 0:
            return MxAnswer(self._nothing(domain.name))
        return MxAnswer(Finding.FOUND, tuple(MxRecord(*record) for record in self._dice.shuffled(records)))

    async def addresses(self, host: str) -> AddressAnswer:
        lie = await self._wait(host)
        if lie is not None:
            return AddressAnswer(lie.finding, lie.addresses)
        addresses = self._dns.addresses.get(host, [])
        if len(addresses) == 0:
            return AddressAnswer(self._nothing(host))
        return AddressAnswer(Finding.FOUND, tuple(addresses))

    async def txt(self, name: str) -> TxtAnswer:
        lie = await self._wait(name)
        if lie is not None:
            return TxtAnswer(lie.finding if lie.finding is not Finding.FOUND else Finding.FAILED)
        texts = self._dns.texts.get(name, [])
        return TxtAnswer(Finding.FOUND, tuple(texts)) if len(texts) > 0 else TxtAnswer(self._nothing(name))

    async def address_records(self, host: str, version: Literal[4, 6]) -> AddressAnswer:
        answer = await self.addresses(host)
        of_kind = tuple(address for address in answer.addresses if (":" in address) == (version == 6))
        if answer.finding is Finding.FOUND and len(of_kind) == 0:
            return AddressAnswer(Finding.NO_DATA)
        return AddressAnswer(answer.finding, of_kind)

    async def ptr(self, address: str) -> PtrAnswer:
        return PtrAnswer(Finding.NO_NAME)

    async def _wait(self, name: str) -> Lie | None:
        lie = self._dns.lie(self._viewpoint, name)
        late = lie.late_seconds if lie is not None else 0.0
        await asyncio.sleep(late + QUICK_SECONDS * self._dice.fraction())
        return lie if lie is not SLOW else None

    def _nothing(self, name: str) -> Finding:
        return Finding.NO_DATA if self._dns.exists(name) else Finding.NO_NAME
