"""Tables of networks: which autonomous system, and which country, an address belongs to.

Two formats, plain or compressed with gzip, told apart by their first line:

    1.0.0.0<TAB>1.0.0.255<TAB>13335<TAB>US<TAB>CLOUDFLARENET    ip2asn of iptoasn.com
    1.0.0.0<TAB>24<TAB>13335                                     prefix2as of CAIDA

A table has half a million lines, so it is kept as flat arrays of numbers: some 20 MB, made in a few
seconds. Read it in a thread.
"""

import gzip
import io
import os
import stat
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network
from itertools import islice
from typing import BinaryIO, cast

from secondpost.config.faults import Wrong, quoted
from secondpost.config.files import OpenToRead, open_to_read
from secondpost.mail.arrivals import NetworkOrigin

LINES_MAX = 4_000_000
LINE_OCTETS_MAX = 2_000
LINES_CHECKED = 1_000  # of a configuration; reading all takes seconds
NAME_CHARACTERS_MAX = 60
NUMBER_MAX = (1 << 32) - 1
GZIP_BEGINS = b"\x1f\x8b"
IPV6_SHIFT = 64  # only the first 64 bits are kept: no route is longer
NO_COUNTRY = ("None", "")


@dataclass(frozen=True, slots=True)
class Range:
    """One line. Addresses are numbers, of IPv6 the first 64 bits."""

    is_ipv6: bool
    first: int
    last: int
    origin: NetworkOrigin


class _Ranges:
    """Ranges in order, cut so that none overlaps: one that lies in another is the more exact."""

    def __init__(self, kind: str) -> None:
        """`kind`: of array, wide enough for an address."""
        self._firsts, self._lasts, self._origins = array(kind), array(kind), array("I")
        self._open: list[tuple[int, int]] = []  # last and origin of the ranges that we are in
        self._at = 0  # all before is placed
        self._begun = 0  # where the latest range begins

    def __len__(self) -> int:
        return len(self._firsts)

    def add(self, first: int, last: int, origin: int) -> None:
        """Raises ValueError if the range is empty, or begins before one that was added."""
        if last < first or first < self._begun:
            raise ValueError("out of order")
        self._begun = first
        self._close_before(first)
        if len(self._open) > 0:
            self._place(first - 1, self._open[-1][1])
        self._at = max(self._at, first)
        self._open.append((last, origin))

    def end(self) -> None:
        """No more are added."""
        while len(self._open) > 0:
            self._place(*self._open.pop())

    def find(self, address: int) -> int | None:
        place = bisect_right(self._firsts, address) - 1
        return self._origins[place] if place >= 0 and address <= self._lasts[place] else None

    def _close_before(self, first: int) -> None:
        while len(self._open) > 0 and self._open[-1][0] < first:
            self._place(*self._open.pop())

    def _place(self, last: int, origin: int) -> None:
        if self._at <= last:
            self._firsts.append(self._at)
            self._lasts.append(last)
            self._origins.append(origin)
            self._at = last + 1


class NetworkTable:
    def __init__(self, origins: Sequence[NetworkOrigin], ipv4: _Ranges, ipv6: _Ranges) -> None:
        self._origins = origins
        self._ipv4 = ipv4
        self._ipv6 = ipv6

    def __len__(self) -> int:
        return len(self._ipv4) + len(self._ipv6)

    def origin(self, network: str) -> NetworkOrigin | None:
        """What a network of mail/network belongs to; None if the table does not have it."""
        address = ip_network(network).network_address
        if isinstance(address, IPv4Address):
            place = self._ipv4.find(int(address))
        else:
            place = self._ipv6.find(int(address) >> IPV6_SHIFT)
        return None if place is None else self._origins[place]


