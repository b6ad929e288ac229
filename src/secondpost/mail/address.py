"""Domains, mailboxes and the null path (RFC 5321 §4.1.2): one strict parser for the program.

The parser reads the text between the angle brackets: no comments, display names or folding, which
belong to header fields.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from msgspec import Struct

LOCAL_PART_OCTETS_MAX = 64  # RFC 5321 §4.5.3.1.1
DOMAIN_OCTETS_MAX = 255  # RFC 5321 §4.5.3.1.2
PATH_OCTETS_MAX = 256  # RFC 5321 §4.5.3.1.3, brackets included
LABEL_OCTETS_MAX = 63  # RFC 1035 §2.3.4
DOMAINS_KEPT = 1024  # parsed domains cached: most mail goes to few

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_DOT_STRING = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_QUOTED_STRING = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"')
# RFC 6531 §3.3: both kinds of local part may hold UTF-8.
_UTF8_DOT_STRING = re.compile(rf"(?:{_ATEXT}|[^\x00-\x7f])+(?:\.(?:{_ATEXT}|[^\x00-\x7f])+)*")
_UTF8_QUOTED_STRING = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e\x80-\U0010ffff]|\\[\x20-\x7e])*"')
# Persian and Indic scripts need these to join or separate letters. Other invisible characters are
# refused: they make different addresses look alike.
_JOINERS = re.compile("[\u200c\u200d]")
# The underscore is no LDH character, but real hosts have it, and a backup must not refuse their
# mail.
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_COMMON = re.compile(rf"({_ATEXT}+(?:\.{_ATEXT}+)*)@({_LABEL}(?:\.{_LABEL})*)")
_SOURCE_ROUTE = re.compile(rf"@{_LABEL}(?:\.{_LABEL})*(?:,@{_LABEL}(?:\.{_LABEL})*)*:")


class AddressError(ValueError):
    """The text is not an address; the message says why."""


@dataclass(frozen=True, slots=True, order=True)
class Domain:
    """A domain in lower-case A-label form, or an address literal with its brackets.

    `written`: the spelling of the sender in UTF-8 (U-labels), or empty. It does not affect
    equality.
    """

    name: str
    written: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str) -> "Domain":
        """Parse a domain or an address literal. Raises AddressError."""
        return _domain(text)

    @property
    def is_literal(self) -> bool:
        return self.name.startswith("[")

    def __str__(self) -> str:
        return self.name


@lru_cache(DOMAINS_KEPT)
def _domain(text: str) -> Domain:
    if len(text) > DOMAIN_OCTETS_MAX:
        raise AddressError(f"the domain has {len(text)} octets, more than {DOMAIN_OCTETS_MAX}")
    if text.startswith("["):
        return Domain(_literal(text))
    if _DOMAIN.fullmatch(text) is None:
        raise AddressError(f"{text!r} is not a domain")
    if max(map(len, text.split("."))) > LABEL_OCTETS_MAX:
        raise AddressError(f"a label of {text!r} has more than {LABEL_OCTETS_MAX} octets")
    return Domain(text.lower())


def _literal(text: str) -> str:
    """Normalise an address literal (RFC 5321 §4.1.3): [192.0.2.1] or [IPv6:2001:db8::1]."""
    if not text.endswith("]"):
        raise AddressError(f"{text!r} is not an address literal: the closing bracket is missing")
    inside = text[1:-1]
    if inside.lower().startswith("ipv6:"):
        inside = inside[5:]
    address = _ip(inside)
    if address is None:
        raise AddressError(f"{text!r} is not an address literal")
    return f"[{address}]" if isinstance(address, IPv4Address) else f"[IPv6:{address}]"


class Mailbox(Struct, frozen=True, order=True, gc=False):
    """A mailbox. The local part is kept unchanged, with quotes: only its host may interpret it."""

    local: str
    domain: Domain

    @classmethod
    def parse(cls, text: str) -> "Mailbox":
        """Parse an ASCII address; `parse_utf8` also takes others. Raises AddressError."""
        common = _COMMON.fullmatch(text) if len(text) <= PATH_OCTETS_MAX - 2 else None
        if common is not None and len(common[1]) <= LOCAL_PART_OCTETS_MAX:  # nearly all addresses
            return cls(common[1], Domain.parse(common[2]))
        _check_length(text)
        local, domain = _split(text)
        return cls._of(local, domain)

    @classmethod
    def parse_utf8(cls, text: str) -> "Mailbox":
        """Parse an address with UTF-8 in its local part (RFC 6531 §3.3), the domain in A-labels."""
        if text.isascii():
            return cls.parse(text)
        _check_length(text)
        if not is_readable(text):
            raise AddressError(f"{text!r} is not an address: it has characters that show nothing")
        local, domain = _split(text, _UTF8_DOT_STRING, _UTF8_QUOTED_STRING)
        return cls._of(local, domain)

    @classmethod
    def _of(cls, local: str, domain: str) -> "Mailbox":
        size = octets_of(local)
        if size > LOCAL_PART_OCTETS_MAX:
            raise AddressError(f"the local part has {size} octets, more than {LOCAL_PART_OCTETS_MAX}")
        return cls(local, Domain.parse(domain))

    @property
    def key(self) -> str:
        """The same string for all spellings of one mailbox: local part unquoted, lower case, NFC.

        A UTF-8 address never has the key of an ASCII one: full case folding would map a long s or a
        Kelvin sign to ASCII letters, and so to another mailbox.
        """
        local = unquoted(self.local)
        if not local.isascii():
            composed = unicodedata.normalize("NFC", local).lower()
            return f"{local if composed.isascii() else composed}@{self.domain.name}"
        return f"{local.casefold()}@{self.domain.name}"

    @property
    def needs_utf8(self) -> bool:
        """Whether only a server with SMTPUTF8 can take it: local parts have no ASCII form."""
        return not self.local.isascii()

    @property
    def written(self) -> str:
        """The address with the domain as its sender spelled it, in UTF-8 or ASCII."""
        return f"{self.local}@{self.domain.written}" if len(self.domain.written) > 0 else str(self)

    def without_detail(self, delimiters: str) -> "Mailbox | None":
        """me@ for me+tag@ (RFC 5233): the part before the first delimiter; None without one."""
        plain = unquoted(self.local)
        at = min((plain.find(one) for one in delimiters if one in plain), default=0)
        if at == 0:
            return None
        user = plain[:at]
        if _UTF8_DOT_STRING.fullmatch(user) is None:
            user = '"' + re.sub(r'(["\\])', r"\\\1", user) + '"'
        # Added quotes may make the local part too long.
        return Mailbox(user, self.domain) if octets_of(user) <= LOCAL_PART_OCTETS_MAX else None

    def __str__(self) -> str:
        return f"{self.local}@{self.domain.name}"


def octets_of(text: str) -> int:
    """The length of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _check_length(text: str) -> None:
    size = octets_of(text)
    if size > PATH_OCTETS_MAX - 2:
        raise AddressError(f"the address has {size} octets, more than {PATH_OCTETS_MAX - 2}")


