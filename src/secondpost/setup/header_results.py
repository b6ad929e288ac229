"""Says in plain words what the primary's results mean for mail through a relay: SPF, DKIM, DMARC, ARC
and Microsoft's compauth. Pure.
"""

import re
from collections.abc import Iterator

from secondpost.mail.address import as_ip
from secondpost.protocols.authentication_results import MethodResult
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.primary_findings import PrimaryFindings, Trust
from secondpost.setup.trust_settings import Relay

PASSES = ("pass", "bestguesspass")
PASSING = ("temperror", "permerror", "error", "unknown")  # the check itself did not come to an end
SEE_TRUST = "see header-trust"
_POLICY = re.compile(r"\b(?:p|policy)=(none|quarantine|reject)\b", re.IGNORECASE)
# Microsoft's reasons by their first digits, the longest first.
_COMPAUTH = (
    ("000", "the message failed DMARC, and its sender's domain asks to quarantine or reject it"),
    ("001", "the sender's domain proves nothing, and the message looks forged"),
    ("002", "the organisation forbids this sender to pose as its domain"),
    ("010", "the message failed DMARC, and its sender is one of the organisation's own domains"),
    ("130", "an ARC set of a trusted sealer outweighs the failed DMARC"),
    ("1", "it passed"),
    ("2", "it passed softly: the sender's domain proves nothing, and nothing speaks against it"),
    ("3", "it was not checked"),
    ("4", "the check was passed over"),
    ("6", "the sender is one of the organisation's own domains and proves nothing"),
    ("7", "it passed by what Microsoft knows of the sender"),
    ("9", "the check was passed over"),
)


def result_diagnoses(findings: PrimaryFindings, relay: Relay) -> Iterator[Diagnosis]:
    """A diagnosis of each result; a note of the main ones that the primary did not write."""
    if not any(one.method in ("spf", "dkim", "dmarc") for one in findings.results):
        text = "The primary wrote no results of SPF, DKIM or DMARC."
        yield Diagnosis(Check.HEADER_DMARC, relay.name, Grade.NOTE, text)
        return
    for result in findings.of("spf"):
        yield _spf(result, findings, relay)
    yield from _dkim(findings)
    for result in findings.of("dmarc"):
        yield _dmarc(result, findings)
    for result in findings.of("arc"):
        yield Diagnosis(Check.HEADER_ARC, "", Grade.NOTE, f"ARC: {_in_words(result)}.")
    for result in findings.of("compauth"):
        yield _compauth(result)


def domain_of_spf(result: MethodResult) -> str:
    """The domain whose SPF record was asked: of MAIL FROM, or of HELO if that was empty (RFC 7208 §2.4)."""
    sender = result.value_of("smtp.mailfrom", "smtp.mail", "smtp.helo").strip("<>")
    return sender.rpartition("@")[2].lower()


def _spf(result: MethodResult, findings: PrimaryFindings, relay: Relay) -> Diagnosis:
    domain = domain_of_spf(result)
    of = f" for {domain}" if len(domain) > 0 else ""
    is_ours = domain == relay.name
    said = f"SPF said {result.result}{of}"
    if findings.trust is Trust.LOOKED_BEHIND:
        text = f"{said}, of the server that had handed the message to this one, as it should."
        return Diagnosis(Check.HEADER_SPF, domain, Grade.WELL, text)
    if result.result in PASSES:
        text = f"{said}: its record names this server." if is_ours else f"{said}."
        return Diagnosis(Check.HEADER_SPF, domain, Grade.WELL, text)
    if result.result in PASSING:
        text = f"{said}: the primary could not read the record{of}. That is the sender's to mend."
        return Diagnosis(Check.HEADER_SPF, domain, Grade.NOTE, text)
    if is_ours:
        is_there = result.result != "none"
        what = "does not name its addresses" if is_there else "does not exist"
        text = f"{said}: the SPF record of this server's own name {what}."
        grade = Grade.WARNING if is_there else Grade.NOTE
        return Diagnosis(Check.HEADER_SPF, domain, grade, text, _spf_record(relay))
    if findings.trust is Trust.JUDGED_US:
        text = (
            f"{said}: the primary checked this server's address, {findings.judged}. No sender's record "
            "names the relays of its recipients, so that is what SPF must say of a relay."
        )
        return Diagnosis(Check.HEADER_SPF, domain, Grade.NOTE, text, SEE_TRUST)
    return Diagnosis(Check.HEADER_SPF, domain, Grade.NOTE, f"{said}.", SEE_TRUST)


