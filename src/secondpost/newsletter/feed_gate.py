"""Admit an XML document only if it is a complete feed and not an attack on the parser (R13).

expat checks it once, before the lenient parser gets it.
"""

import codecs
import re
from xml.parsers import expat

from secondpost.newsletter.feed_document import Unreadable

ROOTS = ("feed", "rss", "RDF")
DEPTH_MAX = 100
TAGS_MAX = 300_000
# The lenient parser takes time quadratic in both, as far as the document is well-formed.
ATTRIBUTES_MAX = 100  # per element
PREFIXES_MAX = 100  # namespace prefixes in the whole document
ILL_FORMED_OCTETS_MAX = 3_000_000  # the lenient parser needs a hundred times the memory
_TORN = frozenset(
    (
        expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
        expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
        expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
        expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION],
    )
)
_ATOM = re.compile(r"http://(?:www\.w3\.org/2005/Atom|purl\.org/(?:net/)?atom/)", re.IGNORECASE)
_FIRST_TAG = re.compile(rb"<([A-Za-z][\w:.-]*)")
_FIRST_ELEMENT = re.compile(rb"<\w")
_DECLARED = re.compile(rb"""<\?xml[^>]{1,200}?\sencoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
# Multi-byte encodings of East Asian feeds, by Python's names.
_SEVERAL_OCTETS = frozenset((
    "big5", "big5hkscs", "cp932", "cp949", "cp950", "euc_jp", "euc_kr", "gb2312", "gb18030", "gbk",
    "iso2022_jp", "iso2022_kr", "shift_jis", "shift_jisx0213",
))  # fmt: skip
DEFINES_ENTITIES = "It defines XML entities, which no feed needs."
_END_OF_ROOT = re.compile(rb"</(?:\w+:)?(?:feed|rss|RDF)\s*>", re.IGNORECASE)
AFTER_THE_END_OCTETS_MAX = 2_000  # room for a server's comment or an advertisement


class _Gate:
    def __init__(self) -> None:
        self.root: str | None = None
        self.is_whole = False
        self._depth = 0
        self._prefixes = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.root is None:
            self.root = name
            if name.rpartition(":")[2] == "feed" and not any(map(_ATOM.match, attributes.values())):
                raise Unreadable("Its root element is named feed, but it is not Atom.")
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise Unreadable(f"Its elements are nested more than {DEPTH_MAX} deep, which no feed needs.")
        if len(attributes) > ATTRIBUTES_MAX:
            raise Unreadable(f"An element has more than {ATTRIBUTES_MAX} attributes, which no feed needs.")
        self._prefixes += sum(name.startswith("xmlns:") for name in attributes)
        if self._prefixes > PREFIXES_MAX:
            raise Unreadable(f"It declares more than {PREFIXES_MAX} namespace prefixes, which no feed needs.")

    def end(self, name: str) -> None:
        self._depth -= 1
        self.is_whole = self._depth == 0

    def entity(self, *_: object) -> None:
        raise Unreadable(DEFINES_ENTITIES)


def check_xml(body: bytes) -> None:
    """Check a document. Raises Unreadable."""
    if body.count(b"<") > TAGS_MAX:
        raise Unreadable(f"It has more than {TAGS_MAX} tags.")
    # Searched for apart from expat: the lenient parser finds entities by an expression of its own.
    if b"<!ENTITY" in _head(body).upper():
        raise Unreadable(DEFINES_ENTITIES)
    gate = _Gate()
    try:
        try:
            _walk(gate, body, None)
        except (LookupError, ValueError):
            # expat asks Python about other encodings, and accepts only those of one octet per
            # character.
            gate = _Gate()
            _walk(gate, _in_utf_8(body), "utf-8")
    except expat.ExpatError as error:
        # Many real feeds are not quite XML. They may pass if they are complete.
        _check_root(gate.root or _first_tag(body))
        if len(body) > ILL_FORMED_OCTETS_MAX:
            raise Unreadable(f"It is not well-formed, and too large to be repaired: {error}.") from error
        if not gate.is_whole and (error.code in _TORN or not _ends_as_a_feed(body)):
            raise Unreadable("It is incomplete: the end of the document is missing.") from error
        return
    _check_root(gate.root or "")


def _walk(gate: _Gate, body: bytes, encoding: str | None) -> None:
    """Parse with expat; `encoding` overrides the document's declaration.

    Raises ExpatError, or LookupError or ValueError if expat does not support the encoding.
    """
    parser = expat.ParserCreate(encoding)
    parser.StartElementHandler = gate.start
    parser.EndElementHandler = gate.end
    parser.EntityDeclHandler = gate.entity
    parser.Parse(body, True)


def _in_utf_8(body: bytes) -> bytes:
    found = _DECLARED.match(body)
    declared = "" if found is None else found[1].decode("ascii")
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        name = ""
    if name not in _SEVERAL_OCTETS:
        raise Unreadable(f"Its encoding is not known: {declared[:40]!a}.")
    return body.decode(name, "replace").encode("utf-8")


def _check_root(name: str) -> None:
    local = name.rpartition(":")[2]
    if local.lower() in ("html", "head", "body", "title", "meta", "script", "div", "p"):
        raise Unreadable("It is an HTML page, not a feed.")
    if local not in ROOTS:
        raise Unreadable(f"It is XML, but not a feed: it begins with {name[:40]!a}.")


def _head(body: bytes) -> bytes:
    """The part before the first element, where the lenient parser looks for entities."""
    text = body.replace(b"\0", b"")
    first = _FIRST_ELEMENT.search(text)
    return text if first is None else text[: first.start()]


def _first_tag(body: bytes) -> str:
    found = _FIRST_TAG.search(body.replace(b"\0", b""))
    if found is None:
        raise Unreadable("It is neither XML nor JSON.")
    return found[1].decode("utf-8", "replace")


def _ends_as_a_feed(body: bytes) -> bool:
    return _END_OF_ROOT.search(body.replace(b"\0", b"")[-AFTER_THE_END_OCTETS_MAX:]) is not None
