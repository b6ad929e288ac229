"""Queries one DNS server: over a UDP socket that stays open and connected, or over TCP.

A connected socket gets packets from that server only, and errors if no server is there. Queries are
identified by random numbers. A reply with the wrong number or question may be forged and is
ignored; after many of them the socket is replaced by one with another port (RFC 5452 §9.2).
"""

import asyncio
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from secondpost.mail.address import Endpoint
from secondpost.protocols.dns.lookup import Ask, Carrier, DnsQuestion, Silence, Unhelpful, UpstreamReply
from secondpost.world.ports import Dice
from secondpost.world.real.dns_message import NotAName, read_reply, write_question

ON_THE_WAY_MAX = 200  # concurrent queries: a larger burst would overflow the server's socket buffer
DATAGRAM_OCTETS_MAX = 4096  # more than we announce
LENGTH_OCTETS = 2  # of the length before a message on TCP
READ_MAX = 100  # datagrams read at once
STRAYS_MAX = 100  # consecutive unexpected replies until the port is changed


@dataclass(frozen=True, slots=True)
class _Waiting:
    question: DnsQuestion
    reply: "asyncio.Future[UpstreamReply]"


class Upstream:
    """The connection to one DNS server."""

    def __init__(self, endpoint: Endpoint, dice: Dice) -> None:
        self.endpoint = endpoint
        self.silent_at: float | None = None  # in the loop's time; None if it answered last time
        self._dice = dice
        self._room = asyncio.Semaphore(ON_THE_WAY_MAX)
        self._waiting: dict[int, _Waiting] = {}
        self._socket: socket.socket | None = None
        self._strays = 0

    async def ask(self, ask: Ask) -> UpstreamReply:
        """Send a query and wait for the reply. Raises only on cancellation."""
        try:
            async with asyncio.timeout(ask.seconds):
                match ask.carrier:
                    case Carrier.UDP:
                        async with self._room:
                            reply = await self._ask_udp(ask.question)
                    case Carrier.TCP:
                        reply = await self._ask_tcp(ask.question)
        except TimeoutError:
            self.silent_at = asyncio.get_running_loop().time()
            return Silence()
        except OSError as error:
            self.silent_at = asyncio.get_running_loop().time()
            return Unhelpful(os.strerror(error.errno).lower() if error.errno is not None else str(error))
        except NotAName as error:
            return Unhelpful(str(error))
        self.silent_at = None
        return reply

    def close(self) -> None:
        """Close the socket; pending queries get no reply."""
        self._close_socket()

    # -- UDP
    async def _ask_udp(self, question: DnsQuestion) -> UpstreamReply:
        number = self._new_number()
        wire = write_question(question, number)
        reply: asyncio.Future[UpstreamReply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = _Waiting(question, reply)
        try:
            self._send(wire)
            return await reply
        finally:
            del self._waiting[number]

    def _new_number(self) -> int:
        while (number := int.from_bytes(self._dice.token(2))) in self._waiting:
            pass
        return number

    def _send(self, wire: bytes) -> None:
        try:
            self._open_socket().send(wire)
        except ConnectionRefusedError:  # an earlier query was refused; the socket reports it only now
            self._close_socket()
            self._open_socket().send(wire)
        except BlockingIOError:
            pass  # the buffer is full: like a lost packet

    def _open_socket(self) -> socket.socket:
        if self._socket is not None:
            return self._socket
        family = socket.AF_INET6 if ":" in self.endpoint.host else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            opened.connect((self.endpoint.host, self.endpoint.port))
        except OSError:
            opened.close()
            raise
        asyncio.get_running_loop().add_reader(opened.fileno(), self._read)
        self._socket, self._strays = opened, 0
        return opened

    def _close_socket(self) -> None:
        if self._socket is not None:
            with suppress(RuntimeError):  # the loop is closed
                asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _read(self) -> None:
        for _ in range(READ_MAX):
            if self._socket is None:
                return
            try:
                wire = self._socket.recv(DATAGRAM_OCTETS_MAX)
            except BlockingIOError:
                return
            except OSError as error:  # such as no server on that port
                self._close_socket()  # uvloop stops watching a socket after an error
                self._tell_all(error)
                return
            self._hear(wire)

    def _hear(self, wire: bytes) -> None:
        number = int.from_bytes(wire[:2])
        waiting = self._waiting.get(number)
        reply = read_reply(wire, number, waiting.question) if waiting is not None else None
        if waiting is None or reply is None:
            self._strays += 1
            if self._strays >= STRAYS_MAX:
                self._close_socket()
            return
        self._strays = 0
        if not waiting.reply.done():
            waiting.reply.set_result(reply)

    def _tell_all(self, error: OSError) -> None:
        for waiting in self._waiting.values():
            if not waiting.reply.done():
                waiting.reply.set_exception(error)

    # -- TCP
    async def _ask_tcp(self, question: DnsQuestion) -> UpstreamReply:
        """RFC 7766; one connection per query, since they are rare."""
        number = int.from_bytes(self._dice.token(2))
        call = _TcpCall(write_question(question, number))
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: call, self.endpoint.host, self.endpoint.port)
        try:
            wire = await call.reply
        finally:
            transport.abort()
        if wire is None:
            return Unhelpful("the connection ended before the reply")
        reply = read_reply(wire, number, question)
        return reply if reply is not None else Unhelpful("a reply to something else")


class _TcpCall(asyncio.Protocol):
    """Sends one query and reads one reply, each with its length in front (RFC 1035 §4.2.2)."""

    def __init__(self, question: bytes) -> None:
        self.reply: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._question = question
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(len(self._question).to_bytes(LENGTH_OCTETS) + self._question)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        size = int.from_bytes(self._heard[:LENGTH_OCTETS])
        if len(self._heard) >= LENGTH_OCTETS + size:
            self._end(self._heard[LENGTH_OCTETS : LENGTH_OCTETS + size])

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(None)

    def _end(self, reply: bytes | None) -> None:
        if not self.reply.done():
            self.reply.set_result(reply)
