"""The forms that a value may have. Each takes what stood in the file and gives the value, or raises Wrong."""

import re
from collections.abc import Callable
from enum import StrEnum
from ipaddress import ip_network
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

import idna

from secondpost.config.faults import Wrong, quoted
from secondpost.config.section import Form, kind
from secondpost.mail.address import AddressError, Domain, Endpoint, Mailbox, as_ip
from secondpost.mail.duration import duration_text, parse_duration_ms
from secondpost.mail.size import parse_size, size_text
from secondpost.mail.slot import parse_slot

TEXT_CHARACTERS_MAX = 2000
ANY_DOMAIN = Domain("*")

E = TypeVar("E", bound=StrEnum)

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")  # all but the line feed
_HOST_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}\$?")
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")  # RFC 5646, the plain ones
_NEWSLETTER = re.compile(r"[a-z0-9-]{1,32}")
RESERVED_NAMES = frozenset({"confirm", "leave", "me", "admin", "api", "static", "health", "metrics"})


# -- plain


def text(value: object) -> str:
    """One line."""
    many = lines(value)
    if "\n" in many:
        raise Wrong(f"{quoted(many)} holds a line break", "write one line")
    return many


def lines(value: object) -> str:
    """One line or several."""
    if not isinstance(value, str):
        raise Wrong(f"it is {kind(value)}, not a text", "write it in quotation marks")
    if len(value.strip()) == 0:
        raise Wrong("it is empty", "write something, or leave the key out")
    if len(value) > TEXT_CHARACTERS_MAX:
        raise Wrong(f"it has {len(value)} characters, more than {TEXT_CHARACTERS_MAX}")
    if _CONTROL.search(value) is not None:
        raise Wrong(f"{quoted(value)} holds a control character")
    return value


def switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"it is {kind(value)}", "write true or false, without quotation marks")
    return value


