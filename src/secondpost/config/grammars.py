"""Forms of texts with their own rules: names, headers, patterns, times. Each may raise Wrong."""

import re
from zoneinfo import ZoneInfo

from secondpost.config.addresses import full_domain, mailbox
from secondpost.config.countries import ASSIGNED, MEANT
from secondpost.config.faults import Wrong, quoted
from secondpost.config.forms import text
from secondpost.mail.rate import MailRate, parse_rate
from secondpost.mail.slot import parse_slot

_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}\$?")
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")  # RFC 5646, common tags only
# Characters that RFC 5321 permits in a local part.
_DELIMITERS = re.compile(r"[#$&'*+/=?^_`{|}~-]{1,8}")
_TIME_ALONE = re.compile(r"\d{1,2}:\d\d")
_NEWSLETTER = re.compile(r"[a-z0-9-]{1,32}")
STORE_OCTETS_MAX = 77  # unix(7): a socket's path may have 107, and its name in the store takes 30
RESERVED_NAMES = frozenset(
    {"approve", "confirm", "leave", "me", "admin", "api", "static", "health", "metrics"}
)


def database(value: object) -> str:
    written = text(value)
    if not written.startswith(("postgresql://", "postgres://")):
        # Not quoted: it may contain a password.
        raise Wrong("it is not a PostgreSQL address", 'write "postgresql://…" or leave the key out')
    return written


def absolute_path(value: object) -> str:
    path = text(value)
    if not path.startswith("/"):
        raise Wrong(f"{quoted(path)} is not an absolute path", "write it from / onwards")
    return path.rstrip("/") if len(path.rstrip("/")) > 0 else "/"


def store(value: object) -> str:
    """The store's path; bounded, because the roles' Unix sockets lie in it (unix(7))."""
    path = absolute_path(value)
    octets = len(path.encode(errors="surrogateescape"))
    if octets > STORE_OCTETS_MAX:
        raise Wrong(f"the path has {octets} octets, and at most {STORE_OCTETS_MAX} fit", "use a shorter one")
    return path


def user(value: object) -> str:
    return _matching(text(value), _USER, "the name of a user of this machine", "secondpost")


def selector(value: object) -> str:
    return _matching(text(value), _SELECTOR, "a DKIM selector", "sp-rsa")


def language(value: object) -> str:
    return _matching(text(value), _LANGUAGE, "a language", "en")


def list_id(value: object) -> str:
    """A List-Id: a name in the owner's domain (RFC 2919)."""
    return full_domain(value).name


def newsletter_name(value: object) -> str:
    name = _matching(text(value), _NEWSLETTER, "a newsletter's name", "weekly")
    if name in RESERVED_NAMES:
        raise Wrong(f"{quoted(name)} is reserved for the web pages", "choose another")
    return name


def delimiters(value: object) -> str:
    """Characters that separate a detail in a local part (me+tag@); "" turns this off."""
    if value == "":
        return ""
    written = text(value)
    if _DELIMITERS.fullmatch(written) is None:
        hint = 'write up to eight of #$&\'*+-/=?^_`{|}~, such as "+", or "" for none'
        raise Wrong(f"{quoted(written)} contains what cannot separate a mailbox from its detail", hint)
    return written


def _matching(written: str, pattern: re.Pattern[str], what: str, example: str) -> str:
    if pattern.fullmatch(written) is None:
        raise Wrong(f"{quoted(written)} is not {what}", f"write one such as {quoted(example)}")
    return written


def country(value: object) -> str:
    """The two letters of ISO 3166-1."""
    code = text(value)
    if code in ASSIGNED:
        return code
    large = code.upper()
    meant = MEANT.get(large, large)
    if meant in ASSIGNED:
        raise Wrong(f"{quoted(code)} is not the code of a country", f"did you mean {quoted(meant)}?")
    hint = 'write its two capital letters (ISO 3166-1), such as "RU"'
    raise Wrong(f"{quoted(code)} is not the code of a country", hint)


def timezone(value: object) -> str:
    name = text(value)
    # UTC works even without a time zone database.
    if name != "UTC":
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            hint = 'write one such as "Europe/Oslo" or "UTC"'
            raise Wrong(f"{quoted(name)} is not a time zone of this machine", hint) from None
    return name


def slot(value: object) -> str:
    written = text(value)
    try:
        parse_slot(written)
    except ValueError as fault:
        reason, _, hint = str(fault).rpartition("; ")
        raise Wrong(reason, hint) from None
    return written


def schedule(value: object) -> str | None:
    """Fixed times in the grammar of `every`; a time alone is daily, and "off" is None."""
    written = text(value)
    if written == "off":
        return None
    written = f"daily {written}" if _TIME_ALONE.fullmatch(written) is not None else written
    if slot(written) == "when ready":
        raise Wrong('"when ready" names no time', 'write one such as "daily 07:00", or "off"')
    return written


def from_header(value: object) -> str:
    """Name <address>, or an address alone."""
    written = text(value)
    inside = written
    if written.endswith(">"):
        inside = written[written.rfind("<") + 1 : -1]
    elif "<" in written:
        raise Wrong(f"{quoted(written)} does not end with >", 'write "The Blog <newsletter@example.net>"')
    mailbox(inside)
    return written


def only_to(value: object) -> str:
    """An address, or * before the @ for a whole domain."""
    written = text(value)
    local, at, domain = written.rpartition("@")
    if local == "*" and len(at) > 0:
        return f"*@{full_domain(domain)}"
    return str(mailbox(written))


def rate(value: object) -> MailRate:
    """So many mails in a unit of time."""
    written = text(value)
    try:
        return parse_rate(written)
    except ValueError as fault:
        reason, _, hint = str(fault).partition("; ")
        raise Wrong(f"{quoted(written)}: {reason}", hint) from None
