"""Forms of domains, mailboxes, hosts, networks and URLs. Each returns the value or raises Wrong."""

import re
from ipaddress import ip_network
from urllib.parse import SplitResult, urlsplit

import idna

from secondpost.config.faults import Wrong, quoted
from secondpost.config.forms import text
from secondpost.config.key import Form
from secondpost.config.values import DoorSpeech, WebDoor
from secondpost.mail.address import AddressError, Domain, Endpoint, Mailbox, as_ip

ANY_DOMAIN = Domain("*")
DNS_PORT = 53
SMTP_PORT = 25
WRITTEN_SPEECH = {one.value: one for one in (DoorSpeech.HTTPS, DoorSpeech.REDIRECT)}

_HOST_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")


def ascii_domain(name: str) -> str:
    """An internationalised domain name as A-labels, as in DNS (RFC 5890)."""
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as fault:
        raise Wrong(f"{quoted(name)} is not a domain: {fault}") from None


def full_domain(value: object) -> Domain:
    """A host name or mail domain: two or more labels of letters, digits and hyphens."""
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
    """A mailbox that every server can mail to, ASCII before the @."""
    found = utf8_mailbox(value)
    if found.needs_utf8:
        raise Wrong(f"{quoted(text(value))} has characters before the @ that many servers cannot mail to")
    return found


def utf8_mailbox(value: object) -> Mailbox:
    """A mailbox; its local part may need SMTPUTF8."""
    written = text(value)
    local, at, domain = written.rpartition("@")
    try:
        return Mailbox.parse_utf8(f"{local}{at}{ascii_domain(domain)}")
    except AddressError as fault:
        raise Wrong(str(fault), 'write an address, such as "me@example.org"') from None


def endpoint(default_port: int | None) -> Form[Endpoint]:
    """A host or IP address, with a port."""

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
    """An IP address and port to listen on."""
    return _numeric(endpoint(None)(value), 'write an IP address of this machine, such as "[::]:25"')


def web_door(value: object) -> WebDoor:
    """A door, perhaps with what it speaks, such as "https://[::]:8443"."""
    scheme, mark, rest = text(value).rpartition("://")
    if len(mark) == 0:
        return WebDoor(door(value))
    if scheme not in WRITTEN_SPEECH:
        raise Wrong(
            f"{quoted(f'{scheme}://')} is not spoken here", 'write "https://" or "http://", or neither'
        )
    return WebDoor(door(rest), WRITTEN_SPEECH[scheme])


def name_server(value: object) -> Endpoint:
    return _numeric(endpoint(DNS_PORT)(value), 'write its IP address, such as "127.0.0.1:53"')


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
        if "%" in written:  # Python accepts any text after it
            raise ValueError
        return str(ip_network(written))
    except ValueError:
        hint = 'write an IP address or a network, such as "127.0.0.1" or "192.0.2.0/24"'
        raise Wrong(f"{quoted(written)} is not an IP address or a network", hint) from None


def domain_or_any(value: object) -> Domain:
    """A domain, or ANY_DOMAIN."""
    return ANY_DOMAIN if value == "*" else full_domain(value)


def url(value: object, schemes: tuple[str, ...] = ("https", "http")) -> str:
    written = text(value)
    parts = _url_parts(written)
    if parts is None or parts.scheme not in schemes or parts.hostname is None:
        example = f'"{schemes[0]}://www.example.net/…"'
        raise Wrong(f"{quoted(written)} is not a web address", f"write one such as {example}")
    return written


def https_url(value: object) -> str:
    return url(value, ("https",))


def secret_url(value: object) -> str:
    """A URL that works like a password: encrypted, unless it is on this machine."""
    written = url(value)
    parts = urlsplit(written)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise Wrong("it is not encrypted", "write https:")  # not quoted: it may contain a token
    return written


def service_url(value: object) -> str:
    """The address of a service, below which are its paths; without a slash at its end."""
    written = secret_url(value)
    if "?" in written or "#" in written:
        raise Wrong(f"{quoted(written)} ends in a query or a fragment", "leave it out, from the ? or # on")
    return written.rstrip("/")


def host_of_url(written: str) -> str:
    """The host in a URL, in lower case; "" if there is none."""
    parts = _url_parts(written)
    return "" if parts is None else parts.hostname or ""


def _url_parts(written: str) -> SplitResult | None:
    if not written.isascii() or " " in written:
        return None
    try:
        parts = urlsplit(written)
        _ = parts.port  # raises ValueError for an invalid port
    except ValueError:
        return None
    return parts


def web_url(value: object) -> str | None:
    """Scheme, host and port of a URL; None for "none"."""
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
