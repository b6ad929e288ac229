"""Remove what programs put below each article of a feed and an issue says itself.

These are WordPress's "The post … appeared first on …", a paragraph that only links the article and
its site, and a last link to the article, such as "Continue reading" or "Read full topic". They are
recognised by their links, so in any language. Pure.
"""

import re
from dataclasses import replace
from html import unescape

from secondpost.newsletter.article_text import words_of
from secondpost.newsletter.feed_document import Text

FOOTER_CHARACTERS_MAX = 2_000  # of markup
OWN_WORDS_CHARACTERS_MAX = 80  # text of a footer beside its links
COUNTING = ("utm_", "source=", "ref=")  # query parameters that track the origin of a click
ENDS = (">", ".", "…", "!", "?", "]", "»", "”", ";")  # may precede a link outside a sentence
_PARAGRAPH = re.compile(r"<p(?:\s[^<>]*)?>(.*)</p>\s*", re.IGNORECASE | re.DOTALL)
_LINK = re.compile(r"<a\s[^<>]*?\bhref\s*=\s*([\"'])([^\"'<>]*)\1[^<>]*>(.*?)</a>", re.IGNORECASE | re.DOTALL)
_CLOSING = re.compile(r"(?:\s|</\w+>)*")
_EMPTY_PARAGRAPH = re.compile(r"<p(?:\s[^<>]*)?>\s*</p>\s*", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def without_footer(text: Text, link: str, home: str) -> Text:
    """The text without its footer, or unchanged if nothing would be left. `link` and `home` are
    absolute URLs.
    """
    if not text.is_markup:
        return text
    above = replace(text, value=_without_own_link(_without_paragraph(text.value, link, home), link))
    return above if len(words_of(above).strip()) > 0 else text


def _without_paragraph(markup: str, link: str, home: str) -> str:
    start = _last(markup, "<p")
    paragraph = _PARAGRAPH.fullmatch(markup, start) if start >= 0 else None
    if paragraph is None:
        return markup
    links = [_page(found[2]) for found in _LINK.finditer(paragraph[1])]
    own_words = " ".join(_TAG.sub("", _LINK.sub("", paragraph[1])).split())
    is_footer = (
        len(links) == 2
        and set(links) == {_page(link), _page(home)}
        and len(own_words) <= OWN_WORDS_CHARACTERS_MAX
        and "<img" not in paragraph[1]
    )
    return markup[:start] if is_footer else markup


def _without_own_link(markup: str, link: str) -> str:
    start = _last(markup, "<a")
    found = _LINK.match(markup, start) if start >= 0 else None
    if found is None or _page(found[2]) != _page(link) or "<img" in found[3]:
        return markup
    before = markup[:start].rstrip()
    if not before.endswith(ENDS) or _CLOSING.fullmatch(markup, found.end()) is None:
        return markup
    above = before + markup[found.end() :]
    paragraph = _last(above, "<p")
    is_empty = paragraph >= 0 and _EMPTY_PARAGRAPH.fullmatch(above, paragraph) is not None
    return above[:paragraph] if is_empty else above


def _last(markup: str, tag: str) -> int:
    """Start of the last such tag within FOOTER_CHARACTERS_MAX of the end; -1 if there is none."""
    return markup.rfind(tag, max(0, len(markup) - FOOTER_CHARACTERS_MAX))


def _page(address: str) -> str:
    """A URL without scheme, fragment and tracking parameters: equal for all links to one page."""
    page, _, query = unescape(address).strip().partition("#")[0].partition("?")
    kept = "&".join(each for each in query.split("&") if not each.startswith(COUNTING))
    return f"{page.partition('://')[2].rstrip('/')}?{kept}"