def _spf_record(relay: Relay) -> str:
    mechanisms = " ".join(
        f"ip{address.version}:{address}" for text in relay.addresses if (address := as_ip(text)) is not None
    )
    return f'{relay.name}. TXT "v=spf1 {mechanisms if len(mechanisms) > 0 else "a"} -all"'


def _dkim(findings: PrimaryFindings) -> Iterator[Diagnosis]:
    results = findings.of("dkim")
    passed = [result for result in results if result.result in PASSES]
    for result in results:
        domain = _signer(result)
        by = f" of {domain}" if len(domain) > 0 else ""
        if result.result in PASSES:
            text = f"The DKIM signature{by} is intact: nothing of the message was changed on its way."
            yield Diagnosis(Check.HEADER_DKIM, domain, Grade.WELL, text)
        elif result.result in ("none", "unknown"):
            text = "The message carries no DKIM signature; a self-test has none."
            yield Diagnosis(Check.HEADER_DKIM, domain, Grade.NOTE, text)
        else:
            grade = Grade.NOTE if len(passed) > 0 else Grade.WARNING
            text = f"The DKIM signature{by} does not hold: {_in_words(result)}."
            remedy = (
                "Secondpost adds a Received line on top and changes nothing else. Look at the\n"
                "servers before it, and at the key in the sender's DNS"
            )
            yield Diagnosis(Check.HEADER_DKIM, domain, grade, text, remedy)


def _signer(result: MethodResult) -> str:
    return result.value_of("header.d", "header.i").rpartition("@")[2].lower()


def _dmarc(result: MethodResult, findings: PrimaryFindings) -> Diagnosis:
    domain = result.value_of("header.from").rpartition("@")[2].lower()
    of = f" for {domain}" if len(domain) > 0 else ""
    if result.result in PASSES:
        return Diagnosis(Check.HEADER_DMARC, domain, Grade.WELL, f"DMARC passed{of}.")
    if result.result not in ("fail", "permerror"):
        text = f"DMARC said {result.result}{of}: the domain asks for nothing, or its record was not read."
        return Diagnosis(Check.HEADER_DMARC, domain, Grade.NOTE, text)
    policy = _policy_of(result)
    asked = f", and the domain asks to {policy} such mail" if policy in ("quarantine", "reject") else ""
    because = "; SPF was asked of this server's address" if findings.trust is Trust.JUDGED_US else ""
    grade = Grade.FAULT if len(asked) > 0 else Grade.WARNING
    text = f"DMARC failed{of}{because}{asked}."
    return Diagnosis(Check.HEADER_DMARC, domain, grade, text, SEE_TRUST)


def _policy_of(result: MethodResult) -> str:
    """What the domain asks for, or what the primary did about it; "" if it does not say."""
    for comment in result.comments:
        found = _POLICY.search(comment)
        if found is not None:
            return found[1].lower()
    action = result.value_of("policy.published-domain-policy", "policy.dmarc", "action").lower()
    return {"oreject": "reject", "pct.quarantine": "quarantine", "pct.reject": "reject"}.get(action, action)


def _compauth(result: MethodResult) -> Diagnosis:
    why = next((text for digits, text in _COMPAUTH if result.reason.startswith(digits)), "")
    said = f"compauth={result.result} reason={result.reason or '(none)'}"
    text = f"{said}: {why}." if len(why) > 0 else f"{said}."
    if result.result == "fail":
        return Diagnosis(Check.HEADER_COMPAUTH, "", Grade.FAULT, text, SEE_TRUST)
    grade = Grade.WELL if result.result == "pass" else Grade.NOTE
    return Diagnosis(Check.HEADER_COMPAUTH, "", grade, text)


def _in_words(result: MethodResult) -> str:
    """The result with what the primary added to it."""
    added = [text for text in (result.reason, *result.comments) if len(text) > 0]
    return f"{result.result} ({'; '.join(added)})" if len(added) > 0 else result.result
