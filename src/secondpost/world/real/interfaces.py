"""The IP addresses of this machine's interfaces, from the kernel (Linux)."""

import fcntl
import socket
import struct
from ipaddress import IPv6Address

from secondpost.mail.address import as_ip

_SIOCGIFADDR = 0x8915  # netdevice(7)
_IFREQ = struct.Struct("16s24x")
_ADDRESS_AT = slice(20, 24)
_IPV6_TABLE = "/proc/net/if_inet6"


def interface_addresses() -> frozenset[str]:
    """All addresses, in the form of str(ip_address)."""
    return frozenset(_ipv4_addresses() | _ipv6_addresses())


def _ipv4_addresses() -> set[str]:
    addresses: set[str] = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(any_socket.fileno(), _SIOCGIFADDR, _IFREQ.pack(name.encode()[:15]))
            except OSError:
                continue
            addresses.add(socket.inet_ntoa(answer[_ADDRESS_AT]))
    return addresses


def _ipv6_addresses() -> set[str]:
    try:
        with open(_IPV6_TABLE, encoding="ascii") as table:
            found = [as_ip(str(IPv6Address(bytes.fromhex(line.split()[0])))) for line in table]
    except OSError:
        return set()
    return {str(address) for address in found if address is not None}
