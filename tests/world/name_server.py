"""A small DNS server on loopback, UDP and TCP on one port, which can give false answers."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from secondpost.mail.address import Endpoint

SOA = "example. 600 IN SOA ns.example. hostmaster.example. 1 3600 600 86400 120"


class Zone:
    """The records, one per line: "name ttl IN type data"."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._sets: dict[dns.name.Name, list[dns.rrset.RRset]] = {}
        for it in _sets(lines):
            self._sets.setdefault(it.name, []).append(it)

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """The answer with all known records of a CNAME chain, as given by a resolver."""
        reply = dns.message.make_response(query, recursion_available=True)
        reply.flags |= dns.flags.AA
        asked = query.question[0]
        name = asked.name
        for _ in range(20):
            matching = self._sets.get(name, [])
            found = [it for it in matching if it.rdtype == asked.rdtype]
            if len(found) > 0:
                reply.answer.extend(found)
                return reply
            alias = [it for it in matching if it.rdtype == dns.rdatatype.CNAME]
            if len(alias) == 0:
                if len(matching) == 0:
                    reply.set_rcode(dns.rcode.NXDOMAIN)
                break
            reply.answer.extend(alias)
            name = alias[0][0].target
        reply.authority.append(self._soa(name))
        return reply

    def _soa(self, name: dns.name.Name) -> dns.rrset.RRset:
        """That of the nearest zone above the name, or SOA."""
        while name != dns.name.root:
            for it in self._sets.get(name, []):
                if it.rdtype == dns.rdatatype.SOA:
                    return it
            name = name.parent()
        return _sets([SOA])[0]


def _sets(lines: Sequence[str]) -> list[dns.rrset.RRset]:
    sets: dict[tuple[str, str], list[str]] = {}
    ttls: dict[tuple[str, str], int] = {}
    for line in lines:
        name, ttl, _, kind, data = line.split(maxsplit=4)
        sets.setdefault((name, kind), []).append(data)
        ttls[name, kind] = int(ttl)
    return [
        dns.rrset.from_text(name, ttls[name, kind], "IN", kind, *data) for (name, kind), data in sets.items()
    ]


Respond = Callable[[dns.message.Message, bool], Sequence[bytes]]


@dataclass(slots=True)
class NameServer:
    """`respond` gets the query and whether it came over TCP, and returns the datagrams to send."""

    respond: Respond
    asked: list[str] = field(default_factory=list)  # "name type carrier"
    endpoint: Endpoint = field(default_factory=lambda: Endpoint("127.0.0.1", 0))
    _socket: socket.socket | None = None
    _server: asyncio.AbstractServer | None = None

    @classmethod
    async def truthful(cls, *lines: str) -> "NameServer":
        zone = Zone(lines)
        return await cls.lying(lambda query, _: [zone.answer(query).to_wire()])

    @classmethod
    async def lying(cls, respond: Respond) -> "NameServer":
        server = cls(respond)
        await server.open()
        return server

    async def open(self) -> None:
        """Listen: the first time on any free port, later on the same one."""
        self._server = await asyncio.start_server(self._serve_tcp, "127.0.0.1", self.endpoint.port)
        port = self._server.sockets[0].getsockname()[1]
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(("127.0.0.1", port))
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._serve_udp)
        self.endpoint = Endpoint("127.0.0.1", port)

    def close(self) -> None:
        assert self._socket is not None
        assert self._server is not None
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        self._server.close()

    def _answers(self, wire: bytes, is_tcp: bool) -> Sequence[bytes]:
        query = dns.message.from_wire(wire)
        asked = query.question[0]
        kind = dns.rdatatype.to_text(asked.rdtype)
        self.asked.append(f"{asked.name} {kind} {'tcp' if is_tcp else 'udp'}")
        return self.respond(query, is_tcp)

    def _serve_udp(self) -> None:
        assert self._socket is not None
        with suppress(BlockingIOError):
            while True:
                wire, caller = self._socket.recvfrom(4096)
                for answer in self._answers(wire, is_tcp=False):
                    self._socket.sendto(answer, caller)

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            size = int.from_bytes(await reader.readexactly(2))
            for answer in self._answers(await reader.readexactly(size), is_tcp=True):
                writer.write(len(answer).to_bytes(2) + answer)
            await writer.drain()
        finally:
            writer.close()


def truncated(query: dns.message.Message) -> bytes:
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.TC
    return reply.to_wire()


def refusal(query: dns.message.Message, rcode: dns.rcode.Rcode) -> bytes:
    reply = dns.message.make_response(query)
    reply.set_rcode(rcode)
    return reply.to_wire()
