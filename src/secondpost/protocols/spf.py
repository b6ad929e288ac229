"""SPF records (RFC 7208 §3, §4.6, §5): parsed, not evaluated."""

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network

LOOKUPS_MAX = 10  # RFC 7208 §4.6.4: of terms that ask DNS, over all included records
CHARACTERS_MAX = 4_096

_TERM = re.compile(
    r"(?P<qualifier>[+\-~?]?)(?P<name>all|include|a|mx|ptr|ip4|ip6|exists)"
    r"(?::(?P<value>[^/ ]+))?(?P<prefixes>(?:/\d{1,3})?(?://\d{1,3})?)",
    re.IGNORECASE,
)
_MODIFIER = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_.-]*)=(?P<value>[^ ]*)")
_PREFIXES = re.compile(r"(?:/(\d+))?(?://(\d+))?")


class SpfFault(ValueError):
    """A record that is malformed: receivers take it for a permanent error. The text is the reason."""


class SpfResult(StrEnum):
    """RFC 7208 §2.6."""

    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


RESULTS = {"+": SpfResult.PASS, "-": SpfResult.FAIL, "~": SpfResult.SOFTFAIL, "?": SpfResult.NEUTRAL}


class SpfMechanism(StrEnum):
    ALL = "all"
    INCLUDE = "include"
    A = "a"
    MX = "mx"
    PTR = "ptr"
    IP4 = "ip4"
    IP6 = "ip6"
    EXISTS = "exists"

    @property
    def asks(self) -> bool:
        """Whether it counts as a look-up (RFC 7208 §4.6.4)."""
        return self not in (SpfMechanism.ALL, SpfMechanism.IP4, SpfMechanism.IP6)


@dataclass(frozen=True, slots=True)
class SpfDirective:
    result: SpfResult  # if the mechanism matches
    mechanism: SpfMechanism
    domain: str = ""  # of include, a, mx, ptr, exists; "" is the domain of the record
    network: IPv4Network | IPv6Network | None = None  # of ip4 and ip6
    prefix_of_four: int = 32
    prefix_of_six: int = 128


@dataclass(frozen=True, slots=True)
class SpfRecord:
    directives: tuple[SpfDirective, ...]
    redirect: str = ""

    @property
    def all(self) -> SpfResult | None:
        """What it says of all other addresses; None if it has neither `all` nor redirect=."""
        for directive in self.directives:
            if directive.mechanism is SpfMechanism.ALL:
                return directive.result
        return None

    @property
    def names_others(self) -> bool:
        """Whether it allows more than the domain's own A and MX hosts."""
        own = (SpfMechanism.A, SpfMechanism.MX, SpfMechanism.ALL)
        return len(self.redirect) > 0 or any(
            it.mechanism not in own or len(it.domain) > 0 for it in self.directives
        )


def is_spf(text: str) -> bool:
    """Whether a TXT record is an SPF record (RFC 7208 §4.5)."""
    return text[:7].lower() in ("v=spf1", "v=spf1 ")


def parse_spf(text: str) -> SpfRecord:
    """Parse a record for which `is_spf` is true. Raises SpfFault."""
    if len(text) > CHARACTERS_MAX:
        raise SpfFault(f"it has {len(text)} characters")
    directives: list[SpfDirective] = []
    redirects: list[str] = []
    for term in text.split()[1:]:
        modifier = _MODIFIER.fullmatch(term)
        if modifier is None:
            directives.append(_directive(term))
        elif modifier["name"].lower() == "redirect":
            redirects.append(modifier["value"])
    if len(redirects) > 1 or "" in redirects:
        raise SpfFault("it has more than one redirect=, or an empty one")
    return SpfRecord(tuple(directives), "".join(redirects))


def _directive(term: str) -> SpfDirective:
    match = _TERM.fullmatch(term)
    if match is None:
        raise SpfFault(f"{term[:60]!r} is no mechanism of SPF")
    result, mechanism = RESULTS[match["qualifier"] or "+"], SpfMechanism(match["name"].lower())
    value, prefixes = match["value"] or "", match["prefixes"]
    if mechanism in (SpfMechanism.IP4, SpfMechanism.IP6):
        return SpfDirective(result, mechanism, network=_network(mechanism, value + prefixes, term))
    if mechanism is SpfMechanism.ALL and len(value + prefixes) > 0:
        raise SpfFault(f"{term[:60]!r}: all has no value")
    if mechanism in (SpfMechanism.INCLUDE, SpfMechanism.EXISTS) and len(value) == 0:
        raise SpfFault(f"{term[:60]!r} names no domain")
    four, six = _prefixes(prefixes, term)
    return SpfDirective(result, mechanism, value.lower().rstrip("."), None, four, six)


def _network(mechanism: SpfMechanism, text: str, term: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise SpfFault(f"{term[:60]!r} is no address or network") from None
    if (network.version == 4) is not (mechanism is SpfMechanism.IP4):
        raise SpfFault(f"{term[:60]!r} is an address of the other kind")
    return network


def _prefixes(text: str, term: str) -> tuple[int, int]:
    match = _PREFIXES.fullmatch(text)
    four, six = (match[1], match[2]) if match is not None else (None, None)
    if int(four or 32) > 32 or int(six or 128) > 128:
        raise SpfFault(f"{term[:60]!r}: the prefix is too long")
    return int(four or 32), int(six or 128)
