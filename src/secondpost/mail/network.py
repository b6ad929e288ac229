"""The network of a client's address, since one sender easily has many addresses in it."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from secondpost.mail.address import as_ip

PREFIX_BITS_IPV4 = 24
LINK_BITS_IPV6 = 64  # one link of one customer (RFC 4291 §2.5.1)
SITE_BITS_IPV6 = 48  # the size that a provider may give to one customer
ADDRESSES_KEPT = 2_000  # of clients that come again


def caller_prefix(address: str) -> str:
    """192.0.2.0/24 or 2001:db8::/64; "" if the text is no IP address."""
    ip = as_ip(address)
    return "" if ip is None else link_of(ip)


@lru_cache(ADDRESSES_KEPT)
def site_prefix(address: str) -> str:
    """192.0.2.0/24 or 2001:db8::/48: enough for rate limits, too little to identify a person."""
    ip = as_ip(address)
    return "" if ip is None else site_of(ip)


def link_of(ip: IPv4Address | IPv6Address) -> str:
    return _prefix(ip, LINK_BITS_IPV6)


def site_of(ip: IPv4Address | IPv6Address) -> str:
    return _prefix(ip, SITE_BITS_IPV6)


def _prefix(ip: IPv4Address | IPv6Address, ipv6_bits: int) -> str:
    bits = PREFIX_BITS_IPV4 if isinstance(ip, IPv4Address) else ipv6_bits
    host_bits = ip.max_prefixlen - bits
    return f"{type(ip)(int(ip) >> host_bits << host_bits)}/{bits}"
