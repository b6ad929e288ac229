"""Markdown of a page as HTML: headings get the anchors that GitHub gives them, links lead to built pages."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)  # for the tests of the page; readers see none
# A long line or a broad table scrolls by itself; what scrolls can be reached by the Tab key.
WIDE = '<div class="wide" tabindex="0">'
DIAGRAM = "<details><summary>Source of the diagram (Mermaid)</summary>\n"


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    anchor: str
    title: str


@dataclass(frozen=True, slots=True)
class WrittenPage:
    html: str
    headings: tuple[Heading, ...]


def written(text: str, link: Callable[[str], str]) -> WrittenPage:
    """`link` gives the address in the manual for one in the source."""
    reader = MarkdownIt("commonmark").enable("table")
    tokens = reader.parse(text)
    headings = _with_anchors(tokens)
    _without_empty_heads(tokens)
    for token in tokens:
        for inner in [token, *(token.children or [])]:
            _made_fit(inner, link)
    renderer = cast(RendererHTML, reader.renderer)
    return WrittenPage(renderer.render(tokens, reader.options, {}), headings)


def anchor_of(title: str) -> str:
    """GitHub's: lower case, words joined by hyphens, without punctuation."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _with_anchors(tokens: Sequence[Token]) -> tuple[Heading, ...]:
    taken: Counter[str] = Counter()
    found = []
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        title = "".join(child.content for child in inline.children or [])
        anchor = anchor_of(title)
        number = taken[anchor]
        taken[anchor] += 1
        opening.attrSet("id", anchor if number == 0 else f"{anchor}-{number}")
        found.append(Heading(int(opening.tag[1:]), str(opening.attrGet("id")), title))
    return tuple(found)


def _without_empty_heads(tokens: Sequence[Token]) -> None:
    """A head without a word is an ordinary cell."""
    for opening, inline, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type == "th_open" and len(inline.content) == 0:
            opening.tag = closing.tag = "td"


def _made_fit(token: Token, link: Callable[[str], str]) -> None:
    match token.type:
        case "link_open":
            token.attrSet("href", link(str(token.attrGet("href"))))
        case "html_block" | "html_inline" if COMMENT.fullmatch(token.content) is not None:
            token.content = ""
        case "html_block" | "html_inline" | "image":
            raise ValueError(f"a page of the manual has no HTML or image of its own: {token.content}")
        case "fence" | "code_block":
            _as_block(token)
        case "table_open":
            _replaced(token, f"{WIDE}<table>\n")
        case "table_close":
            _replaced(token, "</table></div>\n")


def _as_block(token: Token) -> None:
    code = f'<pre tabindex="0"><code>{_escaped(token.content)}</code></pre>\n'
    is_diagram = token.info == "mermaid"
    _replaced(token, f"{DIAGRAM}{code}</details>\n" if is_diagram else code)


def _replaced(token: Token, html: str) -> None:
    token.type, token.content = "html_block", html


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
