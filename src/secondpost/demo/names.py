"""The demo's DNS: a few records served over UDP, and a client for its mail servers."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

TTL_SECONDS = 1  # short, so that nothing in the story depends on a cache
ASK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Zone:
    """The records: MX by domain as (preference, host), addresses by host, texts by name."""

    mx: Mapping[str, tuple[tuple[int, str], ...]]
    hosts: Mapping[str, str]
    texts: Mapping[str, str] = field(default_factory=dict)

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        texts: list[str] = []
        if question.rdtype == dns.rdatatype.MX:
            texts = [f"{preference} {host}." for preference, host in self.mx.get(name, ())]
        elif question.rdtype == dns.rdatatype.A and name in self.hosts:
            texts = [self.hosts[name]]
        elif question.rdtype == dns.rdatatype.TXT and name in self.texts:
            texts = [f'"{self.texts[name]}"']
        if len(texts) > 0:
            response.answer.append(
                dns.rrset.from_text(question.name, TTL_SECONDS, "IN", question.rdtype, *texts)
            )
        elif name not in self.hosts and name not in self.mx and name not in self.texts:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response


class _NameServer(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)  # it is no subclass

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            answer = self.zone.answer(dns.message.from_wire(data))
        except (dns.exception.DNSException, IndexError):
            return  # malformed queries get no reply
        if self.transport is not None:
            self.transport.sendto(answer.to_wire(), addr)


async def serve_names(zone: Zone, host: str) -> tuple[asyncio.DatagramTransport, int]:
    """Start the DNS server on a free port; close the transport to stop it."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _NameServer(zone), local_addr=(host, 0))
    return transport, transport.get_extra_info("sockname")[1]


class _Client(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


@dataclass(frozen=True, slots=True)
class Asker:
    """The DNS client of the demo's mail servers: no cache, each look-up goes over the network."""

    host: str
    port: int

    async def mx(self, domain: str) -> list[tuple[int, str]]:
        """Sorted by preference."""
        response = await self._ask(domain, dns.rdatatype.MX)
        found = [
            (record.preference, record.exchange.to_text(omit_final_dot=True))
            for rrset in response.answer
            for record in rrset
        ]
        return sorted(found)

    async def address(self, host: str) -> str:
        response = await self._ask(host, dns.rdatatype.A)
        return str(response.answer[0][0].address)

    async def _ask(self, name: str, kind: dns.rdatatype.RdataType) -> dns.message.Message:
        query = dns.message.make_query(dns.name.from_text(name), kind)
        loop = asyncio.get_running_loop()
        transport, client = await loop.create_datagram_endpoint(_Client, remote_addr=(self.host, self.port))
        try:
            transport.sendto(query.to_wire())
            return dns.message.from_wire(await asyncio.wait_for(client.answer, ASK_SECONDS))
        finally:
            transport.close()
