"""Where an action relays mail to: relay URLs of both formats, TLS and logins (text_to_relayhost in to.c)."""

import re
from dataclasses import dataclass
from enum import StrEnum

from secondpost.config.addresses import endpoint, is_loopback
from secondpost.config.faults import Wrong
from secondpost.mail.address import Endpoint
from secondpost.mail.plan import TlsDemand
from secondpost.setup.importing.opensmtpd.statements import SmtpdRelay
from secondpost.setup.importing.opensmtpd.tables import domain_matches

SMTP_PORT, SMTPS_PORT = 25, 465
_URL = re.compile(
    r"(?:([a-z+]+)://)?(?:([^@/]+)@)?(\[[^\]]+\]|[^:/@\[\]]+)(?::([0-9]+|[a-z]+))?/?", re.IGNORECASE
)
PORT_NAMES = {"smtp": 25, "submission": 587, "smtps": 465, "submissions": 465}


class RelayTls(StrEnum):
    OPPORTUNISTIC = "opportunistic"
    STARTTLS = "starttls"  # demanded
    FROM_START = "smtps"
    NONE = "none"
    LMTP = "lmtp"
    EITHER = "secure"  # smtps, else STARTTLS: only before 6.4


# By format: the protocols of relay URLs; "" is a URL without one.
OLD_PROTOCOLS = {
    "": RelayTls.OPPORTUNISTIC,
    "smtp": RelayTls.NONE,
    "smtp+tls": RelayTls.OPPORTUNISTIC,
    "tls": RelayTls.STARTTLS,
    "tls+auth": RelayTls.STARTTLS,
    "smtps": RelayTls.FROM_START,
    "smtps+auth": RelayTls.FROM_START,
    "secure": RelayTls.EITHER,
    "secure+auth": RelayTls.EITHER,
    "ssl": RelayTls.EITHER,  # as secure, before 5.4
    "ssl+auth": RelayTls.EITHER,
    "lmtp": RelayTls.LMTP,
}
NEW_PROTOCOLS = {
    "": RelayTls.OPPORTUNISTIC,
    "smtp": RelayTls.OPPORTUNISTIC,
    "smtp+tls": RelayTls.STARTTLS,
    "smtp+notls": RelayTls.NONE,
    "smtps": RelayTls.FROM_START,
    "lmtp": RelayTls.LMTP,
}


@dataclass(frozen=True, slots=True)
class RelayUrl:
    """`host`: with brackets if it has them; `port`: None if the URL names none."""

    tls: RelayTls
    host: str
    port: int | None
    label: str | None  # in the table of credentials


@dataclass(frozen=True, slots=True)
class RelayTarget:
    """A next hop. `tls`: None for the usual, which is opportunistic."""

    host: Endpoint
    tls: TlsDemand | None
    username: str | None = None
    password: str | None = None

    @property
    def needs_route(self) -> bool:
        return self.tls is not None or self.username is not None

    @property
    def is_here(self) -> bool:
        return is_loopback(self.host.host)


@dataclass(frozen=True, slots=True)
class ByDns:
    """The MX hosts of the domain; for a backup those that are better than this server."""


@dataclass(frozen=True, slots=True)
class NoTarget:
    """`reason`: a sentence with a full stop."""

    reason: str


def relay_url(text: str, *, is_old: bool) -> RelayUrl | None:
    """None if it is no URL of the format."""
    match = _URL.fullmatch(text)
    if match is None:
        return None
    protocols = OLD_PROTOCOLS if is_old else NEW_PROTOCOLS
    protocol, label, host, port = (match[1] or "").lower(), match[2], match[3], match[4]
    if protocol not in protocols:
        return None
    number = None if port is None else PORT_NAMES.get(port.lower(), 0) if not port.isdigit() else int(port)
    return None if number == 0 else RelayUrl(protocols[protocol], host, number, label)


def target_of(relay: SmtpdRelay, domain: str, *, is_old: bool) -> RelayTarget | ByDns | NoTarget:
    """Where an action sends mail for a domain."""
    if relay.by_domain is not None:
        urls = [
            one.value
            for one in relay.by_domain.entries
            if one.value is not None and domain_matches(domain, one.key)
        ]
        if not relay.by_domain.is_known or len(urls) == 0:
            why = relay.by_domain.reason or "names no server for it"
            return NoTarget(f"The table {relay.by_domain.written} {why}.")
        return _target(relay, urls[0], is_old=is_old)
    if relay.host is None:
        return ByDns()
    if not relay.host.is_known or len(relay.host.entries) == 0:
        return NoTarget(f"The table {relay.host.written} {relay.host.reason or 'is empty'}.")
    return _target(relay, relay.host.entries[0].key, is_old=is_old)


def _target(relay: SmtpdRelay, text: str, *, is_old: bool) -> RelayTarget | NoTarget:
    url = relay_url(text, is_old=is_old)
    if url is None:
        return NoTarget(f'"{text}" is not the URL of a server.')
    if url.tls is RelayTls.LMTP:
        return NoTarget("It hands mail over by LMTP, which Secondpost does not speak.")
    try:
        host = endpoint(_port(url))(url.host if url.port is None else f"{url.host}:{url.port}")
    except Wrong as wrong:
        return NoTarget(f"{wrong.reason[:1].upper()}{wrong.reason[1:]}.")
    tls = _demand(url, relay.tls, is_old=is_old)
    if url.label is None:
        return RelayTarget(host, tls)
    if relay.auth is None:
        return NoTarget(f'The login "{url.label}" has no table of credentials (auth).')
    login = relay.auth.value_of(url.label)
    if login is None:
        why = relay.auth.reason or f'has no login "{url.label}"'
        return NoTarget(
            f"The table {relay.auth.written} {why}: write the [[route]] with your login yourself."
        )
    username, _, password = login.partition(":")
    if tls not in (TlsDemand.ENCRYPT, TlsDemand.VERIFY):
        tls = TlsDemand.ENCRYPT
    return RelayTarget(host, tls, username, password)


def _port(url: RelayUrl) -> int:
    return SMTPS_PORT if url.tls is RelayTls.FROM_START else SMTP_PORT


def _demand(url: RelayUrl, option: str | None, *, is_old: bool) -> TlsDemand | None:
    """Before 6.4 a certificate was checked only if `verify` said so; since then unless `no-verify` does."""
    verifies = option == "verify" if is_old else option != "no-verify"
    match url.tls:
        case RelayTls.NONE:
            return TlsDemand.NONE
        case RelayTls.OPPORTUNISTIC if option is None:
            return None
        case _:
            return TlsDemand.VERIFY if verifies else TlsDemand.ENCRYPT
