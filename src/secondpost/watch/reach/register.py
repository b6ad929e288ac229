"""Finds our addresses and names in the register copy z-i, piece by piece, however large it is. Pure.

Each of its files has lines in windows-1251, with fields between semicolons: addresses and networks, names,
URLs, authority, decision, date. Addresses and names are joined by a bar, URLs by a bar between spaces: an
URL may hold a bare bar. A field with a semicolon or a quote stands in quotes, its own quotes doubled. The
first line of the first file is no such line: it says when the register was copied.
"""

import re
from collections.abc import Collection, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from secondpost.mail.address import as_ip
from secondpost.mail.printable import printable
from secondpost.mail.register import RegisterAsked, RegisterHit, RegisterRead

ENCODING = "cp1251"
HITS_MAX = 50
LINE_OCTETS_MAX = 2_000_000  # of one line: the longest list thousands of URLs
FIELD_CHARACTERS_MAX = 200  # of a field that is shown
FIELDS_LEAST = 6
STRANGE_PART = 2  # one line of so many without the fields of a record: it is another form
UPDATED = b"Updated:"
HOST_OCTETS_MAX = 260
_AFTER_HOST = re.compile(rb'[/:;?#" ]')
_FIELD = re.compile(r'(?:^|;)("(?:[^"]|"")*"|[^;]*)')


class RegisterForm(Exception):
    """The register has another form than it had. The text is fit for the log."""


class RegisterSearch:
    """Fed each file in pieces, and the end of each. Raises RegisterForm.

    Between the pieces it keeps an unfinished line and the hits.
    """

    def __init__(self, asked: RegisterAsked) -> None:
        self._ips = tuple(ip for ip in map(as_ip, asked.addresses) if ip is not None)
        self._addresses = frozenset(str(ip).encode() for ip in self._ips)
        self._names = _covering(asked.names)
        self._rest = b""
        self._updated = ""
        self._files = self._lines = self._strange = 0
        self._hits: dict[RegisterHit, None] = {}

    def feed(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > LINE_OCTETS_MAX:
            raise RegisterForm(f"a line of file {self._files} is longer than {LINE_OCTETS_MAX} octets")

    def end_file(self) -> None:
        """The file is complete: what follows is the next one."""
        if len(self._rest) > 0:
            self._line(self._rest)
            self._rest = b""
        if len(self._updated) == 0:
            raise RegisterForm("its first line does not say when it was updated")
        if self._strange * STRANGE_PART > self._lines:
            raise RegisterForm(f"{self._strange} of {self._lines} lines are no records")
        self._files += 1

    def read(self) -> RegisterRead:
        return RegisterRead(self._updated, self._files, self._lines, tuple(self._hits))

    def _line(self, line: bytes) -> None:
        if line.startswith(UPDATED):
            self._updated = _shown(line.removeprefix(UPDATED).decode(ENCODING, "replace"))
            return
        if len(line.strip()) == 0:
            return
        self._lines += 1
        # Most lines concern others: only what must be read of them is, and nothing is decoded.
        fields = line.split(b";", 2)
        if len(fields) < 3 or line.count(b";") < FIELDS_LEAST - 1:
            self._strange += 1
            return
        found = [*self._in_addresses(fields[0]), *self._in_names(fields[1]), *self._in_urls(fields[2])]
        if len(found) > 0:
            self._keep(line, found)

    def _in_addresses(self, field: bytes) -> Iterable[tuple[str, str]]:
        for written in field.strip(b'"').split(b"|"):
            entry = written.strip()
            if entry in self._addresses:
                yield entry.decode("ascii"), entry.decode("ascii")
            elif b"/" in entry or b":" in entry:  # a network, or another way to write an IPv6 address
                network = _network(entry)
                for ip in self._ips:
                    if network is not None and ip in network:
                        yield str(ip), str(network)

    def _in_names(self, field: bytes) -> Iterable[tuple[str, str]]:
        for written in field.strip(b'"').split(b"|"):
            entry = written.strip().rstrip(b".").lower()
            for name in self._names.get(entry, ()):
                yield name, entry.decode("ascii")

    def _in_urls(self, rest: bytes) -> Iterable[tuple[str, str]]:
        """`rest` has the field of URLs and those after it."""
        for part in rest.split(b"://")[1:]:
            host = _AFTER_HOST.split(part[:HOST_OCTETS_MAX], 1)[0].rpartition(b"@")[2].lower()
            for name in self._names.get(host, ()):
                yield name, f"a page of {host.decode('ascii')}"

    def _keep(self, line: bytes, found: Iterable[tuple[str, str]]) -> None:
        if len(self._hits) >= HITS_MAX:
            return
        fields = [_unquoted(field) for field in _FIELD.findall(line.decode(ENCODING, "replace").strip("\r"))]
        authority, decision, date = (_shown(field) for field in (*fields[3:], "", "", "")[:3])
        for subject, entry in found:
            self._hits[RegisterHit(subject, entry, authority, decision, date)] = None


def _covering(names: Collection[str]) -> dict[bytes, tuple[str, ...]]:
    """Our names by what the register may write for them: themselves, and patterns that cover them."""
    found: dict[bytes, tuple[str, ...]] = {}
    for name in map(str.lower, names):
        labels = name.split(".")
        wide = (f"*.{'.'.join(labels[place:])}" for place in range(len(labels)))
        for written in (name, *wide):
            found[written.encode()] = (*found.get(written.encode(), ()), name)
    return found


def _unquoted(field: str) -> str:
    return field[1:-1].replace('""', '"') if field.startswith('"') else field


def _network(entry: bytes) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(entry.decode("ascii"), strict=False)
    except ValueError:
        return None


def _shown(text: str) -> str:
    return printable(text.strip())[:FIELD_CHARACTERS_MAX]
