"""Evaluates SPF (RFC 7208 §4) for one message: a generator that asks DNS and ends with the result. Pure.

A broken record raises SpfFault, an answer of DNS that did not come raises _NoAnswer, and both end the
whole evaluation, however deep in included records: so §5.2 and §6.1 want it.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Literal

from secondpost.mail.address import Domain, Mailbox, as_ip, unquoted, without_zone
from secondpost.mail.authentication import AuthResult, SpfFound, SpfIdentity
from secondpost.mail.dns_questions import AddressRecords, AskingZone, Ptr, PtrAnswer
from secondpost.mail.questions import Finding, Mx, Txt
from secondpost.protocols.dns.names import is_at_or_below, is_name
from secondpost.protocols.spf import (
    LOOKUPS_MAX,
    MX_HOSTS_MAX,
    SpfDirective,
    SpfMechanism,
    SpfRecord,
    is_spf,
    parse_spf,
)
from secondpost.protocols.spf_macros import (
    Pieces,
    SpfFault,
    expanded,
    expanded_name,
    letters_in,
    pieces_of,
    shortened,
)

VOID_LOOKUPS_MAX = 2  # RFC 7208 §4.6.4: terms whose name has no records
PTR_HOSTS_MAX = 10  # §4.6.4: further ones are ignored
QUESTIONS_MAX = 60  # of one evaluation: ten mx terms alone could ask 110
RECORDS_CHARACTERS_MAX = 16_384  # of all records of one evaluation
EXPLANATION_CHARACTERS_MAX = 300


class _NoAnswer(Exception):
    """DNS gave no usable answer: the result is temperror. The text is the reason."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    result: AuthResult
    domain: str  # whose record says so
    explanation: str = ""  # its exp=


@dataclass(slots=True)
class _Evaluation:
    """What is evaluated, and what it has used up."""

    ip: IPv4Address | IPv6Address
    local: str
    sender_domain: str
    helo: str
    receiver: str
    now_s: int
    terms: int = 0
    void_terms: int = 0
    questions: int = 0
    characters: int = 0  # of records
    client: PtrAnswer | None = None  # once asked
    proven: dict[str, bool] = field(default_factory=dict)  # by host of `client`: whether it has the address

    @property
    def version(self) -> Literal[4, 6]:
        return 4 if isinstance(self.ip, IPv4Address) else 6

    def count_question(self) -> None:
        self.questions += 1
        if self.questions > QUESTIONS_MAX:
            raise SpfFault(f"it leads to more than {QUESTIONS_MAX} questions to DNS")

    def count_term(self) -> None:
        self.terms += 1
        if self.terms > LOOKUPS_MAX:
            raise SpfFault(f"it needs more than {LOOKUPS_MAX} look-ups")

    def count_record(self, text: str) -> None:
        self.characters += len(text)
        if self.characters > RECORDS_CHARACTERS_MAX:
            raise SpfFault(f"its records have more than {RECORDS_CHARACTERS_MAX} characters")

    def count_void(self) -> None:
        self.void_terms += 1
        if self.void_terms > VOID_LOOKUPS_MAX:
            raise SpfFault(f"it asks for more than {VOID_LOOKUPS_MAX} names that have no records")


def check_spf(
    address: str, sender: Mailbox | None, helo: str, receiver: str = "unknown", now_s: int = 0
) -> AskingZone[SpfFound]:
    """Whether the client at `address` may send with this envelope sender; None is the null sender, for
    which the name in HELO counts (§2.4). `receiver`, our name, and `now_s` stand in explanations alone.
    """
    if sender is None:
        identity, name, local, domain = SpfIdentity.HELO, helo, "postmaster", shortened(helo)
    else:
        identity, name, domain = SpfIdentity.MAILFROM, str(sender), sender.domain.name.lower()
        local = unquoted(sender.local) if len(sender.local) > 0 else "postmaster"  # §4.3
    ip = as_ip(without_zone(address))
    if ip is None or not is_name(domain) or "." not in domain or domain.startswith("["):  # §4.3
        reason = "the client has no IP address" if ip is None else "it is no domain that could have a record"
        return SpfFound(AuthResult.NONE, identity, name, domain, reason)
    run = _Evaluation(ip, local, domain, helo, receiver, now_s)
    try:
        verdict = yield from _of_domain(run, domain)
    except SpfFault as fault:
        return SpfFound(AuthResult.PERMERROR, identity, name, domain, str(fault))
    except _NoAnswer as failure:
        return SpfFound(AuthResult.TEMPERROR, identity, name, domain, str(failure))
    if verdict is None:
        return SpfFound(AuthResult.NONE, identity, name, domain, f"{domain} has no SPF record")
    explanation = (yield from _explanation(run, verdict)) if verdict.result is AuthResult.FAIL else ""
    return SpfFound(verdict.result, identity, name, domain, "", explanation)


