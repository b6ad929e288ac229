"""The plan of a delivery: its site, and the site's hosts in the order to try them."""

from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.address import Endpoint
from secondpost.mail.outcome import Cause
from secondpost.mail.reply import Reply


class TlsDemand(StrEnum):
    OPPORTUNISTIC = "opportunistic"  # use STARTTLS when offered, with any certificate
    NONE = "none"  # never try: loopback and tests
    ENCRYPT = "encrypt"  # no TLS, no mail; any certificate
    VERIFY = "verify"  # no TLS with a valid certificate for the host, no mail


SUBMISSIONS_PORT = 465  # encrypted from the first octet (RFC 8314 §3.3)


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in to a smart host. The password is read from its file at each attempt."""

    username: str
    password_file: str


@dataclass(frozen=True, slots=True)
class Hop:
    """One host to try: its name for TLS and the log, and its addresses."""

    name: str
    addresses: tuple[str, ...]  # IP addresses, in the order to try; at least one
    port: int
    tls: TlsDemand
    login: Login | None = None

    @property
    def tls_first(self) -> bool:
        """Whether TLS comes before the greeting, without STARTTLS."""
        return self.port == SUBMISSIONS_PORT and self.tls is not TlsDemand.NONE

    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(Endpoint(address, self.port) for address in self.addresses)

    def at(self, address: str) -> str:
        """For log and trace: the host's name and the address of the connection."""
        return self.name if address == self.name else f"{self.name}[{address}]"


@dataclass(frozen=True, slots=True)
class Plan:
    """A usable route. `site` names the hosts that share connections, pace and breaker."""

    site: str
    hops: tuple[Hop, ...]  # at least one


@dataclass(frozen=True, slots=True)
class NoPlan:
    """There is no route, now or permanently: `reply` says why, in our own words.

    `site` is the site to mark as down. For a backup domain `reply` is always temporary.
    """

    site: str
    cause: Cause
    reply: Reply


NO_WAY = "mx:"  # prefix of a domain: the site of a NoPlan for its MX
INSIDE = "(inside)"  # no host name contains parentheses


@dataclass(frozen=True, slots=True)
class Inside:
    """The mail is for this server: it goes to no host."""

    site: str = INSIDE


Routed = Plan | NoPlan
UNSORTED = "unsorted"  # the site of domains whose route was not yet computed
