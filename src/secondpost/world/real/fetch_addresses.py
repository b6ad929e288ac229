"""The URLs and addresses that may be fetched from: the public web, never private networks.

The owner names the feed, but its server may redirect anywhere, and a name may resolve to any
address.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_network
from urllib.parse import SplitResult, urlsplit

from secondpost.mail.address import as_ip

URL_CHARACTERS_MAX = 2_000
PORTS_BELOW_1024 = (80, 443)  # not those of protocols that HTTP could be smuggled into

# RFC 6890 and later registrations; 64:ff9b::/96 is handled below.
_CLOSED_IPV4 = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_OPEN_IPV6 = ip_network("2000::/3")  # everything else is private, local, mapped or unallocated
_CLOSED_IPV6 = tuple(ip_network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_NAT64 = ip_network("64:ff9b::/96")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


class UrlRefused(Exception):
    """A URL that must not be fetched. The text is fit for the log."""


def checked_url(url: str, allow_private: bool) -> SplitResult:
    """Split a URL that may be fetched. Raises UrlRefused."""
    if len(url) > URL_CHARACTERS_MAX:
        raise UrlRefused(f"a URL of {len(url)} characters")
    if any(ord(each) <= 0x20 or ord(each) == 0x7F or each == "\\" for each in url):
        raise UrlRefused(f"{url!r} has a character that no URL has")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise UrlRefused(f"{url!r} is not a URL: {error}") from error
    if parts.scheme not in ("http", "https"):
        raise UrlRefused(f"{url!r} is neither http nor https")
    if host is None or len(host.strip(".")) == 0:
        raise UrlRefused(f"{url!r} names no host")
    if "@" in parts.netloc:
        raise UrlRefused("a URL with a user name in it")  # not shown: it may contain a password
    if port is not None and not allow_private and (port == 0 or 1024 > port not in PORTS_BELOW_1024):
        raise UrlRefused(f"port {port} is not one that the web uses")
    if as_ip(host) is None and (":" in host or _NUMBER.fullmatch(host.rstrip(".").rsplit(".", 1)[-1])):
        # "127.1", "0x7f000001" and "2130706433" are addresses to some resolvers and names to
        # others.
        raise UrlRefused(f"{host} is a number, but not an address")
    return parts


def is_public(address: str) -> bool:
    """Whether an address may belong to a web server on the internet."""
    ip = as_ip(address.partition("%")[0])
    match ip:
        case None:
            return False
        case IPv4Address():
            # No honest name server returns an IPv4-mapped address.
            return ":" not in address and not any(ip in network for network in _CLOSED_IPV4)
        case IPv6Address() if ip in _NAT64:
            return is_public(str(IPv4Address(int(ip) & 0xFFFFFFFF)))
        case IPv6Address():
            return ip in _OPEN_IPV6 and not any(ip in network for network in _CLOSED_IPV6)
