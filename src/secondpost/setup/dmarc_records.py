"""The DMARC records of every domain in From and of the backup domains, and what they ask of our mail.

A record is found by walking up the tree (RFC 9989 §4.10). Pure.
"""

from dataclasses import dataclass

from secondpost.mail.address import Domain
from secondpost.mail.authentication import DmarcPolicy
from secondpost.mail.dns_questions import AskingZone
from secondpost.mail.envelope import Lane
from secondpost.protocols.dmarc import VERSION, DmarcRecord
from secondpost.protocols.dmarc_walk import DmarcAt, DmarcWalk, walk_dmarc
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.examination import Examination, cut, in_words, no_answer, txt_line, well
from secondpost.setup.wanted import sender_domains, smart_host

WANTED = "v=DMARC1; p=none"


@dataclass(frozen=True, slots=True)
class _Applying:
    """The record that applies to a domain."""

    at: str  # the domain at whose _dmarc it stands
    text: str
    record: DmarcRecord
    walk: DmarcWalk


def examine_dmarc(it: Examination) -> AskingZone[tuple[Diagnosis, ...]]:
    found: list[Diagnosis] = []
    senders = sender_domains(it.config)
    for domain in senders:
        found += yield from _sender(it, domain)
    backups = (backup.domain for backup in it.config.backups)
    for domain in dict.fromkeys((it.config.hostname, *backups)):
        if domain not in senders:
            found += yield from _other(domain)
    return tuple(found)


def _sender(it: Examination, domain: Domain) -> AskingZone[list[Diagnosis]]:
    walk = yield from walk_dmarc(domain.name)
    result = _applying(domain, walk, Grade.FAULT, Grade.FAULT)
    if isinstance(result, Diagnosis):
        return [result]
    alignment = yield from _alignment(it, domain, result)
    return [*_judged(domain, result), alignment]


def _other(domain: Domain) -> AskingZone[list[Diagnosis]]:
    """A domain in whose name this server sends little or nothing."""
    walk = yield from walk_dmarc(domain.name)
    result = _applying(domain, walk, Grade.NOTE, Grade.WARNING)
    return [result] if isinstance(result, Diagnosis) else _judged(domain, result)


def _applying(domain: Domain, walk: DmarcWalk, missing: Grade, broken: Grade) -> _Applying | Diagnosis:
    """The record, or what is wrong with it, or with what stands below it in its place."""
    nearest = next((at for at in walk.steps if len(at.texts) > 0), None)
    if nearest is None and walk.has_failed:
        return no_answer(domain.name, f"the DMARC record of {domain}")
    if nearest is None:
        text = f"{domain} has no DMARC record."
        remedy = txt_line(f"_dmarc.{domain}", WANTED)
        return Diagnosis(Check.DMARC_RECORD, domain.name, missing, text, remedy)
    applying = walk.applying if nearest.record is not None else None
    at = applying if applying is not None else nearest
    name = f"_dmarc.{at.name}"
    if at.record is None and len(at.fault) == 0 and len(at.texts) > 1:
        text = f"{name} has {len(at.texts)} DMARC records, which count as none: {in_words(at.texts)}."
        remedy = f"Keep only: {txt_line(name, at.texts[0])}"
        return Diagnosis(Check.DMARC_RECORD, domain.name, broken, text, remedy)
    mistakes = _mistakes(at)
    if at.record is None or len(mistakes) > 0:
        text = f"The DMARC record at {name} has a mistake: {mistakes[0]}."
        remedy = f"Mend it, or put in its place: {txt_line(name, WANTED)}"
        return Diagnosis(Check.DMARC_SYNTAX, domain.name, broken, text, remedy)
    return _Applying(at.name, at.texts[0], at.record, walk)


def _mistakes(at: DmarcAt) -> tuple[str, ...]:
    if at.record is not None:
        return at.record.mistakes
    return (at.fault or f"it does not begin with v={VERSION}",)


def _judged(domain: Domain, found: _Applying) -> list[Diagnosis]:
    policy = found.record.policy if found.at == domain.name else found.record.subdomain_policy
    words = f'For {domain}, _dmarc.{found.at} has the DMARC record "{cut(found.text)}".'
    right = well(Check.DMARC_RECORD, domain.name, words)
    if policy is not DmarcPolicy.NONE:
        return [right]
    text = f"The DMARC policy for {domain} is none: forged mail in its name is delivered."
    stronger = txt_line(f"_dmarc.{found.at}", found.text.replace("=none", "=quarantine"))
    remedy = f"Once the reports show that all your mail passes: {stronger}"
    return [right, Diagnosis(Check.DMARC_POLICY, domain.name, Grade.NOTE, text, remedy)]


def _alignment(it: Examination, domain: Domain, found: _Applying) -> AskingZone[Diagnosis]:
    """Each issue is signed with d= the domain of From, which always belongs to it. Whether SPF counts
    too depends on the domain of the envelope, `bounces`; a smart host that puts its own there takes
    that away.
    """
    bounces = it.config.bounces
    envelope = yield from walk_dmarc(bounces.name)
    is_related = envelope.organization == found.walk.organization
    is_strict = found.record.is_spf_strict and is_related
    is_aligned = bounces == domain or (is_related and not is_strict)
    host = smart_host(it.config, Lane.ISSUES)
    if host is not None:
        text = f"Mail from {domain} passes DMARC by its signature; whether by SPF too depends on {host.host}."
        return well(Check.DMARC_ALIGNMENT, domain.name, text)
    if is_aligned:
        text = f"Mail from {domain} passes DMARC by its signature, and by SPF of {bounces}."
        return well(Check.DMARC_ALIGNMENT, domain.name, text)
    text = (
        f"Mail from {domain} passes DMARC by its signature alone: its envelope's domain is {bounces}, "
        f"{'and the record asks for the very domain of From (aspf=s)' if is_strict else 'of another owner'}."
    )
    relaxed = txt_line(f"_dmarc.{found.at}", found.text.replace("aspf=s", "aspf=r"))
    remedy = relaxed if is_strict else f'bounces = "bounce.{domain}"'
    return Diagnosis(Check.DMARC_ALIGNMENT, domain.name, Grade.NOTE, text, remedy)
