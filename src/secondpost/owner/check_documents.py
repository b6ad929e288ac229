"""The JSON documents of `secondpost check`."""

from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.setup.diagnosis import Diagnosis, has_fault, worst_first


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
class CheckDocument:
    """The document of every `check` command."""

    config: str
    right: bool
    diagnoses: list[DiagnosisDocument]


def check_document(path: str, diagnoses: Sequence[Diagnosis]) -> CheckDocument:
    found = [_diagnosis(one) for one in worst_first(diagnoses)]
    return CheckDocument(path, not has_fault(diagnoses), found)


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
