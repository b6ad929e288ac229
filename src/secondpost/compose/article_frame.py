"""Fits a cleaned article (compose/article_html) into the issue around it, for eyes and for screen readers.

Wide tables scroll in a frame of their own, headings go down in single steps below the article's title, a
link that is nothing but a picture has a name, and one around nothing goes. The cleaned markup is
well-formed, and has `<` in tags alone.
"""

import re

TITLE_LEVEL = 2  # of the article's title in the issue
LEVEL_MAX = 6
PICTURE = "Picture"  # the name of a link to or around a picture that has no description

_FRAME = '<div class="wide" role="group" aria-label="Table" tabindex="0">'
_HEADING = re.compile(r"<(/?)h([1-6])(?=[ >])")
_LINK = re.compile(r"(<a [^>]*>)(.*?)(</a>)", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_DESCRIPTION = re.compile(r'alt="([^"]*)"')


def framed(html: str) -> str:
    """An article's whole HTML as it stands in the issue."""
    return _LINK.sub(_named, _in_steps(_with_scrolling_tables(html)))


def _with_scrolling_tables(html: str) -> str:
    """The frame can be reached by keyboard, or else the rest of the table cannot."""
    return html.replace("<table", f"{_FRAME}<table").replace("</table>", "</table></div>")


def _in_steps(html: str) -> str:
    """Many articles begin with a small heading for its size; the level says only what belongs below what."""
    above: list[int] = []  # the levels, as they were written, of the headings that the next may stand below

    def stepped(found: re.Match[str]) -> str:
        written = int(found[2])
        if found[1] == "":
            while len(above) > 0 and above[-1] >= written:
                above.pop()
            above.append(written)
        return f"<{found[1]}h{min(TITLE_LEVEL + len(above), LEVEL_MAX)}"

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
