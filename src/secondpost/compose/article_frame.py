"""Fit a cleaned article (compose/article_html) into the issue around it, for sight and for screen
readers.

Wide tables scroll in a frame, headings step down by one level at a time below the article's title,
a link around a picture gets a name, and a link around nothing is removed. Cleaned markup is
well-formed and has `<` only in tags.
"""

import re

ISSUE_LEVEL = 1  # of the heading of the whole issue
TITLE_LEVEL = 2  # of the article's title in the issue
LEVEL_MAX = 6
PICTURE = "Picture"  # name of a link to or around a picture without description

_FRAME = '<div class="wide" role="group" aria-label="Table" tabindex="0">'
_HEADING = re.compile(r"<(/?)h([1-6])(?=[ >])")
_LINK = re.compile(r"(<a [^>]*>)(.*?)(</a>)", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_DESCRIPTION = re.compile(r'alt="([^"]*)"')


def framed(html: str, below: int = TITLE_LEVEL) -> str:
    """The HTML as it stands in the issue, below a heading of this level."""
    return _LINK.sub(_named, _in_steps(_with_scrolling_tables(html), below))


def _with_scrolling_tables(html: str) -> str:
    """Put tables into frames that keyboards can reach and scroll."""
    return html.replace("<table", f"{_FRAME}<table").replace("</table>", "</table></div>")


def _in_steps(html: str, below: int) -> str:
    """Make heading levels reflect nesting only: many articles pick a small heading for its size."""
    above: list[int] = []  # original levels of the enclosing headings

    def stepped(found: re.Match[str]) -> str:
        written = int(found[2])
        if found[1] == "":
            while len(above) > 0 and above[-1] >= written:
                above.pop()
            above.append(written)
        return f"<{found[1]}h{min(below + len(above), LEVEL_MAX)}"

    return _HEADING.sub(stepped, html)


def _named(link: re.Match[str]) -> str:
    opening, content, closing = link[1], link[2], link[3]
    words = _TAG.sub("", content) + "".join(_DESCRIPTION.findall(content))
    if len(words.strip()) > 0:
        return link[0]
    if "<img" not in content:
        return content  # nothing to press
    described = content.replace('alt=""', f'alt="{PICTURE}"', 1)
    return f"{opening}{described}{closing}"
