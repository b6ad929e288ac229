"""One end of a simulated TCP connection, and the segments between two ends.

Segments wait in `incoming` until the internet's loop delivers them: late, split anywhere, in order.
Delivered segments wait in `arrived` until the owner's loop passes them to the protocol, unless
reading is paused. A dead process answers nothing; its kernel may.
"""

import asyncio
import zlib
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from secondpost.mail.address import Endpoint
from secondpost.world.ports import ClientTls, NetError, ServerTls, TlsFacts

if TYPE_CHECKING:
    from simulation.internet.net import SimNet, SimTransport

IN_ORDER_SECONDS = 1e-6
RETRANSMIT_FIRST_SECONDS = 1.0
RETRANSMIT_MAX_SECONDS = 60.0
GIVE_UP_SECONDS = 900.0  # a sending kernel gives up the connection after this
WRITE_HIGH_OCTETS = 64 * 1024
KERNEL_OCTETS = 64 * 1024  # in flight or unread, held by the kernels: no process sees them as unsent
HANDSHAKE_BYTES = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # the start of a ClientHello
FACTS = TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384")


class SegmentKind(StrEnum):
    DATA = "data"
    HELLO = "hello"  # the whole TLS handshake of one side
    EOF = "eof"
    RESET = "reset"


@dataclass(slots=True)
class Segment:
    """A new object for every send, which sets `due_seconds`."""

    kind: SegmentKind
    due_seconds: float
    data: bytes = b""
    encrypted: bool = False
    side: ServerTls | ClientTls | None = None
    names: tuple[str, ...] = ()  # of the server's certificate


