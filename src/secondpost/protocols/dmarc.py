"""DMARC records (RFC 9989 §4.7; RFC 7489 §6.3 before it)."""

from dataclasses import dataclass

from secondpost.mail.authentication import DmarcPolicy
from secondpost.protocols.dkim.verifying import DkimFault, tags_of

VERSION = "DMARC1"
STEPS_MAX = 8  # questions of one walk up the tree: RFC 9989 §4.10


class DmarcFault(ValueError):
    """A record that receivers do not understand. The text is the reason."""


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    policy: DmarcPolicy
    subdomain_policy: DmarcPolicy
    is_spf_strict: bool  # aspf=s: the envelope's domain must be the very domain of From
    is_public_suffix: bool  # psd=y
    has_reports: bool


def is_dmarc(text: str) -> bool:
    """Whether a TXT record at _dmarc is meant as DMARC, if only almost."""
    return text.lstrip().lower().startswith("v=dmarc")


def parse_dmarc(text: str) -> DmarcRecord:
    """Parse a record. Unknown tags are ignored. Raises DmarcFault."""
    try:
        tags = tags_of(text)
    except DkimFault as fault:
        raise DmarcFault(str(fault)) from None
    if next(iter(tags)) != "v" or tags["v"] != VERSION:
        raise DmarcFault(f"it does not begin with v={VERSION}")
    reports = tags.get("rua", "")
    if "p" not in tags and len(reports) == 0:
        raise DmarcFault("it has no p=")
    for uri in _uris(reports) + _uris(tags.get("ruf", "")):
        if not uri.lower().startswith(("mailto:", "https:")) or (
            uri.lower().startswith("mailto:") and "@" not in uri
        ):
            raise DmarcFault(f"{uri[:60]!r} is no place for reports: write mailto: and an address")
    policy = _policy("p", tags.get("p", DmarcPolicy.NONE))
    return DmarcRecord(
        policy,
        _policy("sp", tags.get("sp", policy)),
        _alignment("aspf", tags.get("aspf", "r")) == "s",
        tags.get("psd", "u").lower() == "y",
        len(reports) > 0,
    )


def _uris(text: str) -> list[str]:
    return [uri.strip() for uri in text.split(",") if len(uri.strip()) > 0]


def _policy(tag: str, value: str) -> DmarcPolicy:
    try:
        return DmarcPolicy(value.lower())
    except ValueError:
        raise DmarcFault(f"its {tag}={value[:60]} is none of none, quarantine and reject") from None


def _alignment(tag: str, value: str) -> str:
    if value.lower() not in ("r", "s"):
        raise DmarcFault(f"its {tag}={value[:60]} is neither r nor s")
    return value.lower()
