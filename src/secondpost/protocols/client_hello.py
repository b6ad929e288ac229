"""The first message of a TLS client (RFC 8446 §4.1.2), as far as it decides which certificate it is shown:
the server name (RFC 6066 §3) and the application protocols (RFC 7301 §3.1) that it offers.

TLS itself reads the same octets afterwards and judges them. So a malformed message is no error here: it
counts as one that offers nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

HANDSHAKE_RECORD = 22  # RFC 8446 §5.1
CLIENT_HELLO = 1  # RFC 8446 §4
SERVER_NAME, ALPN = 0, 16  # extensions, RFC 8446 §4.2
HOST_NAME = 0  # RFC 6066 §3
RECORD_HEADER_OCTETS = 5
MESSAGE_HEADER_OCTETS = 4
VERSION_AND_RANDOM_OCTETS = 34
HELLO_OCTETS_MAX = 16_384  # honest ones have less than 3,000
RECORDS_MAX = 16  # over which a message may be spread


@dataclass(frozen=True, slots=True)
class ClientHello:
    server_name: str = ""  # as the client wrote it; "" if it named none
    protocols: tuple[bytes, ...] = ()


NOTHING_OFFERED = ClientHello()


class _Short(Exception):
    """A length leads beyond the end."""


def looks_like_tls(received: bytes) -> bool:
    """Whether a connection that begins with this may be TLS."""
    return len(received) == 0 or received[0] == HANDSHAKE_RECORD


def read_client_hello(received: bytes) -> ClientHello | None:
    """Read what a client sent first; None while the message is not complete."""
    message = bytearray()
    at = 0
    for _ in range(RECORDS_MAX):
        if len(received) > HELLO_OCTETS_MAX or not looks_like_tls(received[at:]):
            break
        begin = at + RECORD_HEADER_OCTETS
        if len(received) < begin:
            return None
        at = begin + int.from_bytes(received[begin - 2 : begin])
        message += received[begin:at]
        if _is_complete(message):
            return _hello(bytes(message))
        if len(received) < at:
            return None
    return NOTHING_OFFERED


def _is_complete(message: bytearray) -> bool:
    if len(message) < MESSAGE_HEADER_OCTETS:
        return False
    length = int.from_bytes(message[1:MESSAGE_HEADER_OCTETS])
    return message[0] != CLIENT_HELLO or len(message) >= MESSAGE_HEADER_OCTETS + length


def _hello(message: bytes) -> ClientHello:
    if message[0] != CLIENT_HELLO:
        return NOTHING_OFFERED
    try:
        extensions = dict(_extensions(message[MESSAGE_HEADER_OCTETS:]))
        return ClientHello(
            _server_name(extensions.get(SERVER_NAME, b"")), _protocols(extensions.get(ALPN, b""))
        )
    except _Short:
        return NOTHING_OFFERED


def _extensions(body: bytes) -> Iterator[tuple[int, bytes]]:
    rest = body[VERSION_AND_RANDOM_OCTETS:]
    _, rest = _vector(rest, 1)  # session id
    _, rest = _vector(rest, 2)  # cipher suites
    _, rest = _vector(rest, 1)  # compression methods
    if len(rest) == 0:
        return
    extensions, _ = _vector(rest, 2)
    while len(extensions) > 0:
        kind = extensions[:2]
        data, extensions = _vector(extensions[2:], 2)
        yield int.from_bytes(kind), data


def _vector(octets: bytes, length_octets: int) -> tuple[bytes, bytes]:
    """The content of a vector that begins with its length, and what follows it. Raises _Short."""
    end = length_octets + int.from_bytes(octets[:length_octets])
    if len(octets) < max(end, length_octets):
        raise _Short
    return octets[length_octets:end], octets[end:]


def _server_name(extension: bytes) -> str:
    if len(extension) == 0:
        return ""
    names, _ = _vector(extension, 2)
    while len(names) > 0:
        kind = names[0]
        name, names = _vector(names[1:], 2)
        if kind == HOST_NAME:
            return name.decode("ascii", "replace")
    return ""


def _protocols(extension: bytes) -> tuple[bytes, ...]:
    if len(extension) == 0:
        return ()
    names, _ = _vector(extension, 2)
    found: list[bytes] = []
    while len(names) > 0:
        name, names = _vector(names, 1)
        found.append(name)
    return tuple(found)
