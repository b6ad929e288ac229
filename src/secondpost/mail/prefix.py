"""The network that a caller calls from: what one sender can easily have many addresses of."""

from ipaddress import IPv4Address

from secondpost.mail.address import as_ip

PREFIX_BITS_IPV4 = 24
LINK_BITS_IPV6 = 64  # one link of one customer (RFC 4291 §2.5.1)
SITE_BITS_IPV6 = 48  # what one customer of a provider may have (RFC 6177 §2)


def caller_prefix(address: str) -> str:
    """192.0.2.0/24 or 2001:db8::/64; "" for what is no IP address."""
    return _prefix(address, LINK_BITS_IPV6)


def site_prefix(address: str) -> str:
    """192.0.2.0/24 or 2001:db8::/48: enough to bound its people, and too little to say who of them it was."""
    return _prefix(address, SITE_BITS_IPV6)


def _prefix(address: str, ipv6_bits: int) -> str:
    ip = as_ip(address)
    if ip is None:
        return ""
    bits = PREFIX_BITS_IPV4 if isinstance(ip, IPv4Address) else ipv6_bits
    host_bits = ip.max_prefixlen - bits
    return f"{type(ip)(int(ip) >> host_bits << host_bits)}/{bits}"