def parse_networks(lines: Iterable[bytes]) -> NetworkTable:
    """Parse a table. Raises Wrong, with the number of the line."""
    ipv4, ipv6 = _Ranges("I"), _Ranges("Q")
    names: dict[bytes, NetworkOrigin] = {}  # one value for all lines that say the same of it
    numbers: dict[NetworkOrigin, int] = {}
    for number, line in enumerate(lines, start=1):
        if number > LINES_MAX:
            raise Wrong(f"it has more than {LINES_MAX} lines")
        try:
            found = _range(line.rstrip(b"\r\n"), names)
            if found.origin.number > 0:
                among = ipv6 if found.is_ipv6 else ipv4
                among.add(found.first, found.last, numbers.setdefault(found.origin, len(numbers)))
        except ValueError:
            hint = 'docs/operations.md, "Tables of networks", has the formats'
            reason = f"line {number} is no network of a known format, or not in order of address"
            raise Wrong(reason, hint) from None
    ipv4.end()
    ipv6.end()
    if len(numbers) == 0:
        raise Wrong("it has no networks")
    return NetworkTable(list(numbers), ipv4, ipv6)


def _range(line: bytes, names: dict[bytes, NetworkOrigin]) -> Range:
    """Raises ValueError."""
    first, last, rest = line.split(b"\t", 2)
    origin = names.get(rest)
    if origin is None:
        origin = names[rest] = _origin(rest)
    is_ipv6 = b":" in first
    begin = _address(first, is_ipv6)
    if last.isdigit() and len(last) <= 3:
        return Range(is_ipv6, begin, begin + _size(int(last), is_ipv6) - 1, origin)
    return Range(is_ipv6, begin, _address(last, is_ipv6), origin)


def _size(bits: int, is_ipv6: bool) -> int:
    """Number of addresses of a prefix, of IPv6 of its first 64 bits."""
    if not 0 <= bits <= (128 if is_ipv6 else 32):
        raise ValueError("no length of a prefix")
    return 1 << max(0, (64 if is_ipv6 else 32) - bits)


def _address(text: bytes, is_ipv6: bool) -> int:
    if is_ipv6:
        return int(IPv6Address(text.decode("ascii"))) >> IPV6_SHIFT
    a, b, c, d = map(int, text.split(b"."))
    if not (0 <= a < 256 and 0 <= b < 256 and 0 <= c < 256 and 0 <= d < 256):
        raise ValueError("no address")
    return a << 24 | b << 16 | c << 8 | d


def _origin(rest: bytes) -> NetworkOrigin:
    """The rest of a line: the number, and in ip2asn country and name."""
    written, _, more = rest.partition(b"\t")
    # CAIDA: a_b for several origins, a,b for a set; the first will do.
    number = int(written.replace(b",", b"_").partition(b"_")[0])
    if not 0 <= number <= NUMBER_MAX:
        raise ValueError("no number of an autonomous system")
    country, _, name = more.decode("utf-8", "replace").partition("\t")
    shown = "".join(c for c in name if c.isprintable()).strip()[:NAME_CHARACTERS_MAX]
    if country in NO_COUNTRY:
        return NetworkOrigin(number, shown, "")
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        raise ValueError("no country")
    return NetworkOrigin(number, shown, country.upper())


# -- files


def read_networks(path: str, open_file: OpenToRead = open_to_read) -> NetworkTable:
    """Read a table; takes seconds, and blocks. Raises Wrong."""
    return _read(path, open_file, None)


def check_networks(path: str) -> None:
    """Look at the beginning of a table. Raises Wrong."""
    _read(path, open_to_read, LINES_CHECKED)


def _read(path: str, open_file: OpenToRead, lines_max: int | None) -> NetworkTable:
    name = quoted(path)
    try:
        with open(open_file(path), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Wrong(f"{name} is not a regular file")
            return parse_networks(islice(_lines(file), lines_max))
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise Wrong(f"{name} is damaged: it cannot be uncompressed") from None
    except OSError as error:
        raise Wrong(f"{name} cannot be read: {error.strerror}") from None
    except Wrong as wrong:
        raise Wrong(f"{name}: {wrong.reason}", wrong.hint) from None


def _lines(file: io.BufferedReader) -> Iterator[bytes]:
    is_compressed = file.peek(len(GZIP_BEGINS))[:2] == GZIP_BEGINS
    text = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if is_compressed else file
    while len(line := text.readline(LINE_OCTETS_MAX)) > 0:
        yield line
