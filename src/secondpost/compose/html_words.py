"""The words of HTML, well-formed or not, without its tags.

Takes time linear in the markup; Python's html.parser needs hours for some markup of 2 MB.
"""

import html
import re
from collections.abc import Iterator


def names_in(text: str) -> frozenset[str]:
    """A set of element names, separated by spaces in `text`."""
    return frozenset(text.split())


PARAGRAPHS = names_in(
    "address article blockquote caption dd details div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 "
    "header hr li main nav ol p pre section summary table tbody tfoot thead tr ul"
)
_APART = PARAGRAPHS | names_in("aside br fieldset img option select td th")  # separate words
_LINES = names_in("blockquote br div h1 h2 h3 li p tr")
_SILENT = names_in(
    "script style head template noscript svg math iframe object"
)  # elements whose text is not for readers
_UNSEEN = _SILENT | {"title"}  # also where it stands outside the head
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9:-]*)")
_QUOTE_OR_END = re.compile(r"""[>"']""")


def text_of(markup: str) -> str:
    """The visible text; block elements become spaces."""
    return html.unescape("".join(_pieces(markup, " ", _SILENT)))


def lines_of(markup: str) -> str:
    """The visible text, one line per paragraph and per row of a table."""
    text = html.unescape("".join(_pieces(" ".join(markup.split()), "\n", _UNSEEN)))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return "\n".join(line for line in lines if len(line) > 0)


def _pieces(markup: str, line_end: str, silent: frozenset[str]) -> Iterator[str]:
    at = 0
    while (start := markup.find("<", at)) >= 0:
        yield markup[at:start]
        if markup.startswith("<!--", start):
            end = markup.find("-->", start + 4)
            at = len(markup) if end < 0 else end + 3
        elif (tag := _TAG.match(markup, start)) is not None:
            at = _end_of_tag(markup, tag.end())
            name = tag[1].lower()
            if name in silent and markup[start + 1] != "/":
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
    """The position after the tag's ">", skipping quoted ones; the end of the markup if there is
    none.
    """
    while (found := _QUOTE_OR_END.search(markup, at)) is not None:
        if found[0] == ">":
            return found.end()
        closing = markup.find(found[0], found.end())
        if closing < 0:  # an unclosed quote: the next ">" ends the tag, if any
            end = markup.find(">", found.end())
            return len(markup) if end < 0 else end + 1
        at = closing + 1
    return len(markup)