class End:
    """One side's socket. `far` is the other end, set before anything is sent."""

    far: "End"

    def __init__(self, net: "SimNet", local: Endpoint, remote: Endpoint) -> None:
        self.net = net
        self.internet = net.internet
        self.host = net.host
        self.loop = net.loop
        self.local = local
        self.remote = remote
        self.since_seconds = self.internet.timeline.now
        self.protocol: asyncio.Protocol | None = None
        self.transport: SimTransport | None = None
        self.encrypted = False
        self.handshake: asyncio.Future[SimTransport] | None = None
        self.closing = False  # closed by us, perhaps with data still to send; or lost
        self.lost = False  # connection_lost was called or is scheduled
        self.dead = False  # the process that owned it is gone
        self.paused = False
        self.high_octets = WRITE_HIGH_OCTETS
        self.low_octets = WRITE_HIGH_OCTETS // 4
        self.incoming: deque[Segment] = deque()
        self.arrived: deque[Segment] = deque()
        self.unread_octets = 0  # sent to us, not yet given to the protocol
        self.octets_until_reset: int | None = None  # a fault: the connection is reset after this many octets
        self.octets_until_silence: int | None = None  # a fault: everything is dropped after this many octets
        self._far_paused = False
        self._eof_sent = False
        self._side: ServerTls | ClientTls | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stalled_seconds: float | None = None
        self._retransmit_seconds = RETRANSMIT_FIRST_SECONDS

    @property
    def unsent_octets(self) -> int:
        """Octets that neither kernel has buffered yet."""
        return max(0, self.far.unread_octets - KERNEL_OCTETS)

    # -- called by the owner
    def write(self, data: bytes) -> None:
        if self.net.wrote is not None and self.host is not self.far.host:
            self.net.wrote()
        for piece in self.internet.cut(data):
            self._send(Segment(SegmentKind.DATA, 0.0, piece, self.encrypted))
        far = self.far
        if self.unsent_octets > self.high_octets and not far._far_paused:
            far._far_paused = True
            if self.protocol is not None:
                self.protocol.pause_writing()

    def write_eof(self) -> None:
        if not self._eof_sent:
            self._eof_sent = True
            self._send(Segment(SegmentKind.EOF, 0.0))

    def close(self) -> None:
        if self.closing:
            return
        self.closing = True
        self.write_eof()
        if self.unsent_octets == 0:
            self._lose(None)

    def abort(self) -> None:
        if self.lost:
            return
        self.closing = True
        self.far.incoming.clear()
        self._send(Segment(SegmentKind.RESET, 0.0))
        self._lose(None)

    def resume_reading(self) -> None:
        self.paused = False
        if len(self.arrived) > 0:
            self.loop.call_soon(self._hand_over)

    def begin_tls(self, side: ServerTls | ClientTls) -> "asyncio.Future[SimTransport]":
        self.handshake = self.loop.create_future()
        self._side = side
        if not (isinstance(side, ServerTls) and self.host.tls_fault == "hangs"):
            names = self.host.certificate if isinstance(side, ServerTls) else ()
            if not (isinstance(side, ServerTls) and self.host.tls_fault == "fails"):
                self._send(Segment(SegmentKind.HELLO, 0.0, HANDSHAKE_BYTES, side=side, names=names))
            else:
                self._send(
                    Segment(SegmentKind.DATA, 0.0, b"\x15\x03\x01\x00\x02\x02\x28")
                )  # handshake_failure
                self._fail_tls("TLS handshake failed: our certificate cannot be used")
        return self.handshake

    # -- events for the owner
    def die(self, silently: bool) -> None:
        """End with its process; unless silently, the kernel closes the socket."""
        if self.dead:
            return
        self.dead = self.closing = True
        if not silently and not self.lost:
            self._send(Segment(self.internet.scheduling.one_of((SegmentKind.EOF, SegmentKind.RESET)), 0.0))
        self.lost = True

    def break_off(self) -> None:
        """A fault: both ends see a reset, and what is in flight is lost."""
        for end in (self, self.far):
            end.incoming.clear()
            end._lose(ConnectionResetError("Connection reset by peer"))

    def _lose(self, fault: Exception | None) -> None:
        if self.lost or self.dead:
            return
        self.lost = self.closing = True
        self.net.ends.pop(self, None)
        if self.handshake is not None and not self.handshake.done():
            self.handshake.set_exception(NetError(f"TLS handshake failed: {fault or 'connection closed'}"))
            self.handshake.exception()  # marks it as retrieved: there may be no waiter any more
        protocol = self.protocol
        if protocol is not None:
            self.loop.call_soon(protocol.connection_lost, fault)

    # -- in flight
    def _send(self, segment: Segment) -> None:
        far = self.far
        now = self.internet.timeline.now
        if len(far.incoming) == 0:
            due = now + self.internet.latency_seconds(self.host, far.host)
        else:
            due = far.incoming[-1].due_seconds + IN_ORDER_SECONDS
            if segment.kind is not SegmentKind.EOF:  # a FIN travels with the last data in flight
                due = max(due, now + self.internet.latency_seconds(self.host, far.host))
        far.unread_octets += len(segment.data)
        segment.due_seconds = due
        far.incoming.append(segment)
        if far._timer is None:
            far._wait_until(due)

    def _wait_until(self, seconds: float) -> None:
        self._timer = self.internet.loop.call_at(seconds, self._bring)

    def _bring(self) -> None:
        """Deliver the first segment, if the network lets it through."""
        self._timer = None
        if len(self.incoming) == 0:
            return
        if self.octets_until_silence == 0 or not self.internet.reaches(self.far.host, self.host):
            self._stall()
            return
        self._stalled_seconds = None
        self._retransmit_seconds = RETRANSMIT_FIRST_SECONDS
        segment = self.incoming.popleft()
        if len(self.incoming) > 0:
            self._wait_until(max(self.incoming[0].due_seconds, self.internet.timeline.now))
        if self.internet.trace is not None:
            self.internet.trace.note(
                self.internet.timeline.now,
                f"{self.far.local} {self.local} {segment.kind} {zlib.crc32(segment.data)}",
            )
        if self.lost or self.dead:
            if segment.kind not in (SegmentKind.RESET, SegmentKind.EOF):
                self.far._lose(ConnectionResetError("Connection reset by peer"))
            return
        if self._worn_out(len(segment.data)):
            return
        self.arrived.append(segment)
        if not self.paused:
            self.loop.call_soon(self._hand_over)

    def _worn_out(self, octets: int) -> bool:
        if self.octets_until_silence is not None:
            self.octets_until_silence = max(0, self.octets_until_silence - octets)
        if self.octets_until_reset is None:
            return False
        self.octets_until_reset -= octets
        if self.octets_until_reset > 0:
            return False
        self.break_off()
        return True

    def _stall(self) -> None:
        """The route is blocked: retransmit later, and give up after GIVE_UP_SECONDS."""
        now = self.internet.timeline.now
        if self._stalled_seconds is None:
            self._stalled_seconds = now
        if now - self._stalled_seconds > GIVE_UP_SECONDS or self.far.dead:
            self.incoming.clear()
            self.far._lose(TimeoutError("Connection timed out"))
            return
        self._wait_until(now + self._retransmit_seconds)
        self._retransmit_seconds = min(self._retransmit_seconds * 2, RETRANSMIT_MAX_SECONDS)

    # -- into the protocol
    def _hand_over(self) -> None:
        if self.paused or self.lost or self.dead or len(self.arrived) == 0:
            return
        segment = self.arrived.popleft()
        self.unread_octets -= len(segment.data)
        self._give_room()
        if self.closing and segment.kind is not SegmentKind.RESET:
            return  # a closed socket receives nothing more
        match segment.kind:
            case SegmentKind.DATA:
                self._take_data(segment)
            case SegmentKind.HELLO:
                self._take_hello(segment)
            case SegmentKind.EOF:
                self._take_eof()
            case SegmentKind.RESET:
                self._lose(ConnectionResetError("Connection reset by peer"))
        if len(self.arrived) > 0:
            self.loop.call_soon(self._hand_over)

    def _give_room(self) -> None:
        """After a read here, resume writing at the other end once there is room."""
        far = self.far
        if self._far_paused and far.unsent_octets <= far.low_octets:
            self._far_paused = False
            if far.protocol is not None and not far.lost:
                far.loop.call_soon(far.protocol.resume_writing)
        if far.closing and far.unsent_octets == 0:
            far._lose(None)

    def _take_data(self, segment: Segment) -> None:
        if self.handshake is not None and not self.handshake.done():
            self._fail_tls("TLS handshake failed: wrong version number")
        elif self.encrypted and not segment.encrypted:
            self.internet.complain(f"plain text in the TLS stream {self.far.local} to {self.local}")
            self.break_off()
        elif self.protocol is not None:
            self.protocol.data_received(segment.data)

    def _take_hello(self, segment: Segment) -> None:
        if self.handshake is None or self.handshake.done():
            if self.protocol is not None:
                self.protocol.data_received(segment.data)
            return
        if isinstance(self._side, ServerTls) and self.host.tls_fault == "hangs":
            return
        if (
            isinstance(self._side, ClientTls)
            and self._side.verify
            and self._side.server_name not in segment.names
        ):
            self._fail_tls(f"the certificate is not valid for {self._side.server_name}")
            return
        self.encrypted = True
        self.handshake.set_result(self.internet.transport_of(self, encrypted=True))

    def _take_eof(self) -> None:
        if self.protocol is None or not self.protocol.eof_received():
            self.close()

    def _fail_tls(self, why: str) -> None:
        if self.handshake is not None and not self.handshake.done():
            self.handshake.set_exception(NetError(why))
            self.handshake.exception()
        self._send(Segment(SegmentKind.RESET, 0.0))
        self._lose(ConnectionAbortedError(why))
