"""Asks the name servers of a zone themselves, so that no cache hides what was just published."""

import asyncio
from collections.abc import Sequence

from secondpost.mail.address import Endpoint
from secondpost.mail.dns_questions import (
    AddressRecords,
    AnswerOfZone,
    Caa,
    Ns,
    NsAnswer,
    StsPolicyAnswer,
    Tlsa,
    TlsaAnswer,
    ZoneAnswer,
    ZoneOf,
    ZoneQuestion,
    unanswered,
)
from secondpost.mail.questions import AddressAnswer, Addresses, Finding, Mx, Txt
from secondpost.world.asking import ZoneAnswerer, zones_from
from secondpost.world.ports import Dice
from secondpost.world.real.dns import RealResolver

DNS_PORT = 53
NAME_SERVERS_MAX = 13  # of one zone, where each of them is asked
ADDRESSES_MAX = 4  # of one of them
SERVERS_MAX = 3  # addresses of one zone's name servers that are asked


class Authoritative:
    """Answers questions for one look: what it finds out about zones is kept."""

    def __init__(self, configured: ZoneAnswerer, dice: Dice, port: int = DNS_PORT) -> None:
        """`configured` answers what the zones' own servers do not. `port`: of those servers."""
        self._configured = configured
        self._dice = dice
        self._port = port
        self._resolvers: dict[str, RealResolver] = {}  # by zone
        self._silent: set[str] = set()  # zones whose servers do not answer

    async def answer(self, question: ZoneQuestion) -> AnswerOfZone:
        match question:
            case Mx(domain):
                return await self._of_name(domain.name, question)
            case Addresses(name) | AddressRecords(name, _) | Txt(name) | Tlsa(name) | Caa(name):
                return await self._of_name(name, question)
            case _:
                return await self._configured(question)

    def close(self) -> None:
        for resolver in self._resolvers.values():
            resolver.close()

    async def _of_name(self, name: str, question: ZoneQuestion) -> AnswerOfZone:
        found = await self._configured(ZoneOf(name))
        if isinstance(found, ZoneAnswer) and found.finding is Finding.FOUND:
            if found.zone not in self._resolvers | dict.fromkeys(self._silent):
                await self._open(found.zone)
            if found.zone in self._resolvers:
                answer = await zones_from(self._resolvers[found.zone], _no_policy)(question)
                if answer != unanswered(question):
                    return answer
                self._resolvers.pop(found.zone).close()
                self._silent.add(found.zone)
        return await self._configured(question)

    async def _open(self, zone: str) -> None:
        servers = await self._configured(Ns(zone))
        addresses: list[str] = []
        for host in servers.hosts[:SERVERS_MAX] if isinstance(servers, NsAnswer) else ():
            found = await self._configured(Addresses(host))
            addresses += found.addresses[:1] if isinstance(found, AddressAnswer) else ()
        if len(addresses) == 0:
            self._silent.add(zone)
        else:
            endpoints = [Endpoint(address, self._port) for address in addresses]
            self._resolvers[zone] = RealResolver(endpoints, self._dice)


async def _no_policy(_: object) -> StsPolicyAnswer:
    return StsPolicyAnswer(problem="name servers serve no policies")


async def tlsa_of_every_server(
    configured: Sequence[Endpoint], dice: Dice, services: Sequence[str], port: int = DNS_PORT
) -> tuple[TlsaAnswer, ...]:
    """The TLSA records of each service at each name server of its zone, all of them asked at once.

    `configured`: the resolvers that find these servers; empty means those of the system. A server none
    of whose addresses answers has an answer that failed, and so has a service whose servers are not
    found.
    """
    resolver = RealResolver(configured, dice)
    try:
        found = await asyncio.gather(*(_at_every_server(resolver, dice, name, port) for name in services))
    finally:
        resolver.close()
    return tuple(answer for answers in found for answer in answers)


async def _at_every_server(
    resolver: RealResolver, dice: Dice, service: str, port: int
) -> Sequence[TlsaAnswer]:
    zone = await resolver.zone_of(service)
    hosts = (await resolver.ns(zone.zone)).hosts[:NAME_SERVERS_MAX] if zone.finding is Finding.FOUND else ()
    if len(hosts) == 0:
        return [TlsaAnswer(Finding.FAILED)]
    return await asyncio.gather(*(_at_server(resolver, dice, host, service, port) for host in hosts))


async def _at_server(resolver: RealResolver, dice: Dice, host: str, service: str, port: int) -> TlsaAnswer:
    """From the first of its addresses that answers: not every machine reaches both kinds."""
    for address in (await resolver.addresses(host)).addresses[:ADDRESSES_MAX]:
        direct = RealResolver([Endpoint(address, port)], dice)
        try:
            answer = await direct.tlsa(service)
        finally:
            direct.close()
        if answer.finding is not Finding.FAILED:
            return answer
    return TlsaAnswer(Finding.FAILED)