def _of_domain(run: _Evaluation, domain: str) -> AskingZone[_Verdict | None]:
    """The check_host() of the RFC; None if the domain has no record, or cannot have one."""
    if not is_name(domain):
        return None
    run.count_question()
    answer = yield from Txt(domain).ask()
    if answer.finding is Finding.FAILED:
        raise _NoAnswer(f"DNS gave no usable answer about {domain}")
    texts = [text for text in answer.texts if is_spf(text)]
    if len(texts) == 0:
        return None
    if len(texts) > 1:  # §4.5
        raise SpfFault(f"{domain} has {len(texts)} SPF records")
    run.count_record(texts[0])
    try:
        record = parse_spf(texts[0])
    except SpfFault as fault:
        raise SpfFault(f"the record of {domain}: {fault}") from None
    return (yield from _of_record(run, record, domain))


def _of_record(run: _Evaluation, record: SpfRecord, domain: str) -> AskingZone[_Verdict]:
    for directive in record.directives:
        if directive.mechanism.asks:
            run.count_term()
        if (yield from _matches(run, directive, domain)):
            return _Verdict(directive.result, domain, record.explanation)
    if len(record.redirect) == 0:
        return _Verdict(AuthResult.NEUTRAL, domain)  # §4.7
    run.count_term()
    target = yield from _target(run, record.redirect, domain)
    verdict = yield from _of_domain(run, target)
    if verdict is None:  # §6.1
        raise SpfFault(f"{domain} redirects to {target}, which has no SPF record")
    return verdict


def _matches(run: _Evaluation, directive: SpfDirective, domain: str) -> AskingZone[bool]:
    if directive.mechanism is SpfMechanism.ALL:
        return True
    if directive.network is not None:
        return run.ip in directive.network
    target = yield from _target(run, directive.domain, domain)
    match directive.mechanism:
        case SpfMechanism.INCLUDE:
            return (yield from _includes(run, target, domain))
        case SpfMechanism.A:
            addresses = yield from _addresses(run, target, run.version)
            if addresses is None:
                run.count_void()
            return _is_among(run, directive, addresses or ())
        case SpfMechanism.MX:
            return (yield from _is_mail_host(run, directive, target))
        case SpfMechanism.EXISTS:
            # §5.7: the A record, whatever the client's address is.
            addresses = yield from _addresses(run, target, 4)
            if addresses is None:
                run.count_void()
            return len(addresses or ()) > 0
        case _:
            return (yield from _is_below(run, target))


def _target(run: _Evaluation, spec: str, domain: str) -> AskingZone[str]:
    """The name that a domain-spec stands for (§7.3); without one it is the domain of the record."""
    if len(spec) == 0:
        return domain
    if "%" not in spec:
        return shortened(spec)
    pieces = pieces_of(spec)
    return expanded_name(pieces, (yield from _values(run, pieces, domain)))


def _values(run: _Evaluation, pieces: Pieces, domain: str) -> AskingZone[dict[str, str]]:
    """Of the macros (§7.2); DNS is asked for %{p} only where it stands."""
    is_four = isinstance(run.ip, IPv4Address)
    return {
        "p": (yield from _client_name(run, domain)) if "p" in letters_in(pieces) else "",
        "s": f"{run.local}@{run.sender_domain}",
        "l": run.local,
        "o": run.sender_domain,
        "d": domain,
        "i": str(run.ip) if is_four else ".".join(f"{int(run.ip):032X}"),
        "v": "in-addr" if is_four else "ip6",
        "h": run.helo,
        "c": str(run.ip),
        "r": run.receiver,
        "t": str(run.now_s),
    }


def _includes(run: _Evaluation, target: str, domain: str) -> AskingZone[bool]:
    verdict = yield from _of_domain(run, target)
    if verdict is None:  # §5.2
        raise SpfFault(f"{domain} includes {target}, which has no SPF record")
    return verdict.result is AuthResult.PASS


