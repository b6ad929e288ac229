"""Choose which text of an entry is the article, and give it as plain text and as HTML.

Order of preference:

1. the whole text: content:encoded, Atom's content, content_html; HTML before plain text;
2. the description or summary;
3. only where neither has a word or a picture, the caption of a picture, film or episode:
   media:description, itunes:summary, itunes:subtitle.

The first wins, unless a later one of 1 and 2 is more than TEASER_TIMES as long: then the first is a
teaser.
"""

import html
import re
from collections.abc import Sequence

from secondpost.compose.formula import formulas_in_words
from secondpost.compose.html_words import text_of
from secondpost.mail.article import HTML_CHARACTERS_MAX
from secondpost.newsletter.feed_document import NO_TEXT, FeedEntry, Text
from secondpost.newsletter.links import with_absolute_links
from secondpost.newsletter.words import plain

TEASER_TIMES = 2
COMPARED_CHARACTERS_MAX = 20_000  # of the plain text of each
PICTURE_CHARACTERS = 80  # a picture, film or sound counts as so many characters of text
# Control characters, unpaired surrogates and noncharacters: the first break parsers, the last are
# place marks in our mail.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_SHOWN = re.compile(r"<(?:img|video|audio|iframe)\b", re.IGNORECASE)
_TAG = re.compile(r"<[a-zA-Z/!]")
_BETWEEN_PARAGRAPHS = re.compile(r"\n[ \t\r]*\n\s*")
# If all lines of a paragraph but the last are this long, a program wrapped them.
WRAPPED_CHARACTERS_MIN, WRAPPED_CHARACTERS_MAX = 50, 100


def whole_text(entry: FeedEntry) -> Text:
    best = _fullest((*entry.contents, entry.summary))
    return best if _fullness(best) > 0 else _fullest(entry.captions)


def _fullest(texts: Sequence[Text]) -> Text:
    best, fullness = NO_TEXT, 0
    for text in texts:
        other = _fullness(text)
        if other > fullness * TEASER_TIMES:
            best, fullness = text, other
    return best


def _fullness(text: Text) -> int:
    """Amount of text, in characters."""
    shown = len(_SHOWN.findall(text.value)) if text.is_markup else 0
    return len(plain(words_of(text), COMPARED_CHARACTERS_MAX)) + PICTURE_CHARACTERS * shown


def words_of(text: Text) -> str:
    value = text.value[:HTML_CHARACTERS_MAX]
    return text_of(formulas_in_words(value)) if text.is_markup else html.unescape(value)


def html_of(text: Text, base: str) -> str:
    """The text as HTML with absolute links.

    Markup without any tag is really plain text, as are the descriptions of films and episodes: its
    line breaks and paragraphs are kept.
    """
    value = FORBIDDEN.sub("", text.value)[:HTML_CHARACTERS_MAX]
    if text.is_markup and _TAG.search(value) is not None:
        return with_absolute_links(value, base)[:HTML_CHARACTERS_MAX]
    return _paragraphs(html.unescape(value) if text.is_markup else value)[:HTML_CHARACTERS_MAX]


def _paragraphs(words: str) -> str:
    blocks = [block.strip() for block in _BETWEEN_PARAGRAPHS.split(words)]
    return "".join(f"<p>{_lines(block)}</p>" for block in blocks if len(block) > 0)


def _lines(block: str) -> str:
    lines = [line.strip() for line in block.split("\n")]
    is_wrapped = all(WRAPPED_CHARACTERS_MIN <= len(line) <= WRAPPED_CHARACTERS_MAX for line in lines[:-1])
    return ("\n" if is_wrapped else "<br>").join(html.escape(line) for line in lines)