def number(least: int, most: int) -> Form[int]:
    def form(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Wrong(f"it is {kind(value)}, not a whole number", "write digits without quotation marks")
        if not least <= value <= most:
            # str() refuses numbers of thousands of digits.
            told = str(value) if abs(value) < 10**20 else "it"
            raise Wrong(f"{told} is not between {least} and {most}")
        return value

    return form


def choice(kinds: type[E]) -> Form[E]:
    def form(value: object) -> E:
        word = text(value)
        try:
            return kinds(word)
        except ValueError:
            words = ", ".join(quoted(one.value) for one in kinds)
            raise Wrong(f"{quoted(word)} is not one of the words for it", f"write one of {words}") from None

    return form


def duration(least_ms: int, most_ms: int) -> Form[int]:
    def form(value: object) -> int:
        milliseconds = _amount(value, parse_duration_ms, 'such as "31 days" or "15 minutes"')
        if not least_ms <= milliseconds <= most_ms:
            bounds = f"write between {duration_text(least_ms)} and {duration_text(most_ms)}"
            amiss = "short" if milliseconds < least_ms else "long"
            raise Wrong(f"{quoted(str(value))} is too {amiss}", bounds)
        return milliseconds

    return form


def size(least: int, most: int) -> Form[int]:
    def form(value: object) -> int:
        octets = _amount(value, parse_size, 'such as "50 MB"')
        if not least <= octets <= most:
            bounds = f"write between {size_text(least)} and {size_text(most)}"
            amiss = "small" if octets < least else "large"
            raise Wrong(f"{quoted(str(value))} is too {amiss}", bounds)
        return octets

    return form


def _amount(value: object, parse: Callable[[str], int], example: str) -> int:
    if not isinstance(value, str):
        hint = f"write number and unit in quotation marks, {example}"
        raise Wrong(f"it is {kind(value)}, not a text", hint)
    try:
        return parse(value)
    except ValueError as fault:
        # The nouns say reason and advice in one sentence.
        reason, _, hint = str(fault).rpartition("; ")
        what = reason.rpartition(" is not a ")[2]
        raise Wrong(f"{quoted(value)} is not a {what}", hint) from None


# -- names and addresses


def ascii_domain(name: str) -> str:
    """A-labels for an internationalised domain name, as DNS knows it (RFC 5890)."""
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as fault:
        raise Wrong(f"{quoted(name)} is not a domain: {fault}") from None


def full_domain(value: object) -> Domain:
    """A full name of a host or a mail domain: at least two labels of letters, digits and hyphens."""
    name = ascii_domain(text(value))
    if name.endswith("."):
        raise Wrong(f"{quoted(name)} ends with a dot", f"write {quoted(name.rstrip('.'))}")
    if "@" in name:
        raise Wrong(f"{quoted(name)} is an address, not a domain", f"write {quoted(name.rpartition('@')[2])}")
    if as_ip(name.strip("[]")) is not None:
        raise Wrong(f"{quoted(name)} is an IP address", 'write a full domain, such as "mx2.example.net"')
    try:
        domain = Domain.parse(name)
    except AddressError as fault:
        raise Wrong(str(fault), 'write a full domain, such as "mx2.example.net"') from None
    if _HOST_NAME.fullmatch(domain.name) is None:
        raise Wrong(f"{quoted(name)} is not a full domain", 'write one such as "mx2.example.net"')
    return domain


def mailbox(value: object) -> Mailbox:
    written = text(value)
    local, at, domain = written.rpartition("@")
    if not local.isascii():
        raise Wrong(f"{quoted(written)} has characters before the @ that this version cannot mail to")
    try:
        return Mailbox.parse(f"{local}{at}{ascii_domain(domain)}")
    except AddressError as fault:
        raise Wrong(str(fault), 'write an address, such as "me@example.org"') from None


def endpoint(default_port: int | None) -> Form[Endpoint]:
    """A host or an IP address, with a port."""

    def form(value: object) -> Endpoint:
        written = text(value)
        if not written.isascii():
            host, colon, port = written.partition(":")
            written = f"{ascii_domain(host)}{colon}{port}"
        try:
            return Endpoint.parse(written, default_port)
        except AddressError as fault:
            hint = 'write "host" or "host:port"' if default_port is not None else 'write "address:port"'
            raise Wrong(str(fault), hint) from None

    return form


def door(value: object) -> Endpoint:
    """Where to listen."""
    return _numeric(endpoint(None)(value), 'write an IP address of this machine, such as "[::]:25"')


def name_server(value: object) -> Endpoint:
    return _numeric(endpoint(53)(value), 'write its IP address, such as "127.0.0.1:53"')


def _numeric(one: Endpoint, hint: str) -> Endpoint:
    if not one.is_address:
        raise Wrong(f"{quoted(one.host)} is a name, not an IP address", hint)
    return one


def ip_address(value: object) -> str:
    written = text(value)
    address = as_ip(written)
    if address is None:
        raise Wrong(f"{quoted(written)} is not an IP address", 'write one such as "192.0.2.25"')
    if address.is_unspecified or address.is_multicast:
        raise Wrong(f"{quoted(written)} is not the address of one machine")
    return str(address)


def network(value: object) -> str:
    written = text(value)
    try:
        return str(ip_network(written))
    except ValueError:
        hint = 'write an IP address or a network, such as "127.0.0.1" or "192.0.2.0/24"'
        raise Wrong(f"{quoted(written)} is not an IP address or a network", hint) from None


def domain_or_any(value: object) -> Domain:
    """A domain, or ANY_DOMAIN."""
    return ANY_DOMAIN if value == "*" else full_domain(value)


# -- texts with a grammar of their own


def url(value: object, schemes: tuple[str, ...] = ("https", "http")) -> str:
    written = text(value)
    parts = _url_parts(written)
    if parts is None or parts.scheme not in schemes or parts.hostname is None:
        example = f'"{schemes[0]}://www.example.net/…"'
        raise Wrong(f"{quoted(written)} is not an address of the web", f"write one such as {example}")
    return written


def _url_parts(written: str) -> SplitResult | None:
    if not written.isascii() or " " in written:
        return None
    try:
        parts = urlsplit(written)
        _ = parts.port  # raises ValueError for what is no port
    except ValueError:
        return None
    return parts


def web_url(value: object) -> str | None:
    """Scheme, host and port; None for "none"."""
    if value == "none":
        return None
    parts = urlsplit(url(value))
    if parts.path not in ("", "/") or len(parts.query + parts.fragment) > 0 or parts.username is not None:
        raise Wrong(
            f"{quoted(str(value))} is more than a host", f"write {quoted(f'https://{parts.hostname}')}"
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise Wrong(f"{quoted(str(value))} is not encrypted", "links in mail begin with https://")
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    address = as_ip(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def database(value: object) -> str:
    written = text(value)
    if not written.startswith(("postgresql://", "postgres://")):
        # Not quoted: a password may stand in it.
        raise Wrong("it is not the address of a PostgreSQL", 'write "postgresql://…" or leave the key out')
    return written


def absolute_path(value: object) -> str:
    path = text(value)
    if not path.startswith("/"):
        raise Wrong(f"{quoted(path)} is not an absolute path", "write it from / on")
    return path.rstrip("/") if len(path.rstrip("/")) > 0 else "/"


def user(value: object) -> str:
    return _matching(text(value), _USER, "the name of a user of this machine", "secondpost")


def selector(value: object) -> str:
    return _matching(text(value), _SELECTOR, "a DKIM selector", "sp-rsa")


def language(value: object) -> str:
    return _matching(text(value), _LANGUAGE, "a language", "en")


def list_id(value: object) -> str:
    """RFC 2919: a name in the owner's own part of DNS."""
    return full_domain(value).name


def newsletter_name(value: object) -> str:
    name = _matching(text(value), _NEWSLETTER, "a newsletter's name", "weekly")
    if name in RESERVED_NAMES:
        raise Wrong(f"{quoted(name)} is a name that the web pages need themselves", "choose another")
    return name


def _matching(written: str, pattern: re.Pattern[str], what: str, example: str) -> str:
    if pattern.fullmatch(written) is None:
        raise Wrong(f"{quoted(written)} is not {what}", f"write one such as {quoted(example)}")
    return written


def timezone(value: object) -> str:
    name = text(value)
    # UTC is there even on a machine without a time zone database.
    if name != "UTC":
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            hint = 'write one such as "Europe/Oslo" or "UTC"'
            raise Wrong(f"{quoted(name)} is not a time zone of this machine", hint) from None
    return name


def slot(value: object) -> str:
    written = text(value)
    try:
        parse_slot(written)
    except ValueError as fault:
        reason, _, hint = str(fault).rpartition("; ")
        raise Wrong(reason, hint) from None
    return written


def from_header(value: object) -> str:
    """Name <address>, or only the address."""
    written = text(value)
    inside = written
    if written.endswith(">"):
        inside = written[written.rfind("<") + 1 : -1]
    elif "<" in written:
        raise Wrong(f"{quoted(written)} does not end with >", 'write "The Blog <newsletter@example.net>"')
    mailbox(inside)
    return written


def only_to(value: object) -> str:
    """An address, or * before the @ for a whole domain."""
    written = text(value)
    local, at, domain = written.rpartition("@")
    if local == "*" and len(at) > 0:
        return f"*@{full_domain(domain)}"
    return str(mailbox(written))
