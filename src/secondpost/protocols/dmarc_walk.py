"""The walk up the tree of names (RFC 9989 §4.10): the DMARC record that applies to a domain, and its
organizational domain. Pure.
"""

from dataclasses import dataclass

from secondpost.mail.questions import Asking, Finding, Txt
from secondpost.protocols.dmarc import (
    DmarcFault,
    DmarcRecord,
    PublicSuffix,
    has_version,
    is_dmarc,
    parse_dmarc,
)
from secondpost.protocols.dns.names import is_name

STEPS_MAX = 8  # questions of one walk


@dataclass(frozen=True, slots=True)
class DmarcAt:
    """What DNS has at _dmarc of a name."""

    name: str
    texts: tuple[str, ...] = ()  # meant as DMARC, those that are not quite last
    record: DmarcRecord | None = None  # None if there is none, or more than one
    fault: str = ""  # why the only record does not apply
    has_failed: bool = False  # there was no usable answer


@dataclass(frozen=True, slots=True)
class DmarcWalk:
    """`steps`: from the domain up; it ends at psd=, at the top, or where DNS gave no usable answer."""

    steps: tuple[DmarcAt, ...]

    @property
    def has_failed(self) -> bool:
        return self.steps[-1].has_failed

    @property
    def organization(self) -> str:
        """The organizational domain (§4.10.2)."""
        start = self.steps[0].name
        found = [at for at in self.steps if at.record is not None]
        if len(found) == 0:
            return start
        last = found[-1]
        if last.record is not None and last.record.public_suffix is PublicSuffix.YES:
            labels = last.name.count(".") + 2  # one below; the domain itself has no more
            return ".".join(start.split(".")[-labels:])
        return last.name

    @property
    def applying(self) -> DmarcAt | None:
        """Of the domain itself, else of the organizational domain, else of its public suffix (§4.10.1)."""
        found = [at for at in self.steps if at.record is not None]
        wanted = (self.steps[0].name, self.organization)
        return next((at for at in found if at.name in wanted), found[-1] if len(found) > 0 else None)


def names_asked(domain: str) -> tuple[str, ...]:
    """At most STEPS_MAX: of a long name the first step up leads over several labels."""
    above = domain.split(".")[1:][-(STEPS_MAX - 1) :]
    return (domain, *(".".join(above[start:]) for start in range(len(above))))


def walk_dmarc(domain: str, known: dict[str, DmarcAt] | None = None) -> Asking[DmarcWalk]:
    """`known`: by name, what was looked at before; it grows."""
    seen = known if known is not None else {}
    steps: list[DmarcAt] = []
    for name in names_asked(domain):
        if name not in seen:
            seen[name] = yield from look_at(name)
        at = seen[name]
        steps.append(at)
        is_end = at.record is not None and at.record.public_suffix is not PublicSuffix.UNKNOWN
        if at.has_failed or is_end:
            break
    return DmarcWalk(tuple(steps))


def look_at(name: str) -> Asking[DmarcAt]:
    if not is_name(f"_dmarc.{name}"):
        return DmarcAt(name)
    answer = yield from Txt(f"_dmarc.{name}").ask()
    if answer.finding is Finding.FAILED:
        return DmarcAt(name, has_failed=True)
    records = [text for text in answer.texts if has_version(text)]
    texts = (*records, *(text for text in answer.texts if is_dmarc(text) and not has_version(text)))
    if len(records) != 1:
        return DmarcAt(name, texts)
    try:
        return DmarcAt(name, texts, parse_dmarc(records[0]))
    except DmarcFault as fault:
        return DmarcAt(name, texts, fault=str(fault))
