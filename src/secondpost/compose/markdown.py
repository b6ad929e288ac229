"""The owner's own words, in Markdown (CommonMark), as HTML for mail.

Used for letters and forewords. What cannot be in a mail is a fault with its line: raw HTML, links
that lead nowhere outside a web page, pictures that are not on the web. The HTML is cleaned like
that of an article.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import category

from markdown_it import MarkdownIt
from markdown_it.token import Token

from secondpost.compose.article_frame import ISSUE_LEVEL, framed
from secondpost.compose.article_html import DROPPED, TAGS_MAX, clean_article

_READER = MarkdownIt("commonmark")  # keeps no state between texts
# Shows raw HTML as text: nothing of a text that was not checked gets lost.
_WRITER = MarkdownIt("commonmark", {"html": False})
_LINK_SCHEMES = ("http://", "https://", "mailto:", "tel:")
_PICTURE_SCHEMES = ("http://", "https://")
_WORDED = frozenset({"text", "text_special", "code_inline", "code_block", "fence"})
_VISIBLE = "LNPS"  # letters, numbers, punctuation, symbols: no spaces or controls
TAG_CHARACTERS_MAX = 40  # of a tag in a fault


@dataclass(frozen=True, slots=True)
class MarkdownFault:
    line: int  # from 1
    reason: str  # for the owner, with what to write instead

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


def markdown_to_html(text: str, images: bool) -> str:
    """A cleaned fragment, "" without content. Without `images`, pictures become their descriptions."""
    html = _WRITER.render(text.translate(DROPPED))
    return framed(clean_article(html, "", images), below=ISSUE_LEVEL)


def markdown_faults(text: str) -> tuple[MarkdownFault, ...]:
    """What readers would not see as it was meant."""
    found = [fault for line, token in _tokens(text) for fault in _faults_of(line, token)]
    if _WRITER.render(text).count("<") > TAGS_MAX:
        found.append(MarkdownFault(1, f"the text has more than {TAGS_MAX:,} HTML tags: make it shorter"))
    return tuple(found)


def words_of(text: str) -> list[str]:
    """The words that readers see, without descriptions of pictures."""
    shown = [token.content for _, token in _tokens(text) if token.type in _WORDED]
    words = (word for piece in shown for word in piece.translate(DROPPED).split())
    return [word for word in words if any(category(letter)[0] in _VISIBLE for letter in word)]


def first_heading(text: str) -> str:
    """The words of the first heading in one line, "" without one."""
    tokens = _READER.parse(text)
    for heading, content in pairwise(tokens):
        if heading.type == "heading_open":
            pieces = [child.content or " " for child in content.children or () if child.type != "image"]
            return " ".join("".join(pieces).translate(DROPPED).split())
    return ""


def _tokens(text: str) -> Iterator[tuple[int, Token]]:
    """Every token that is not a container, with the line on which its block begins."""
    line = 1
    for block in _READER.parse(text):
        line = line if block.map is None else block.map[0] + 1
        if block.type != "inline":
            yield line, block
        for child in block.children or ():
            line += child.type in ("softbreak", "hardbreak")
            yield line, child


def _faults_of(line: int, token: Token) -> Iterator[MarkdownFault]:
    if token.type in ("html_block", "html_inline"):
        tag = token.content.strip().split("\n")[0][:TAG_CHARACTERS_MAX]
        yield MarkdownFault(
            line, f"{tag!r} is HTML, and only Markdown is understood: leave it out, or write &lt; for <"
        )
    if token.type == "link_open":
        address = str(token.attrGet("href") or "")
        if not address.lower().startswith(_LINK_SCHEMES):
            reason = f"the link {address!r} leads nowhere from a mail: write the whole address, with https://"
            yield MarkdownFault(line, reason)
    if token.type == "image":
        address = str(token.attrGet("src") or "")
        if not address.lower().startswith(_PICTURE_SCHEMES):
            reason = (
                f"the picture {address[:80]!r} is not on the web: put it there, and write its whole address"
            )
            yield MarkdownFault(line, f"{reason}, with https://")
