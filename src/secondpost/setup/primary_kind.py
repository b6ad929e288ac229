"""Recognises what kind of server a primary is, by its MX hosts, its greeting and the lines it writes.

A primary may be of several kinds at once: a Postfix with rspamd behind it. Pure.
"""

import re
from collections.abc import Iterable, Sequence
from enum import Enum

from secondpost.setup.pasted_headers import PastedField


class PrimaryKind(Enum):
    """Each with the name that its owners use."""

    GOOGLE = "Google Workspace"
    MICROSOFT = "Microsoft 365"
    FASTMAIL = "Fastmail"
    ZOHO = "Zoho Mail"
    PROTON = "Proton Mail"
    MIGADU = "Migadu"
    YAHOO = "Yahoo Mail"
    ICLOUD = "iCloud Mail"
    GMX = "GMX or WEB.DE"
    MAILBOX_ORG = "mailbox.org"
    MAILCOW = "mailcow"
    STALWART = "Stalwart"
    MOX = "mox"
    OPENSMTPD = "OpenSMTPD"
    POSTFIX = "Postfix"
    EXIM = "Exim"
    RSPAMD = "rspamd"
    SPAMASSASSIN = "SpamAssassin"
    OPENDMARC = "OpenDMARC"
    SPF_POLICY = "the SPF policy server for Postfix"


HOSTED = (
    PrimaryKind.GOOGLE,
    PrimaryKind.MICROSOFT,
    PrimaryKind.FASTMAIL,
    PrimaryKind.ZOHO,
    PrimaryKind.PROTON,
    PrimaryKind.MIGADU,
    PrimaryKind.YAHOO,
    PrimaryKind.ICLOUD,
    PrimaryKind.GMX,
    PrimaryKind.MAILBOX_ORG,
)
# Domains of the hosts to which customers' MX records point.
_MX_DOMAINS = {
    PrimaryKind.GOOGLE: ("google.com", "googlemail.com"),
    PrimaryKind.MICROSOFT: ("mail.protection.outlook.com", "mx.microsoft", "outlook.com"),
    PrimaryKind.FASTMAIL: ("messagingengine.com",),
    PrimaryKind.ZOHO: ("zoho.com", "zoho.eu", "zoho.in", "zohomail.com", "zohomail.eu"),
    PrimaryKind.PROTON: ("protonmail.ch",),
    PrimaryKind.MIGADU: ("migadu.com",),
    PrimaryKind.YAHOO: ("yahoodns.net", "yahoo.com"),
    PrimaryKind.ICLOUD: ("mail.icloud.com", "me.com"),
    PrimaryKind.GMX: ("gmx.net", "web.de", "kundenserver.de"),
    PrimaryKind.MAILBOX_ORG: ("mailbox.org",),
}
_GREETINGS = {
    PrimaryKind.GOOGLE: re.compile(r"\bgsmtp\b"),
    PrimaryKind.MICROSOFT: re.compile(r"Microsoft ESMTP MAIL Service"),
    PrimaryKind.POSTFIX: re.compile(r"\bPostfix\b|\bpostscreen\b"),
    PrimaryKind.MAILCOW: re.compile(r"Postcow"),
    PrimaryKind.EXIM: re.compile(r"\bExim\b"),
    PrimaryKind.OPENSMTPD: re.compile(r"\bOpenSMTPD\b"),
    PrimaryKind.STALWART: re.compile(r"\bStalwart\b"),
}
_RECEIVED = {
    PrimaryKind.MICROSOFT: re.compile(r"with Microsoft SMTP Server"),
    PrimaryKind.POSTFIX: re.compile(r"\(Postfix\)"),
    PrimaryKind.MAILCOW: re.compile(r"\(Postcow\)"),
    PrimaryKind.EXIM: re.compile(r"\(Exim \d"),
    PrimaryKind.OPENSMTPD: re.compile(r"\(OpenSMTPD\)"),
    PrimaryKind.STALWART: re.compile(r"\(Stalwart SMTP\)"),
    PrimaryKind.MOX: re.compile(r"\bvia tcp with E?SMTP"),
    PrimaryKind.GMX: re.compile(r"\(Nemesis\)"),
}
# Fields by name, each with what its value holds.
_FIELDS = (
    (PrimaryKind.GOOGLE, "x-google-smtp-source", ""),
    (PrimaryKind.GOOGLE, "x-gm-message-state", ""),
    (PrimaryKind.MICROSOFT, "x-forefront-antispam-report", ""),
    (PrimaryKind.MICROSOFT, "x-microsoft-antispam", ""),
    (PrimaryKind.MICROSOFT, "x-ms-exchange-organization-scl", ""),
    (PrimaryKind.FASTMAIL, "x-me-vscategory", ""),
    (PrimaryKind.ZOHO, "x-zohomail-dkim", ""),
    (PrimaryKind.PROTON, "x-pm-origin", ""),
    (PrimaryKind.YAHOO, "x-ymailisg", ""),
    (PrimaryKind.ICLOUD, "x-apple-movetofolder", ""),
    (PrimaryKind.GMX, "x-gmx-antispam", ""),
    (PrimaryKind.RSPAMD, "x-spamd-result", ""),
    (PrimaryKind.RSPAMD, "x-rspamd-server", ""),
    (PrimaryKind.RSPAMD, "x-rspamd-queue-id", ""),
    (PrimaryKind.RSPAMD, "x-rspamd-action", ""),
    (PrimaryKind.SPAMASSASSIN, "x-spam-checker-version", "SpamAssassin"),
    (PrimaryKind.OPENDMARC, "dmarc-filter", "OpenDMARC"),
    (PrimaryKind.SPF_POLICY, "received-spf", "(mailfrom) identity=mailfrom;"),
    (PrimaryKind.SPF_POLICY, "received-spf", "(helo) identity=helo;"),
)


def kinds_of_host(hosts: Iterable[str], greeting: str = "") -> tuple[PrimaryKind, ...]:
    """The kinds to which MX hosts and a greeting point, in the order of PrimaryKind."""
    found = {kind for host in hosts for kind in _kinds_of_name(host)}
    found |= {kind for kind, sign in _GREETINGS.items() if sign.search(greeting) is not None}
    return _sorted(found)


def kinds_of_header(fields: Sequence[PastedField], by: str) -> tuple[PrimaryKind, ...]:
    """The kinds to which the primary's lines point. `by`: the server that took the message."""
    found = set(_kinds_of_name(by))
    for field in fields:
        if field.name == "received":
            found |= {kind for kind, sign in _RECEIVED.items() if sign.search(field.value) is not None}
        found |= {kind for kind, name, held in _FIELDS if field.name == name and held in field.value}
    return _sorted(found)


def _kinds_of_name(host: str) -> tuple[PrimaryKind, ...]:
    name = host.rstrip(".").lower()
    return tuple(
        kind
        for kind, domains in _MX_DOMAINS.items()
        if any(name == domain or name.endswith(f".{domain}") for domain in domains)
    )


def _sorted(kinds: set[PrimaryKind]) -> tuple[PrimaryKind, ...]:
    """Without the software that a provider or a bundle runs underneath: its owner cannot set it."""
    hosted = [kind for kind in HOSTED if kind in kinds]
    if len(hosted) > 0:
        return tuple(hosted)
    if PrimaryKind.MAILCOW in kinds:
        return (PrimaryKind.MAILCOW,)
    return tuple(kind for kind in PrimaryKind if kind in kinds)
