"""Convert HTML to plain text: paragraphs, lists, quotations, and numbered links with their URLs
listed below.

Made for the output of article_html, but safe for any HTML. Lines are wrapped at 72 characters,
except preformatted ones.
"""

import re
import textwrap
from dataclasses import dataclass
from html.parser import HTMLParser

from secondpost.compose.html_words import PARAGRAPHS, names_in

LINE_CHARACTERS = 72
DEPTH_MAX = 12  # levels of lists and quotations that are drawn
TELEPHONE_DIGITS = 6  # last digits by which two spellings of a number are compared

_HEADINGS = names_in("h1 h2 h3 h4 h5 h6")
_ROWS = names_in("li dt dd tr")  # no empty line between them
_LISTS = names_in("ul ol dl table")
_UNSEEN = names_in("script style head title template noscript")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_NOT_DIGITS = re.compile(r"[^0-9]+")


@dataclass(frozen=True, slots=True)
class PlainText:
    text: str  # lines separated by \n, without a final one
    links: tuple[str, ...]  # numbered from `first_link`


def html_to_text(html: str, first_link: int = 1) -> PlainText:
    teller = _Teller(first_link)
    teller.feed(html)
    teller.close()
    return PlainText(teller.text(), tuple(teller.links))


@dataclass(slots=True)
class _List:
    ordered: bool
    number: int = 0


class _Teller(HTMLParser):
    def __init__(self, first_link: int) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self._first_link = first_link
        self._blocks: list[str] = []
        self._line: list[str] = []  # pieces of the current paragraph
        self._marks: list[str] = []  # prefix of each open quotation and list item
        self._bullet = ""  # the mark of a list item whose first line is still to come
        self._lists: list[_List] = []
        self._hrefs: list[tuple[str, int]] = []  # open links, with `_said` before them
        self._said = 0  # number of text pieces
        self._preformatted = 0
        self._unseen = 0
        self._close = False  # no empty line before the next block
        self._fresh = False  # a list or table without a row so far

    def text(self) -> str:
        self._end_paragraph()
        return "".join(self._blocks).strip("\n")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in _UNSEEN:
            self._unseen += 1
        if tag in PARAGRAPHS:
            self._end_paragraph()
        if tag in _ROWS:
            self._close = not self._fresh or len(self._lists) > 1
            self._fresh = False
        elif tag in _LISTS:
            self._fresh = True
        match tag:
            case "br":
                self._line.append("\n")
            case "hr":
                self._blocks.append("\n\n" + "-" * 12)
            case "pre":
                self._preformatted += 1
            case "blockquote":
                self._marks.append("> ")
            case "ul" | "ol":
                self._lists.append(_List(tag == "ol", _start_of(values) - 1))
            case "li":
                self._begin_item()
            case "td" | "th":
                self._line.append("  " if len(self._line) > 0 else "")
            case "a":
                self._hrefs.append((values.get("href", ""), self._said))
            case "img":
                alternative = values.get("alt", "").strip()
                if len(alternative) > 0:
                    self._line.append(f"[{alternative}]")
                    self._said += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN and self._unseen > 0:
            self._unseen -= 1
        if tag == "a" and len(self._hrefs) > 0:
            href, said = self._hrefs.pop()
            if self._said > said:  # else a number would stand alone
                self._end_link(href)
        if tag not in PARAGRAPHS:
            return
        heading = "".join(self._line) if tag in _HEADINGS else ""
        self._end_paragraph()
        if len(heading.strip()) > 0:
            self._close = True
            self._write("-" * min(len(_SPACE.sub(" ", heading).strip()), LINE_CHARACTERS), fold=False)
        match tag:
            case "pre":
                self._preformatted = max(0, self._preformatted - 1)
            case "blockquote" | "li":
                if len(self._marks) > 0:
                    self._marks.pop()
                self._bullet = ""
            case "ul" | "ol":
                if len(self._lists) > 0:
                    self._lists.pop()

    def handle_data(self, data: str) -> None:
        if self._unseen > 0:
            return
        self._said += len(data.strip()) > 0
        self._line.append(data if self._preformatted > 0 else _SPACE.sub(" ", data))

    def _begin_item(self) -> None:
        if len(self._lists) > 0 and self._lists[-1].ordered:
            self._lists[-1].number += 1
            self._bullet = f"{self._lists[-1].number}. "
        else:
            self._bullet = "* "
        self._marks.append(" " * len(self._bullet))

    def _end_link(self, href: str) -> None:
        words = "".join(self._line).rstrip()
        scheme, _, rest = href.partition(":")
        if scheme == "tel" and _subscriber(rest) not in _NOT_DIGITS.sub("", words):
            self._line.append(f" ({rest})")  # most readable in its place
        if scheme not in ("https", "http") or words.endswith(href):
            return  # the URL is already in the text, or of a scheme that is not listed
        if href not in self.links:
            self.links.append(href)
        self._line.append(f" [{self.links.index(href) + self._first_link}]")

    def _end_paragraph(self) -> None:
        text = "".join(self._line)
        self._line.clear()
        if self._preformatted > 0:
            text = text.strip("\n")
            if len(text.strip()) > 0:
                self._write(text, fold=False)
            return
        lines = [_SPACE.sub(" ", line).strip() for line in text.split("\n")]
        text = "\n".join(lines).strip()
        if len(text) > 0:
            self._write(text, fold=True)

    def _write(self, text: str, fold: bool) -> None:
        marks = "".join(self._marks[:DEPTH_MAX])
        width = max(LINE_CHARACTERS - len(marks), LINE_CHARACTERS // 2)
        lines: list[str] = []
        for line in text.split("\n"):
            lines += _folded(line, width) if fold else [line]
        first = marks
        if len(self._bullet) > 0 and len(self._marks) <= DEPTH_MAX:
            first = marks[: -len(self._bullet)] + self._bullet
        self._bullet = ""
        shown = [(first if number == 0 else marks) + line for number, line in enumerate(lines)]
        self._blocks.append(("\n" if self._close else "\n\n") + "\n".join(line.rstrip() for line in shown))
        self._close = False


def _folded(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)


def _subscriber(number: str) -> str:
    """The end of a telephone number, the same with and without country code."""
    return _NOT_DIGITS.sub("", number)[-TELEPHONE_DIGITS:]


def _start_of(values: dict[str, str]) -> int:
    text = values.get("start", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