def is_readable(text: str) -> bool:
    """Whether all characters are printable, or join printable ones."""
    return text.isprintable() or _JOINERS.sub("", text).isprintable()


def _split(
    text: str, dot_string: re.Pattern[str] = _DOT_STRING, quoted_string: re.Pattern[str] = _QUOTED_STRING
) -> tuple[str, str]:
    quoted = quoted_string.match(text)
    if quoted is not None:
        local, rest = quoted[0], text[quoted.end() :]
        if not rest.startswith("@"):
            raise AddressError(f"{text!r} is not an address: after the quoted local part comes an @")
        return local, rest[1:]
    local, at, domain = text.rpartition("@")
    if len(at) == 0:
        raise AddressError(f"{text!r} is not an address: it has no @")
    if dot_string.fullmatch(local) is None:
        raise AddressError(f"{text!r} is not an address: {local!r} is not a local part")
    return local, domain


def unquoted(local: str) -> str:
    """RFC 5321 §4.1.2: "quoted" and quoted mean the same mailbox."""
    if not local.startswith('"'):
        return local
    return re.sub(r"\\(.)", r"\1", local[1:-1])


@dataclass(frozen=True, slots=True)
class NullPath:
    """The envelope sender <> of reports, which must not be answered (RFC 5321 §4.5.5)."""

    @property
    def written(self) -> str:
        return ""

    @property
    def needs_utf8(self) -> bool:
        return False

    def __str__(self) -> str:
        return ""


NULL_PATH = NullPath()
ReversePath = Mailbox | NullPath


def parse_reverse_path(text: str) -> ReversePath:
    """Parse the path between the brackets of MAIL FROM:<…>. Raises AddressError."""
    if len(text) == 0:
        return NULL_PATH
    return Mailbox.parse(without_source_route(text))


def without_source_route(text: str) -> str:
    """RFC 5321 Appendix C: a source route is accepted and ignored."""
    if not text.startswith("@"):
        return text
    route = _SOURCE_ROUTE.match(text)
    if route is None:
        raise AddressError(f"{text!r} is not an address")
    return text[route.end() :]


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """A host (name or IP address) and a TCP port, written host:port or [IPv6]:port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, default_port: int | None = None) -> "Endpoint":
        """Parse host:port, or a host alone with `default_port`. Raises AddressError."""
        if text.startswith("["):
            host, bracket, rest = text[1:].partition("]")
            if len(bracket) == 0:
                raise AddressError(f"{text!r}: the closing bracket is missing")
            colon, port = rest[:1], rest[1:]
        elif text.count(":") > 1:
            host, colon, port = text, "", ""
        else:
            host, colon, port = text.partition(":")
        if colon not in ("", ":") or (len(port) == 0) != (len(colon) == 0):
            raise AddressError(f"{text!r} is not host:port")
        return cls(_host(host, text), _port(port, text, default_port))

    @property
    def is_address(self) -> bool:
        return as_ip(self.host) is not None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _host(host: str, text: str) -> str:
    address = as_ip(host)
    if address is not None:
        return str(address)
    if _DOMAIN.fullmatch(host) is None or host.replace(".", "").isdigit():
        raise AddressError(f"{text!r}: {host!r} is neither a host name nor an IP address")
    return host.lower()


def _port(port: str, text: str, default_port: int | None) -> int:
    if len(port) == 0:
        if default_port is None:
            raise AddressError(f"{text!r} has no port")
        return default_port
    if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise AddressError(f"{text!r}: {port!r} is not a port between 1 and 65535")
    return int(port)


def as_ip(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an IP address, or return None; an IPv4-mapped IPv6 address becomes the IPv4 one."""
    address = _ip(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def without_zone(text: str) -> str:
    """An IP address without the interface name (%eth0) that link-local addresses have."""
    return text.partition("%")[0]


def _ip(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an IP address. Zones are refused: they are local to a machine, and may be any text."""
    if "%" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None