def _addresses(run: _Evaluation, name: str, version: Literal[4, 6]) -> AskingZone[tuple[str, ...] | None]:
    """None if the look-up counts as void.

    A host with IPv4 alone does not count against its domain when the client comes by IPv6: with this
    limit (§4.6.4, §11.1) mistakes are meant.
    """
    if not is_name(name):
        return ()
    run.count_question()
    answer = yield from AddressRecords(name, version).ask()
    if answer.finding is Finding.FAILED:
        raise _NoAnswer(f"DNS gave no usable answer about {name}")
    is_void = answer.finding is Finding.NO_NAME or (answer.finding is Finding.NO_DATA and version == 4)
    return None if is_void else answer.addresses


def _is_among(run: _Evaluation, directive: SpfDirective, addresses: tuple[str, ...]) -> bool:
    prefix = directive.prefix_of_four if run.version == 4 else directive.prefix_of_six
    # An AAAA record may hold an IPv4 address in its mapped form.
    same_kind = [one for one in addresses if (":" in one) is (run.version == 6)]
    return any(run.ip in ip_network(f"{one}/{prefix}", strict=False) for one in same_kind)


def _is_mail_host(run: _Evaluation, directive: SpfDirective, target: str) -> AskingZone[bool]:
    if not is_name(target):
        return False
    run.count_question()
    answer = yield from Mx(Domain(target)).ask()
    hosts = [record.host for record in answer.records if record.host != "."] + list(answer.unusable)
    if answer.finding is Finding.FAILED and len(hosts) == 0:
        raise _NoAnswer(f"DNS gave no usable answer about the mail hosts of {target}")
    if len(hosts) > MX_HOSTS_MAX:
        raise SpfFault(f"{target} has more than {MX_HOSTS_MAX} mail hosts")
    is_void = answer.finding in (Finding.NO_NAME, Finding.NO_DATA)
    for host in hosts:
        addresses = yield from _addresses(run, host, run.version)
        if _is_among(run, directive, addresses or ()):
            return True
        is_void = is_void or addresses is None
    if is_void:  # §4.6.4 counts terms
        run.count_void()
    return False


def _is_below(run: _Evaluation, target: str) -> AskingZone[bool]:
    """The mechanism ptr (§5.5)."""
    answer = yield from _client(run)
    if answer.finding in (Finding.NO_NAME, Finding.NO_DATA):
        run.count_void()
    for host in answer.hosts[:PTR_HOSTS_MAX]:
        if is_at_or_below(host, target) and (yield from _is_proven(run, host)):
            return True
    return False


def _client_name(run: _Evaluation, domain: str) -> AskingZone[str]:
    """The value of %{p} (§7.3): preferably the domain itself, or a name below it."""
    answer = yield from _client(run)
    hosts = sorted(
        answer.hosts[:PTR_HOSTS_MAX], key=lambda host: (host != domain, not is_at_or_below(host, domain))
    )
    for host in hosts:
        if (yield from _is_proven(run, host)):
            return host
    return "unknown"


def _client(run: _Evaluation) -> Generator[Ptr, PtrAnswer, PtrAnswer]:
    if run.client is None:
        run.count_question()
        run.client = yield from Ptr(str(run.ip)).ask()
    return run.client


def _is_proven(run: _Evaluation, host: str) -> AskingZone[bool]:
    """Whether the host has the client's address; if DNS does not say, it has not (§5.5)."""
    if host not in run.proven:
        run.proven[host] = False
        if is_name(host):
            run.count_question()
            answer = yield from AddressRecords(host, run.version).ask()
            run.proven[host] = str(run.ip) in answer.addresses
    return run.proven[host]


def _explanation(run: _Evaluation, verdict: _Verdict) -> AskingZone[str]:
    """The text of exp=; "" if there is none, or any mistake in it (§6.2)."""
    if len(verdict.explanation) == 0:
        return ""
    try:
        name = yield from _target(run, verdict.explanation, verdict.domain)
        if not is_name(name):
            return ""
        run.count_question()
        answer = yield from Txt(name).ask()
        text = ""
        if len(answer.texts) == 1 and len(answer.texts[0]) <= EXPLANATION_CHARACTERS_MAX:
            pieces = pieces_of(answer.texts[0])
            text = expanded(pieces, (yield from _values(run, pieces, verdict.domain)))
    except SpfFault:
        return ""
    is_readable = text.isascii() and text.isprintable()
    return text[:EXPLANATION_CHARACTERS_MAX] if is_readable else ""
