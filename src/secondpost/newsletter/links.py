"""Links as readers get them: absolute http(s) URLs in ASCII. And their canonical form, for
comparing.
"""

import re
from itertools import islice
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit, urlunsplit

import idna

from secondpost.compose.picture import LAZY_ADDRESSES, SETS, candidates
from secondpost.mail.address import as_ip

LINK_CHARACTERS_MAX = 2_000
_PLAIN = "!$&'()*+,;=:@/?%[]~-._"
_TRACKING = re.compile(
    r"(?:utm_.*|mtm_.*|pk_.*|piwik_.*|fbclid|gclid|dclid|gbraid|wbraid|msclkid|twclid|yclid|igshid|mc_cid"
    r"|mc_eid|_hsenc|_hsmi|mkt_tok|oly_anon_id|oly_enc_id|vero_id|ref_src|s_cid|cmpid|srcid|spm|source)",
    re.IGNORECASE,
)
_TRACKING_FRAGMENT = re.compile(r"(?:utm_|xtor=|mtm_|atom$|rss$|ref=rss)", re.IGNORECASE)
# No other character reference occurs in URLs.
_AMPERSAND = re.compile(r"&(?:amp|#0*38|#x0*26);", re.IGNORECASE)
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
_UNRESERVED = re.compile(rb"[A-Za-z0-9._~-]")
_INDEX = re.compile(r"/index\.(?:html?|php)$")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Attributes inside a tag that hold one link, or a set of pictures; an unquoted value ends at a
# space or at the end of the tag.
_SETS = frozenset(SETS)
_LINK_ATTRIBUTE = re.compile(
    rf"""(?P<name>\s(?P<of>href|src|poster|cite|{"|".join((*LAZY_ADDRESSES, *SETS))})\s*=\s*)"""
    r"""(?:"(?P<two>[^"<>]*)"|'(?P<one>[^'<>]*)'|(?P<bare>[^\s"'<>]+))""",
    re.IGNORECASE,
)
# A link of the field Link: its target, and its parameters up to the next target.
_HEADER_LINK = re.compile(r"<([^<>]{1,2000})>([^<>]{0,1000})")
_RELATION = re.compile(r""";\s*rel\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;,"']+))""", re.IGNORECASE)
HEADER_LINKS_MAX = 50
_TAG = re.compile(r"<[a-zA-Z][^<>]*>")


def header_links(field: str) -> dict[str, str]:
    """The first link of each relation in a field Link (RFC 8288), by relation; targets as written."""
    links: dict[str, str] = {}
    for found in islice(_HEADER_LINK.finditer(field), HEADER_LINKS_MAX):
        relation = _RELATION.search(found[2])
        names = "" if relation is None else next((each for each in relation.groups() if each is not None), "")
        for name in names.split():
            links.setdefault(name.lower(), found[1])
    return links


def absolute(link: str, base: str) -> str:
    """An absolute http(s) URL, or "" for other schemes, a missing host, a password, or too long a
    URL.
    """
    joined = _joined(link, base)
    if len(joined) == 0 or len(joined) > LINK_CHARACTERS_MAX:
        return ""
    try:
        parts = urlsplit(joined)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in _DEFAULT_PORTS or host is None or "@" in parts.netloc:
        return ""
    name = _host(host)
    if len(name) == 0:
        return ""
    place = name if port is None else f"{name}:{port}"
    return urlunsplit(
        (parts.scheme.lower(), place, _ascii(parts.path), _ascii(parts.query), _ascii(parts.fragment))
    )


def _joined(link: str, base: str) -> str:
    try:
        return urljoin(base, "".join(each for each in link.strip() if each >= " " and each != "\x7f"))
    except ValueError:
        return ""


def _host(host: str) -> str:
    if "%" in host:
        return ""  # the zone of an IPv6 address is valid on one machine only, and may hold anything
    ip = as_ip(host)
    if ip is not None:
        return str(ip) if ip.version == 4 else f"[{ip}]"
    if host.rstrip(".").rpartition(".")[2].isdigit():
        return ""  # browsers would read such a name as an IPv4 address, and fail (WHATWG URL §3.5)
    if host.isascii():
        return host.lower() if re.fullmatch(r"[A-Za-z0-9._-]+", host) is not None else ""
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return ""


def _ascii(text: str) -> str:
    return quote(text, safe=_PLAIN, errors="replace")


def with_absolute_links(markup: str, base: str) -> str:
    """The HTML with its links made absolute.

    Fragments and links of other schemes stay: composing the mail removes those not meant for
    readers.
    """
    return _TAG.sub(lambda tag: _LINK_ATTRIBUTE.sub(lambda found: _rewritten(found, base), tag[0]), markup)


def _rewritten(found: re.Match[str], base: str) -> str:
    value = _AMPERSAND.sub("&", found["two"] or found["one"] or found["bare"] or "")
    target = _set(value, base) if found["of"].lower() in _SETS else absolute(value, base)
    if len(value) == 0 or value.startswith("#") or len(target) == 0:
        return found[0]
    return f'{found["name"]}"{target.replace("&", "&amp;")}"'


def _set(value: str, base: str) -> str:
    pictures = ((absolute(each.address, base), each.descriptor) for each in candidates(value))
    return ", ".join(f"{address} {size}".rstrip() for address, size in pictures if len(address) > 0)


def canonical(link: str) -> str:
    """A form of a link that stays equal across changes that do not matter.

    It drops or folds the scheme, "www.", case of the host, default port, index page, final slash,
    tracking parameters and the order of the others. "" if only a site is left, which identifies no
    article.
    """
    try:
        parts = urlsplit(link)
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").rstrip(".").removeprefix("www.")
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme):
        host = f"{host}:{port}"
    path = _INDEX.sub("/", _ESCAPE.sub(_folded, parts.path)).rstrip("/")
    asked = [each for each in parts.query.split("&") if _TRACKING.fullmatch(each.partition("=")[0]) is None]
    query = "&".join(sorted(_ESCAPE.sub(_folded, each) for each in asked if len(each) > 0))
    fragment = "" if _TRACKING_FRAGMENT.match(parts.fragment) is not None else parts.fragment
    if len(path) == 0 and len(query) == 0 and len(fragment) == 0:
        return ""
    return host + path + (f"?{query}" if len(query) > 0 else "") + (f"#{fragment}" if fragment else "")


def _folded(escape: re.Match[str]) -> str:
    octet = unquote_to_bytes(escape[0])
    return octet.decode("ascii") if _UNRESERVED.fullmatch(octet) is not None else escape[0].upper()


def site(link: str) -> str:
    """The host of a link, without "www."; "" if it has none."""
    try:
        return (urlsplit(link).hostname or "").rstrip(".").removeprefix("www.")
    except ValueError:
        return ""
