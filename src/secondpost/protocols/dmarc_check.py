"""Evaluates DMARC (RFC 9989 §5.3) for one message: a generator that asks DNS and ends with the result.
Pure.

Fewer questions than a whole walk for each identifier are asked: a record of the very domain of From and
a pass of the same domain need one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from secondpost.mail.address import AddressError
from secondpost.mail.authentication import AuthResult, DkimFound, DmarcFound, DmarcPolicy, SpfFound
from secondpost.mail.questions import Asking, Finding, Txt
from secondpost.protocols.dmarc import DmarcRecord
from secondpost.protocols.dmarc_walk import DmarcAt, DmarcWalk, look_at, walk_dmarc
from secondpost.protocols.dns.names import is_at_or_below, is_name
from secondpost.protocols.smtp.international import written_domain

DOMAINS_MAX = 5  # of From
WALKS_MAX = 5  # of one domain of From, from domains below its organization
ONE_BELOW = {
    DmarcPolicy.REJECT: DmarcPolicy.QUARANTINE,
    DmarcPolicy.QUARANTINE: DmarcPolicy.NONE,
    DmarcPolicy.NONE: DmarcPolicy.NONE,
}
STRICTEST_LAST = tuple(DmarcPolicy)


class _Alignment(Enum):
    ALIGNED = auto()
    APART = auto()
    UNKNOWN = auto()  # DNS gave no usable answer


@dataclass(frozen=True, slots=True)
class _Identifier:
    """A domain that SPF or DKIM proved, or might have."""

    domain: str
    is_strict: bool
    result: AuthResult  # pass or temperror


@dataclass(slots=True)
class _FromDomain:
    """The domain of From, and what is known of the names above it and above the identifiers."""

    domain: str
    seen: dict[str, DmarcAt] = field(default_factory=dict)
    walk: DmarcWalk | None = None  # once needed
    other_walks: int = 0


def check_dmarc(from_domains: Sequence[str], spf: SpfFound, dkim: Sequence[DkimFound]) -> Asking[DmarcFound]:
    """`from_domains`: of every address in From.

    Several different domains never pass. So that a forged one cannot hide beside another, each is
    evaluated (§5.3.1, §11.5): a fail under the strictest policy is the result. One that cannot be read,
    and more than DOMAINS_MAX, count as if one asked to be refused: a forger could write any so.
    """
    written = tuple(dict.fromkeys(one.lower().removesuffix(".") for one in from_domains))
    if len(written) == 0:
        return DmarcFound(AuthResult.NONE, "", reason="From names no domain")
    if len(written) == 1:
        return (yield from _of_domain(written[0], spf, dkim))
    if len(written) > DOMAINS_MAX:
        reason = f"From names more than {DOMAINS_MAX} domains"
        return DmarcFound(AuthResult.PERMERROR, "", DmarcPolicy.REJECT, reason)
    # What an identifier without an answer might have proved would not make the message pass.
    if spf.result is AuthResult.TEMPERROR:
        spf = replace(spf, result=AuthResult.NONE)
    dkim = [one for one in dkim if one.result is AuthResult.PASS]
    found: list[DmarcFound] = []
    for domain in written:
        found.append((yield from _of_domain(domain, spf, dkim)))
    failed = [one for one in found if one.result is AuthResult.FAIL]
    if any(one.result is AuthResult.PERMERROR and one.policy is DmarcPolicy.REJECT for one in found):
        reason = "From names several domains, and not all can be read"
        return DmarcFound(AuthResult.PERMERROR, "", DmarcPolicy.REJECT, reason)
    if len(failed) > 0:
        return max(failed, key=lambda one: STRICTEST_LAST.index(one.policy))
    return DmarcFound(AuthResult.PERMERROR, "", reason="From names several domains")


def _of_domain(written: str, spf: SpfFound, dkim: Sequence[DkimFound]) -> Asking[DmarcFound]:
    try:
        domain = written_domain(written)
    except AddressError:
        reason = "From names no domain that could have a record"
        return DmarcFound(AuthResult.PERMERROR, written, DmarcPolicy.REJECT, reason)
    if domain.is_literal:
        return DmarcFound(AuthResult.NONE, domain.name, reason="From names an address, and no domain")
    return (yield from _evaluated(_FromDomain(domain.name), spf, dkim))


def _evaluated(author: _FromDomain, spf: SpfFound, dkim: Sequence[DkimFound]) -> Asking[DmarcFound]:
    at = yield from _applying(author)
    if at is None or at.record is None:
        return _without_record(author, at)
    identifiers = _identifiers(at.record, author, spf, dkim)
    is_open = False  # whether an answer that did not come might have made it pass
    for one in identifiers:
        alignment = yield from _alignment(author, one)
        if alignment is _Alignment.ALIGNED and one.result is AuthResult.PASS:
            return DmarcFound(
                AuthResult.PASS, author.domain, _policy(author, at.name, at.record, exists=True)
            )
        is_open = is_open or alignment is not _Alignment.APART
    if is_open:  # §5.3.6
        reason = "DNS gave no usable answer about what might be aligned"
        return DmarcFound(AuthResult.TEMPERROR, author.domain, reason=reason)
    exists = True
    if at.record.absent_policy is not at.record.subdomain_policy and at.name != author.domain:
        answer = yield from Txt(author.domain).ask()
        exists = answer.finding is not Finding.NO_NAME  # §3.2.13; without an answer it is taken to exist
    policy = _policy(author, at.name, at.record, exists)
    return DmarcFound(AuthResult.FAIL, author.domain, policy, "nothing that passed is aligned with From")


def _applying(author: _FromDomain) -> Asking[DmarcAt | None]:
    """The record that applies, or what stands in its place at the domain itself."""
    own = yield from look_at(author.domain)
    author.seen[own.name] = own
    if own.record is not None or own.has_failed or len(own.fault) > 0:
        return own
    walk = yield from _walk(author)
    return walk.steps[-1] if walk.applying is None and walk.has_failed else walk.applying


def _without_record(author: _FromDomain, at: DmarcAt | None) -> DmarcFound:
    if at is None:
        return DmarcFound(AuthResult.NONE, author.domain, reason=f"{author.domain} has no DMARC record")
    if at.has_failed:
        reason = f"DNS gave no usable answer about _dmarc.{at.name}"
        return DmarcFound(AuthResult.TEMPERROR, author.domain, reason=reason)
    reason = f"the record at _dmarc.{at.name}: {at.fault}"
    return DmarcFound(AuthResult.PERMERROR, author.domain, reason=reason)


def _identifiers(
    record: DmarcRecord, author: _FromDomain, spf: SpfFound, dkim: Sequence[DkimFound]
) -> list[_Identifier]:
    """Each once, those of the very domain of From first."""
    useful = (AuthResult.PASS, AuthResult.TEMPERROR)
    found = {_Identifier(spf.domain, record.is_spf_strict, spf.result)} if spf.result in useful else set()
    for one in dkim:
        # A forged signature with a selector that no zone can have leaves nothing open.
        if one.result in useful and is_name(f"{one.selector}._domainkey.{one.domain}"):
            found.add(_Identifier(one.domain, record.is_dkim_strict, one.result))
    return sorted(found, key=lambda it: (it.domain != author.domain, it.result, it.domain))


def _alignment(author: _FromDomain, one: _Identifier) -> Asking[_Alignment]:
    """Whether it is of the domain of From (§4.4), or for relaxed alignment of its organization."""
    if one.domain == author.domain:
        return _Alignment.ALIGNED
    if one.is_strict or one.domain.rpartition(".")[2] != author.domain.rpartition(".")[2]:
        return _Alignment.APART
    walk = yield from _walk(author)
    has_failed = walk.has_failed
    # Only names below this organization are asked about: what others publish, or fail to, changes
    # nothing. Where both walks failed, they failed above the organization that both have.
    if is_at_or_below(one.domain, walk.organization) and author.other_walks < WALKS_MAX:
        author.other_walks += 1
        other = yield from walk_dmarc(one.domain, author.seen)
        if other.organization == walk.organization:
            return _Alignment.ALIGNED
        has_failed = has_failed or other.has_failed
    return _Alignment.UNKNOWN if has_failed else _Alignment.APART


def _walk(author: _FromDomain) -> Asking[DmarcWalk]:
    if author.walk is None:
        author.walk = yield from walk_dmarc(author.domain, author.seen)
    return author.walk


def _policy(author: _FromDomain, at: str, record: DmarcRecord, exists: bool) -> DmarcPolicy:
    """What is asked for if a message fails (§4.7, §4.10.1)."""
    if at == author.domain:
        policy = record.policy
    else:
        policy = record.subdomain_policy if exists else record.absent_policy
    return ONE_BELOW[policy] if record.is_testing else policy
