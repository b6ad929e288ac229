"""SPF records (RFC 7208 §3, §4.6, §5, §6, §12): parsed. protocols/spf_check evaluates them."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network

from secondpost.mail.authentication import AuthResult
from secondpost.protocols.spf_macros import SpfFault, check_domain, pieces_of

LOOKUPS_MAX = 10  # RFC 7208 §4.6.4: of terms that ask DNS, over all included records
MX_HOSTS_MAX = 10  # §4.6.4: of one mx term
CHARACTERS_MAX = 4_096
RECORDS_KEPT = 64  # parsed: most mail comes by the records of a few large providers

_DIRECTIVE = re.compile(
    r"(?P<qualifier>[+\-~?]?)(?P<name>all|include|a|mx|ptr|ip4|ip6|exists)(?P<rest>(?:[:/].*)?)",
    re.IGNORECASE | re.DOTALL,
)
_MODIFIER = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_.-]*)=(?P<value>.*)", re.DOTALL)
# The domain may have slashes of its own; a prefix has no leading zero.
_DOMAIN_AND_PREFIXES = re.compile(
    r"(?P<domain>.*?)(?:/(?P<four>0|[1-9]\d?))?(?://(?P<six>0|[1-9]\d{0,2}))?", re.DOTALL
)
_NETWORKS = {
    "ip4": re.compile(r":[0-9.]+(?:/(?:0|[1-9]\d?))?"),
    "ip6": re.compile(r":[0-9A-Fa-f:.]+(?:/(?:0|[1-9]\d{0,2}))?"),
}

RESULTS = {"+": AuthResult.PASS, "-": AuthResult.FAIL, "~": AuthResult.SOFTFAIL, "?": AuthResult.NEUTRAL}


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
    result: AuthResult  # if the mechanism matches
    mechanism: SpfMechanism
    domain: str = ""  # of include, a, mx, ptr, exists, with its macros; "" is the domain of the record
    network: IPv4Network | IPv6Network | None = None  # of ip4 and ip6
    prefix_of_four: int = 32
    prefix_of_six: int = 128


@dataclass(frozen=True, slots=True)
class SpfRecord:
    directives: tuple[SpfDirective, ...]
    redirect: str = ""  # with its macros, as the next
    explanation: str = ""  # the name that exp= gives, whose text explains a fail

    @property
    def all(self) -> AuthResult | None:
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


@lru_cache(RECORDS_KEPT)
def parse_spf(text: str) -> SpfRecord:
    """Parse a record for which `is_spf` is true. Raises SpfFault."""
    if len(text) > CHARACTERS_MAX:
        raise SpfFault(f"it has {len(text)} characters")
    directives: list[SpfDirective] = []
    modifiers: dict[str, str] = {}
    for term in text.split(" ")[1:]:
        modifier = _MODIFIER.fullmatch(term)
        if modifier is not None:
            _add_modifier(modifiers, modifier["name"].lower(), modifier["value"])
        elif len(term) > 0:
            directives.append(_directive(term))
    return SpfRecord(tuple(directives), modifiers.get("redirect", ""), modifiers.get("exp", ""))


def _add_modifier(modifiers: dict[str, str], name: str, value: str) -> None:
    if name not in ("redirect", "exp"):
        pieces_of(value)  # unknown ones are ignored, but not their mistakes
        return
    if name in modifiers:  # §6
        raise SpfFault(f"it has {name}= twice")
    if len(value) == 0:
        raise SpfFault(f"{name}= names no domain")
    check_domain(value)
    modifiers[name] = value


def _directive(term: str) -> SpfDirective:
    match = _DIRECTIVE.fullmatch(term)
    if match is None:
        raise SpfFault(f"{term[:60]!r} is no mechanism of SPF")
    result, mechanism, rest = RESULTS[match["qualifier"] or "+"], match["name"].lower(), match["rest"]
    match SpfMechanism(mechanism):
        case SpfMechanism.ALL:
            if len(rest) > 0:
                raise SpfFault(f"{term[:60]!r}: all has no value")
            return SpfDirective(result, SpfMechanism.ALL)
        case SpfMechanism.IP4 | SpfMechanism.IP6 as kind:
            return SpfDirective(result, kind, network=_network(kind, rest, term))
        case SpfMechanism.A | SpfMechanism.MX as kind:
            domain, four, six = _prefixes(rest, term)
            return SpfDirective(result, kind, _domain(domain, term), None, four, six)
        case kind:
            if len(rest) == 0 and kind is not SpfMechanism.PTR:
                raise SpfFault(f"{term[:60]!r} names no domain")
            return SpfDirective(result, kind, _domain(rest, term))


def _domain(text: str, term: str) -> str:
    """Of a term after its name: ":" and a domain; "" if there is none."""
    if len(text) == 0:
        return ""
    if not text.startswith(":"):
        raise SpfFault(f"{term[:60]!r} has no prefix like /24 or //64")
    if text == ":":
        raise SpfFault(f"{term[:60]!r} names no domain")
    check_domain(text[1:])
    return text[1:]


def _network(mechanism: SpfMechanism, text: str, term: str) -> IPv4Network | IPv6Network:
    is_four = mechanism is SpfMechanism.IP4
    reason = f"{term[:60]!r} has no {'IPv4' if is_four else 'IPv6'} address or network"
    if _NETWORKS[mechanism].fullmatch(text) is None:
        raise SpfFault(reason)
    try:
        return IPv4Network(text[1:], strict=False) if is_four else IPv6Network(text[1:], strict=False)
    except ValueError:
        raise SpfFault(reason) from None


def _prefixes(text: str, term: str) -> tuple[str, int, int]:
    """The rest before the prefixes, and the prefixes of a and mx (§5.3)."""
    match = _DOMAIN_AND_PREFIXES.fullmatch(text)
    domain, four, six = match.group("domain", "four", "six") if match is not None else (text, None, None)
    if int(four or 32) > 32 or int(six or 128) > 128:
        raise SpfFault(f"{term[:60]!r}: the prefix is too long")
    return domain, int(four or 32), int(six or 128)
