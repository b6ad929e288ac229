"""The DNS servers of this machine, and whether it can reach IPv6."""

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv6Address

from secondpost.config.files import OpenToRead, open_to_read
from secondpost.mail.address import Endpoint, as_ip, without_zone

RESOLV_CONF = "/etc/resolv.conf"
PORT = 53
SERVERS_MAX = 3  # MAXNS of resolv.conf(5)
FALLBACK = Endpoint("127.0.0.1", PORT)  # resolv.conf(5): if none is named
FAR_AWAY = "2001:db8::1"  # no packet is sent there


def parse_resolv_conf(text: str) -> tuple[Endpoint, ...]:
    """The nameserver lines, or FALLBACK if there are none. Other values than IPs are ignored."""
    servers = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            address = as_ip(without_zone(words[1]))
            if address is not None:
                zone = words[1].partition("%")[2]
                servers.append(Endpoint(f"{address}%{zone}" if len(zone) > 0 else str(address), PORT))
    return tuple(servers[:SERVERS_MAX]) if len(servers) > 0 else (FALLBACK,)


class Servers:
    """The configured servers, or those of resolv.conf, which is read again when it changes."""

    def __init__(
        self,
        configured: Sequence[Endpoint],
        resolv_conf: str = RESOLV_CONF,
        open_file: OpenToRead = open_to_read,
    ) -> None:
        self._configured = tuple(configured)
        self._resolv_conf = resolv_conf
        self._open_file = open_file
        self._read_at: tuple[int, int] | None = None
        self._from_file: tuple[Endpoint, ...] = (FALLBACK,)

    def now(self) -> tuple[Endpoint, ...]:
        if len(self._configured) > 0:
            return self._configured
        with suppress(OSError):  # missing or half written: keep the last ones
            facts = os.stat(self._resolv_conf)
            stamp = (facts.st_ino, facts.st_mtime_ns)
            if stamp != self._read_at:
                with open(self._open_file(self._resolv_conf), encoding="ascii", errors="replace") as file:
                    self._from_file = parse_resolv_conf(file.read())
                self._read_at = stamp
        return self._from_file


def reaches_ipv6() -> bool:
    """Whether the kernel has an IPv6 route and a public source address."""
    with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        probe.connect((FAR_AWAY, PORT))
        return IPv6Address(probe.getsockname()[0]).is_global
    return False
