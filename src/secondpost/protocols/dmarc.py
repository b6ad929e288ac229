"""DMARC records (RFC 9989 §4.7, §4.8; RFC 7489 before it): parsed. protocols/dmarc_check evaluates them."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from secondpost.mail.authentication import DmarcPolicy

VERSION = "DMARC1"
CHARACTERS_MAX = 4_096


class DmarcFault(ValueError):
    """A record that receivers do not apply. The text is the reason."""


class PublicSuffix(StrEnum):
    """The tag psd."""

    YES = "y"
    NO = "n"  # and it is the organizational domain
    UNKNOWN = "u"


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    policy: DmarcPolicy
    subdomain_policy: DmarcPolicy
    absent_policy: DmarcPolicy  # np: of subdomains that do not exist
    is_spf_strict: bool = False  # aspf=s: the envelope's domain must be the very domain of From
    is_dkim_strict: bool = False
    public_suffix: PublicSuffix = PublicSuffix.UNKNOWN
    is_testing: bool = False  # t=y: the policy below is asked for
    has_reports: bool = False
    mistakes: tuple[str, ...] = field(default=(), compare=False)  # ignored by receivers (§4.8)


def is_dmarc(text: str) -> bool:
    """Whether a TXT record at _dmarc is meant as DMARC, if only almost."""
    return text.lstrip().lower().startswith("v=dmarc")


def has_version(text: str) -> bool:
    """Whether receivers take it for a DMARC record; they pass over all others (§4.7)."""
    name, equals, value = text.partition(";")[0].partition("=")
    return len(equals) > 0 and (name.strip(" \t"), value.strip(" \t")) == ("v", VERSION)


def parse_dmarc(text: str) -> DmarcRecord:
    """Parse a record. Unknown tags are ignored, and mistakes noted. Raises DmarcFault."""
    if not has_version(text):
        raise DmarcFault(f"it does not begin with v={VERSION}")
    if len(text) > CHARACTERS_MAX:
        raise DmarcFault(f"it has {len(text)} characters")
    mistakes: list[str] = []
    tags = _tags(text, mistakes)
    reports = _report_uris(tags, mistakes)
    record = _record(tags, mistakes, len(reports) > 0)
    return replace(record, has_reports=len(reports) > 0, mistakes=tuple(mistakes))


def _tags(text: str, mistakes: list[str]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for part in text.strip(" \t").removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        name, value = name.strip(" \t"), value.strip(" \t")
        if len(equals) == 0 or not name.isalpha():
            mistakes.append(f"{part.strip()[:60]!r} is no tag")
        elif name in tags:
            mistakes.append(f"it has {name}= twice")
        else:
            tags[name] = value
    return tags


def _report_uris(tags: dict[str, str], mistakes: list[str]) -> list[str]:
    """Of rua; those of ruf are only checked."""
    reports: list[str] = []
    for tag in ("rua", "ruf"):
        for uri in [one.strip() for one in tags.get(tag, "").split(",") if len(one.strip()) > 0]:
            if not uri.lower().startswith(("mailto:", "https:")) or (
                uri.lower().startswith("mailto:") and "@" not in uri
            ):
                mistakes.append(f"{uri[:60]!r} is no place for reports: write mailto: and an address")
            elif tag == "rua":
                reports.append(uri)
    return reports


def _record(tags: dict[str, str], mistakes: list[str], has_reports: bool) -> DmarcRecord:
    if "p" not in tags and not has_reports:
        mistakes.append("it has no p=")
    spf, dkim = (_choice(tags, tag, ("r", "s"), mistakes) == "s" for tag in ("aspf", "adkim"))
    public_suffix = PublicSuffix(_choice(tags, "psd", ("u", "y", "n"), mistakes))
    is_testing = _choice(tags, "t", ("n", "y"), mistakes) == "y"
    try:
        policy = _policy(tags, "p", DmarcPolicy.NONE)
        subdomains = _policy(tags, "sp", policy)
        absent = _policy(tags, "np", subdomains)
    except DmarcFault as fault:
        if not has_reports:
            raise
        mistakes.append(str(fault))  # §4.10.1: with reports it is p=none
        policy = subdomains = absent = DmarcPolicy.NONE
    return DmarcRecord(policy, subdomains, absent, spf, dkim, public_suffix, is_testing)


def _policy(tags: dict[str, str], tag: str, default: DmarcPolicy) -> DmarcPolicy:
    if tag not in tags:
        return default
    try:
        return DmarcPolicy(tags[tag].lower())
    except ValueError:
        raise DmarcFault(f"its {tag}={tags[tag][:60]} is none of none, quarantine and reject") from None


def _choice(tags: dict[str, str], tag: str, choices: tuple[str, ...], mistakes: list[str]) -> str:
    """The first is the default."""
    value = tags.get(tag, choices[0]).lower()
    if value in choices:
        return value
    mistakes.append(f"its {tag}={value[:60]} is none of {', '.join(choices[:-1])} and {choices[-1]}")
    return choices[0]
