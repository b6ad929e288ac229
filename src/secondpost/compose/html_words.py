"""The words of HTML, well-formed or not, without its tags.

One pass over the markup, so that no markup is slow: Python's html.parser needs hours for some of two
megabytes.
"""

import html
import re
from collections.abc import Iterator


def names_in(text: str) -> frozenset[str]:
    """Names of elements, written as one reads them."""
    return frozenset(text.split())


PARAGRAPHS = names_in(
    "address article blockquote caption dd details div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 "
    "header hr li main nav ol p pre section summary table tbody tfoot thead tr ul"
)
_APART = PARAGRAPHS | names_in(
    "aside br fieldset img option select td th"
)  # words do not run on across these
_LINES = names_in("blockquote br div h1 h2 h3 li p tr")
_SILENT = names_in(
    "script style head template noscript svg math iframe object"
)  # their text is not for readers
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9:-]*)")
_QUOTE_OR_END = re.compile(r"""[>"']""")


def text_of(markup: str) -> str:
    """What a reader would see; elements that stand apart become spaces."""
    return html.unescape("".join(_pieces(markup, " ")))


def lines_of(markup: str) -> str:
    """What a reader would see, a line for each paragraph and each row of a table."""
    text = html.unescape("".join(_pieces(" ".join(markup.split()), "\n")))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return "\n".join(line for line in lines if len(line) > 0)


def _pieces(markup: str, line_end: str) -> Iterator[str]:
    at = 0
    while (start := markup.find("<", at)) >= 0:
        yield markup[at:start]
        if markup.startswith("<!--", start):
            end = markup.find("-->", start + 4)
            at = len(markup) if end < 0 else end + 3
        elif (tag := _TAG.match(markup, start)) is not None:
            at = _end_of_tag(markup, tag.end())
            name = tag[1].lower()
            if name in _SILENT and markup[start + 1] != "/":
                closing = re.compile(f"</{name}", re.IGNORECASE).search(markup, at)
                at = len(markup) if closing is None else closing.start()
            if name in _APART:
                yield line_end if name in _LINES else " "
        elif markup.startswith(("<!", "<?", "</"), start):
            at = _end_of_tag(markup, start + 2)
        else:
            yield "<"
            at = start + 1
    yield markup[at:]


def _end_of_tag(markup: str, at: int) -> int:
    """Behind the ">", which may also stand in quotes before; the end of the markup when it is missing."""
    while (found := _QUOTE_OR_END.search(markup, at)) is not None:
        if found[0] == ">":
            return found.end()
        closing = markup.find(found[0], found.end())
        if closing < 0:  # an odd quote: the first ">" behind it ends the tag, or nothing does
            end = markup.find(">", found.end())
            return len(markup) if end < 0 else end + 1
        at = closing + 1
    return len(markup)
