"""TLS as a transport over another transport, which carries the ciphertext.

A close_notify ends one direction only (RFC 8446 §6.1): a mail server may send its last command,
close_notify and FIN in one segment and go on reading. The event loops' own TLS closes then and
drops our replies. Here, as without TLS, the protocol may still write if its `eof_received` returns
true.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress

from secondpost.protocols.client_hello import read_client_hello
from secondpost.world.ports import TlsFacts

READ_OCTETS_MAX = 256 * 1024  # per call; one read of the loop never brings more


class TlsTransport(asyncio.Transport, asyncio.Protocol):
    """A transport for `protocol`, and the protocol of `wire`. Only `wire` buffers unsent data."""

    def __init__(
        self,
        wire: asyncio.Transport,
        protocol: asyncio.BaseProtocol,
        context: ssl.SSLContext,
        server_name: str | None,
        named: Callable[[str], None] | None = None,
    ) -> None:
        """`server_name`: the peer's name as a client; None as the server. `named`: of a ServerTls.

        Raises ValueError for a name that no certificate can have, leaving `wire` unchanged.
        """
        super().__init__()
        self._wire = wire
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_name is None, server_hostname=server_name
        )
        self._loop = asyncio.get_running_loop()
        self._shaken: asyncio.Future[None] = self._loop.create_future()
        self._named = named  # until the client's first message was read
        self._received = b""  # of that message
        self._open = False  # the handshake is done
        self._paused = False
        self._unheard: list[bytes] = []  # decrypted, but not yet given to the protocol
        self._end_seen = False  # the peer sent close_notify or FIN
        self._end_said = False  # the protocol got eof_received
        self._all_sent = False  # our close_notify was sent too
        self._closing = False
        self._fault: ssl.SSLError | None = None
        self.set_protocol(protocol)
        wire.set_protocol(self)

    async def handshake(self, timeout_seconds: float) -> None:
        """Wait for the handshake. Raises OSError (including ssl.SSLError and TimeoutError).

        The caller has to abort the wire then.
        """
        shaken = self.shake()
        async with asyncio.timeout(timeout_seconds):
            await shaken

    def shake(self, received: bytes = b"") -> asyncio.Future[None]:
        """Begin the handshake with what was received already. The future is done with it; it raises
        OSError.
        """
        self._wire.resume_reading()
        self._incoming.write(received)
        self._shake()
        return self._shaken

    def facts(self) -> TlsFacts:
        """Version, cipher and the peer's certificate, after the handshake."""
        version, cipher = self._tls.version(), self._tls.cipher()
        assert version is not None
        assert cipher is not None
        return TlsFacts(version, cipher[0], self._tls.getpeercert(binary_form=True) or b"")

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError as error:
            self._flush()  # the alert with the reason
            self._shaken.set_exception(error)
        else:
            self._flush()
            self._open = True
            self._shaken.set_result(None)
            # In a later turn, so that the awaiting start_tls returns before the first data comes.
            self._loop.call_soon(self._read)

    def _read_name(self, data: bytes) -> None:
        # Not by sni_callback of the context: Python ends each handshake that asks for a name beyond
        # ASCII where a context has one.
        if self._named is None:
            return
        self._received += data
        hello = read_client_hello(self._received)
        if hello is None:
            return
        named, self._named, self._received = self._named, None, b""
        if len(hello.server_name) > 0:
            named(hello.server_name)

    # -- called by the wire

    def data_received(self, data: bytes) -> None:
        self._incoming.write(data)
        if self._open:
            self._read()
        elif not self._shaken.done():
            self._read_name(data)
            self._shake()

    def eof_received(self) -> bool:
        """Treat FIN like close_notify: a truncated command is never executed."""
        self._end_seen = True
        if self._open:
            self._read()
        elif not self._shaken.done():
            self._shaken.set_exception(ConnectionResetError())
        return True  # we close the wire ourselves

    def connection_lost(self, error: Exception | None) -> None:
        self._closing = True
        if self._shaken.done():
            self._protocol.connection_lost(self._fault if self._fault is not None else error)
        else:
            self._shaken.set_exception(error if error is not None else ConnectionResetError())
            self._loop.call_soon(self._protocol.connection_lost, error)

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()

    # -- reading

    def _read(self) -> None:
        """Give all decrypted data to the protocol in one piece, then the end or a fault."""
        if self._paused or self._closing:
            return
        self._decrypt()
        unheard, self._unheard = self._unheard, []
        if len(unheard) > 0:
            self._protocol.data_received(unheard[0] if len(unheard) == 1 else b"".join(unheard))
        if self.is_closing():  # the protocol closed it
            return
        self._flush()  # replies of TLS itself: a key update, an alert
        if self._fault is not None:
            self._fail(self._fault)
        elif self._end_seen and not self._end_said and not self._paused:
            self._end_said = True
            if not self._protocol.eof_received():
                self.close()

    def _decrypt(self) -> None:
        try:
            while self._incoming.pending > 0 or self._tls.pending() > 0:
                piece = self._tls.read(READ_OCTETS_MAX)
                if len(piece) == 0:
                    self._end_seen = True
                    break
                self._unheard.append(piece)
        except ssl.SSLWantReadError:
            pass  # incomplete record
        except ssl.SSLZeroReturnError:  # the peer's close_notify after ours
            self._end_seen = True
        except ssl.SSLError as error:
            self._fault = error

    def pause_reading(self) -> None:
        self._paused = True
        self._wire.pause_reading()

    def resume_reading(self) -> None:
        if self._paused and not self._closing:
            self._paused = False
            self._wire.resume_reading()
            self._loop.call_soon(self._read)

    def is_reading(self) -> bool:
        return not self._paused and not self._closing

    # -- writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing or self._all_sent or len(data) == 0:
            return
        try:
            sent = self._tls.write(data)
            while sent < len(data):  # a record holds 16 KB
                sent += self._tls.write(memoryview(data)[sent:])
        except ssl.SSLError as error:
            self._fail(error)
        else:
            self._wire.write(self._outgoing.read())

    def _flush(self) -> None:
        if self._outgoing.pending > 0 and not self._all_sent:
            self._wire.write(self._outgoing.read())

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """Send close_notify and FIN; reading goes on."""
        if self._closing or self._all_sent:
            return
        # `unwrap` sends our close_notify, then expects the peer's: data before that would be an
        # error.
        self._decrypt()
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        self._flush()
        self._all_sent = True
        self._wire.write_eof()
        self._loop.call_soon(self._read)

    def get_write_buffer_size(self) -> int:
        return self._wire.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._wire.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._wire.set_write_buffer_limits(high, low)

    # -- closing

    def close(self) -> None:
        """Close without waiting for the peer's close_notify, which RFC 8446 §6.1 permits."""
        if self._closing:
            return
        self.write_eof()
        self._closing = True
        self._wire.close()

    def abort(self) -> None:
        self._closing = True
        self._wire.abort()

    def _fail(self, fault: ssl.SSLError) -> None:
        self._fault = fault
        self._flush()
        self.abort()

    def is_closing(self) -> bool:
        return self._closing or self._wire.is_closing()

    # -- protocol and info

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol: asyncio.Protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def get_extra_info(self, name: str, default: object = None) -> object:
        match name:
            case "ssl_object":
                return self._tls
            case "sslcontext":
                return self._tls.context
            case _:
                return self._wire.get_extra_info(name, default)
