"""The network that a caller calls from: what one sender can easily have many addresses of."""

from ipaddress import IPv4Address, ip_network

from secondpost.mail.address import as_ip

CALLER_PREFIX_BITS_IPV4 = 24
CALLER_PREFIX_BITS_IPV6 = 64  # one link of one customer (RFC 4291 §2.5.1)


def caller_prefix(address: str) -> str:
    """192.0.2.0/24 or 2001:db8::/64; "" for what is no IP address."""
    ip = as_ip(address)
    if ip is None:
        return ""
    bits = CALLER_PREFIX_BITS_IPV4 if isinstance(ip, IPv4Address) else CALLER_PREFIX_BITS_IPV6
    return str(ip_network((ip, bits), strict=False))
