"""When a hole of something that runs here matters here: a table of settings.

A row without holes is about every hole of its packages; the first row that fits decides. What is in no row
applies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum


class Circumstance(Enum):
    """Something that is so on this machine, or is not."""

    NEVER = "never"  # this program never does it
    PAGES = "pages"
    NEWSLETTER = "newsletter"
    ACME = "acme"
    FETCHING = "fetching"
    METRICS = "metrics"
    POSTFIX_BARE_NEWLINES = "postfix-bare-newlines"
    EXIM_SPA = "exim-spa"
    EXIM_EXTERNAL = "exim-external"
    EXIM_PROXY = "exim-proxy"


Circumstances = Mapping[Circumstance, bool]  # those that are known here


class Bearing(StrEnum):
    APPLIES = "applies"
    DOES_NOT = "does-not-apply"
    NOT_KNOWN = "not-known"


@dataclass(frozen=True, slots=True)
class Because:
    """`text` can follow "because", or "not known:"."""

    bearing: Bearing
    text: str


@dataclass(frozen=True, slots=True)
class CircumstanceRow:
    packages: frozenset[str]
    circumstance: Circumstance
    if_so: str
    if_not: str
    holes: frozenset[str] = frozenset()
    unknown: str = ""
    switch: str = ""  # the fix is in the fixed version, but only this command switches it on


def _of(*names: str) -> frozenset[str]:
    return frozenset(names)


_PAGES = "the web role answers strangers with it", "no web role runs here"
_ACME = "the certificate is got with it", "no certificate is got by ACME here"
_EXIM = _of("exim4", "exim", "github.com/exim/exim", "git.exim.org/exim")
_EXIM_UNKNOWN = "`exim -bP` could not be asked; ask it as root"

ROWS: Sequence[CircumstanceRow] = (
    CircumstanceRow(
        _of("starlette"),
        Circumstance.NEVER,
        "",
        "the pages read url-encoded forms alone, and no multipart ones",
        _of("CVE-2023-30798", "CVE-2024-47874", "CVE-2025-54121"),
    ),
    CircumstanceRow(
        _of("starlette"),
        Circumstance.NEVER,
        "",
        "the pages serve no file by StaticFiles or FileResponse",
        _of("CVE-2023-29159", "CVE-2025-62727"),
    ),
    CircumstanceRow(_of("starlette", "uvicorn", "h11"), Circumstance.PAGES, *_PAGES),
    CircumstanceRow(
        _of("feedparser", "feedparser-sgmllib", "nh3", "css-inline", "minijinja"),
        Circumstance.NEWSLETTER,
        "articles go through it on their way into an issue",
        "there is no newsletter here",
    ),
    CircumstanceRow(
        _of("acme", "josepy", "pyopenssl", "requests", "urllib3", "charset-normalizer", "pyrfc3339"),
        Circumstance.ACME,
        *_ACME,
    ),
    CircumstanceRow(
        _of("httpx2", "httpcore2", "httpx2-jsfetch"),
        Circumstance.FETCHING,
        "the fetch role asks the web with it",
        "no fetch role runs here",
    ),
    CircumstanceRow(
        _of("prometheus-client"),
        Circumstance.METRICS,
        "the figures are shown with it",
        'no figures are shown: `[metrics] listen` is "none"',
    ),
    CircumstanceRow(
        _of("markdown-it-py", "mdurl", "pygments"),
        Circumstance.NEVER,
        "",
        "it comes with what commands print tables with, and reads nothing here",
    ),
    CircumstanceRow(_of("pycparser"), Circumstance.NEVER, "", "it serves to build another package alone"),
    CircumstanceRow(
        _of("cryptography"),
        Circumstance.NEVER,
        "",
        "no PKCS #7 or PKCS #12 file is read or written",
        _of("CVE-2023-49083", "CVE-2024-26130"),
    ),
    CircumstanceRow(
        _of("cryptography"),
        Circumstance.NEVER,
        "",
        "RSA keys only sign here: nothing is decrypted with them",
        _of("CVE-2023-50782", "CVE-2020-25659"),
    ),
    CircumstanceRow(
        _of("dnspython"),
        Circumstance.NEVER,
        "",
        "names are asked by Secondpost's own resolver, which goes on listening after a forged answer",
        _of("CVE-2023-29483"),
    ),
    CircumstanceRow(
        _of("github.com/sqlite/sqlite"),
        Circumstance.NEVER,
        "",
        "only this program's own queries run, on databases that it made",
        _of("CVE-2022-35737", "CVE-2023-7104", "CVE-2025-6965"),
    ),
    CircumstanceRow(
        _of("postfix", "github.com/vdukhovni/postfix"),
        Circumstance.POSTFIX_BARE_NEWLINES,
        "`smtpd_forbid_bare_newline` is off, and `smtpd_data_restrictions` has no reject_unauth_pipelining",
        "`smtpd_forbid_bare_newline` or reject_unauth_pipelining stops it",
        _of("CVE-2023-51764"),
        "`postconf` could not be asked",
        switch="postconf -e smtpd_forbid_bare_newline=normalize && postfix reload",
    ),
    CircumstanceRow(
        _EXIM,
        Circumstance.EXIM_SPA,
        "an authenticator uses the driver spa",
        "no authenticator uses the driver spa",
        _of("CVE-2023-42114", "CVE-2023-42116", "CVE-2026-40687"),
        _EXIM_UNKNOWN,
    ),
    CircumstanceRow(
        _EXIM,
        Circumstance.EXIM_EXTERNAL,
        "an authenticator uses the driver external",
        "no authenticator uses the driver external",
        _of("CVE-2023-42115"),
        _EXIM_UNKNOWN,
    ),
    CircumstanceRow(
        _EXIM,
        Circumstance.EXIM_PROXY,
        "`hosts_proxy` lets a proxy speak for others",
        "`hosts_proxy` is empty",
        _of("CVE-2023-42117"),
        _EXIM_UNKNOWN,
    ),
)


def row_of(packages: Sequence[str], holes: frozenset[str]) -> CircumstanceRow | None:
    """The row that decides about a hole, known by these names, of a package known by those."""
    for row in ROWS:
        if not row.packages.isdisjoint(packages) and (len(row.holes) == 0 or not row.holes.isdisjoint(holes)):
            return row
    return None


def has_switch(packages: Sequence[str]) -> bool:
    """Whether a fix of these may be there and switched off."""
    return any(len(row.switch) > 0 and not row.packages.isdisjoint(packages) for row in ROWS)


def because(row: CircumstanceRow | None, here: Circumstances) -> Because:
    if row is None:
        return Because(Bearing.APPLIES, "it is in use, and no setting is known that would prevent it")
    if row.circumstance is Circumstance.NEVER:
        return Because(Bearing.DOES_NOT, row.if_not)
    is_so = here.get(row.circumstance)
    if is_so is None:
        return Because(Bearing.NOT_KNOWN, row.unknown)
    return Because(Bearing.APPLIES, row.if_so) if is_so else Because(Bearing.DOES_NOT, row.if_not)
