"""Who made a connection to a Unix socket of ours, as the kernel knows it (unix(7))."""

import asyncio
import struct
from dataclasses import dataclass
from socket import SO_PEERCRED, SOL_SOCKET

_CREDENTIALS = struct.Struct("=iII")  # struct ucred


@dataclass(frozen=True, slots=True)
class SocketPeer:
    """The process that made a connection, and the user as which it did."""

    process: int
    user: int


def peer_of(transport: asyncio.Transport) -> SocketPeer:
    end = transport.get_extra_info("socket")
    process, user, _ = _CREDENTIALS.unpack(end.getsockopt(SOL_SOCKET, SO_PEERCRED, _CREDENTIALS.size))
    return SocketPeer(process, user)
