"""Evaluates an SPF record for one address, and counts its look-ups (RFC 7208 §4.6). Pure.

Unlike a receiver it goes on after the first match, because what counts is the most that any receiver
has to look up. Macros are not expanded: a term with one matches nothing here.
"""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from secondpost.mail.address import Domain
from secondpost.mail.authentication import AuthResult
from secondpost.mail.dns_questions import AskingZone
from secondpost.mail.questions import Addresses, Finding, Mx, Txt
from secondpost.protocols.spf import (
    SpfDirective,
    SpfMechanism,
    SpfRecord,
    is_spf,
    parse_spf,
)
from secondpost.protocols.spf_macros import SpfFault

TERMS_MAX = 30  # that ask DNS; beyond LOOKUPS_MAX the number no longer matters
MX_HOSTS_MAX = 10  # of one mx term: RFC 7208 §4.6.4


@dataclass(frozen=True, slots=True)
class SpfSeen:
    """What a receiver makes of the record."""

    result: AuthResult  # for the address
    lookups: int  # terms that ask DNS, over all records; counting ends at TERMS_MAX
    reason: str = ""  # of a permanent or temporary error


@dataclass(slots=True)
class _Count:
    lookups: int = 0
    reason: str = ""


def walk_spf(domain: str, address: str) -> AskingZone[SpfSeen]:
    """The record of a domain, and what it says of an IP address."""
    count = _Count()
    result = yield from _of_domain(domain, address, count)
    return SpfSeen(result, count.lookups, count.reason)


def _of_domain(domain: str, address: str, count: _Count) -> AskingZone[AuthResult]:
    answer = yield from Txt(domain).ask()
    texts = [text for text in answer.texts if is_spf(text)]
    if answer.finding is Finding.FAILED:
        return _error(AuthResult.TEMPERROR, count, f"DNS gave no usable answer about {domain}")
    if len(texts) == 0:
        return AuthResult.NONE
    if len(texts) > 1:
        return _error(AuthResult.PERMERROR, count, f"{domain} has {len(texts)} SPF records")
    try:
        record = parse_spf(texts[0])
    except SpfFault as fault:
        return _error(AuthResult.PERMERROR, count, f"the record of {domain}: {fault}")
    return (yield from _of_record(record, domain, address, count))


def _error(result: AuthResult, count: _Count, reason: str) -> AuthResult:
    count.reason = count.reason or reason
    return result


def _of_record(record: SpfRecord, domain: str, address: str, count: _Count) -> AskingZone[AuthResult]:
    result: AuthResult | None = None
    for directive in record.directives:
        if directive.mechanism.asks:
            count.lookups += 1
            if count.lookups > TERMS_MAX:
                break
        met = yield from _met(directive, directive.domain or domain, address, count)
        if result is None:
            result = met
        if directive.mechanism is SpfMechanism.ALL:
            return result or AuthResult.NEUTRAL
    if len(record.redirect) > 0 and count.lookups < TERMS_MAX:
        count.lookups += 1
        other = yield from _of_domain(record.redirect, address, count)
        if other is AuthResult.NONE:  # RFC 7208 §6.1
            other = _error(AuthResult.PERMERROR, count, f"{record.redirect} has no SPF record")
        return result or other
    return result or AuthResult.NEUTRAL


def _met(directive: SpfDirective, domain: str, address: str, count: _Count) -> AskingZone[AuthResult | None]:
    """The result if the mechanism matches or fails; None if it does not match."""
    match directive.mechanism:
        case SpfMechanism.ALL:
            return directive.result
        case SpfMechanism.IP4 | SpfMechanism.IP6:
            return directive.result if _is_in(address, str(directive.network)) else None
        case SpfMechanism.INCLUDE:
            return (yield from _included(directive, domain, address, count))
        case SpfMechanism.A:
            answer = yield from Addresses(domain).ask()
            return directive.result if _is_one_of(directive, address, answer.addresses) else None
        case SpfMechanism.MX:
            return (yield from _mail_host(directive, domain, address))
        case SpfMechanism.PTR | SpfMechanism.EXISTS:
            return None


def _included(
    directive: SpfDirective, domain: str, address: str, count: _Count
) -> AskingZone[AuthResult | None]:
    if "%" in domain:
        return None
    result = yield from _of_domain(domain, address, count)
    match result:
        case AuthResult.PASS:
            return directive.result
        case AuthResult.NONE:  # RFC 7208 §5.2
            return _error(AuthResult.PERMERROR, count, f"{domain} is included and has no SPF record")
        case AuthResult.PERMERROR | AuthResult.TEMPERROR:
            return result
        case _:
            return None


def _mail_host(directive: SpfDirective, domain: str, address: str) -> AskingZone[AuthResult | None]:
    mx = yield from Mx(Domain(domain)).ask()
    for record in mx.records[:MX_HOSTS_MAX]:
        answer = yield from Addresses(record.host).ask()
        if _is_one_of(directive, address, answer.addresses):
            return directive.result
    return None


def _is_one_of(directive: SpfDirective, address: str, found: tuple[str, ...]) -> bool:
    prefix = directive.prefix_of_six if ":" in address else directive.prefix_of_four
    same_kind = [one for one in found if (":" in one) is (":" in address)]
    return any(_is_in(address, f"{one}/{prefix}") for one in same_kind)


def _is_in(address: str, network: str) -> bool:
    return ip_address(address) in ip_network(network, strict=False)
