"""The IP addresses of this machine's interfaces, from the kernel (Linux).

Without netlink and without /proc/net, which the walls of a role do not let it use.
"""

import array
import fcntl
import socket
import struct
from ipaddress import IPv6Address

from secondpost.mail.address import as_ip

_SIOCGIFCONF = 0x8912  # netdevice(7)
_IFCONF = struct.Struct("iP")  # octets of room, and where it is
_IFREQ = struct.Struct("16s24x")
_ADDRESS_AT = slice(20, 24)
_INTERFACES_MAX = 4096
_IPV6_TABLE = "/proc/self/net/if_inet6"


def interface_addresses() -> frozenset[str]:
    """All addresses, in the form of str(ip_address)."""
    return frozenset(_ipv4_addresses() | _ipv6_addresses())


def _ipv4_addresses() -> set[str]:
    room = array.array("B", bytes(_INTERFACES_MAX * _IFREQ.size))
    where, octets = room.buffer_info()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        filled = fcntl.ioctl(any_socket.fileno(), _SIOCGIFCONF, _IFCONF.pack(octets, where))
    entries = room[: _IFCONF.unpack(filled)[0]].tobytes()
    found = (entries[at : at + _IFREQ.size] for at in range(0, len(entries), _IFREQ.size))
    return {socket.inet_ntoa(entry[_ADDRESS_AT]) for entry in found}


def _ipv6_addresses() -> set[str]:
    try:
        with open(_IPV6_TABLE, encoding="ascii") as table:
            found = [as_ip(str(IPv6Address(bytes.fromhex(line.split()[0])))) for line in table]
    except OSError:
        return set()
    return {str(address) for address in found if address is not None}
