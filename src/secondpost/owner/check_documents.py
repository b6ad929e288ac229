"""The JSON documents of `secondpost check`."""

from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.protocols.authentication_results import MethodResult
from secondpost.setup.bulk_rules import SOURCES, RuleStanding, has_broken
from secondpost.setup.diagnosis import Diagnosis, has_fault, worst_first
from secondpost.setup.header_diagnosis import HeaderReading
from secondpost.setup.self_test import HostVisit, SelfTest, certificate_text


@dataclass(frozen=True, slots=True)
class DiagnosisDocument:
    """One result of a check."""

    check: str
    area: str
    subject: str
    grade: str
    text: str
    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class BulkRuleDocument:
    """A rule of large providers for bulk mail, and how it stands here."""

    rule: str
    asks: str
    asked_by: list[str]
    sources: list[str]
    state: str
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class CheckDocument:
    """The document of every `check` command."""

    config: str
    right: bool
    diagnoses: list[DiagnosisDocument]
    bulk_rules: list[BulkRuleDocument]


@dataclass(frozen=True, slots=True)
class ExchangeDocument:
    """A command of ours and the server's reply, line by line."""

    command: str
    reply: list[str]


@dataclass(frozen=True, slots=True)
class VisitDocument:
    station: str
    host: str
    tls: str
    certificate: str
    exchanges: list[ExchangeDocument]
    failure: str


@dataclass(frozen=True, slots=True)
class SelfTestDocument:
    """The document of `check delivery`."""

    config: str
    right: bool
    to: str
    token: str
    met: str | None
    reply: str
    id: str | None
    state: str | None
    visits: list[VisitDocument]
    diagnoses: list[DiagnosisDocument]


@dataclass(frozen=True, slots=True)
class HeaderResultDocument:
    """A result that the primary wrote."""

    method: str
    result: str
    reason: str
    properties: dict[str, str]


@dataclass(frozen=True, slots=True)
class HeaderDocument:
    """The document of `check delivery --headers`."""

    config: str
    right: bool
    way: str
    primary: str
    kinds: list[str]
    trust: str
    judged: str
    results: list[HeaderResultDocument]
    diagnoses: list[DiagnosisDocument]


def check_document(
    path: str, diagnoses: Sequence[Diagnosis], standings: Sequence[RuleStanding] = ()
) -> CheckDocument:
    found = [_diagnosis(one) for one in worst_first(diagnoses)]
    is_right = not has_fault(diagnoses) and not has_broken(standings)
    return CheckDocument(path, is_right, found, [_rule(one) for one in standings])


def self_test_document(path: str, test: SelfTest, diagnoses: Sequence[Diagnosis]) -> SelfTestDocument:
    handed_in = test.handed_in
    visits = [_visit("deliver", visit) for visit in test.visits]
    if handed_in is not None:
        visits.append(_visit("receive", handed_in.visit))
    return SelfTestDocument(
        config=path,
        right=not has_fault(diagnoses),
        to=str(test.to),
        token=test.token,
        met=None if test.met is None else test.met.value,
        reply="" if test.reply is None else str(test.reply),
        id=None if handed_in is None or len(handed_in.queue_id) == 0 else handed_in.queue_id,
        state=None if handed_in is None else handed_in.state,
        visits=visits,
        diagnoses=[_diagnosis(one) for one in worst_first(diagnoses)],
    )


def _visit(station: str, visit: HostVisit) -> VisitDocument:
    exchanges = [
        ExchangeDocument(one.command, one.reply.encode().decode("ascii").splitlines())
        for one in visit.exchanges
    ]
    tls = "" if visit.tls is None else str(visit.tls)
    certificate = "" if visit.certificate is None else certificate_text(visit.certificate)
    return VisitDocument(station, visit.host, tls, certificate, exchanges, visit.failure)


def header_document(path: str, reading: HeaderReading) -> HeaderDocument:
    taker, findings = reading.chain.taker, reading.findings
    return HeaderDocument(
        config=path,
        right=not has_fault(reading.diagnoses),
        way=reading.chain.hand_over.value,
        primary="" if taker is None else taker.by,
        kinds=[kind.value for kind in reading.kinds],
        trust=findings.trust.value,
        judged=findings.judged,
        results=[_result(result) for result in findings.results],
        diagnoses=[_diagnosis(one) for one in worst_first(reading.diagnoses)],
    )


def _result(result: MethodResult) -> HeaderResultDocument:
    named = {f"{one.type}.{one.name}".lstrip("."): one.value for one in result.properties}
    return HeaderResultDocument(result.method, result.result, result.reason, named)


def _rule(one: RuleStanding) -> BulkRuleDocument:
    return BulkRuleDocument(
        rule=one.rule.word,
        asks=one.rule.text,
        asked_by=[str(asker) for asker in one.rule.askers],
        sources=[source.url for source in SOURCES if source.asker in one.rule.askers],
        state=one.state.value,
        text=one.text,
        remedy=one.remedy,
    )


def _diagnosis(one: Diagnosis) -> DiagnosisDocument:
    return DiagnosisDocument(
        check=one.check.word,
        area=one.check.area.value,
        subject=one.subject,
        grade=one.grade.value,
        text=one.text,
        why=one.check.why,
        remedy=one.remedy,
    )
