"""Makes the HTML of an article fit for a mail: an explicit list of what may stay, and nothing else.

nh3 has the first word, so that the pass of our own reads well-formed markup, and the last. In between:
what cannot play in a mail (frames, films, sound) becomes a link to it, headings go below the article's
own, images are only those that a reader sees. A pixel that counts readers is not among them.
"""

from html import escape
from html.parser import HTMLParser
from typing import Literal

import nh3

from secondpost.compose.html_text import names_in
from secondpost.compose.unseen import is_unseen
from secondpost.mail.issue_content import MARKS

IMAGE_WIDTH_MAX = 560  # CSS pixels: the column of the digest
PIXEL_MAX = 2  # an image of this size is there to count, not to be seen
ALTERNATIVE_CHARACTERS_MAX = 500
# No article may open or close a hole; and what no HTML can hold is no part of a title.
DROPPED = dict.fromkeys((*map(ord, MARKS), *(code for code in range(32) if not chr(code).isspace())))
TAGS_MAX = 10_000  # of an article: more than a mail can hold, and a nest of them takes a second

_TAGS = names_in(
    "a abbr b bdi bdo blockquote br caption cite code dd del details dfn div dl dt em figcaption figure "
    "h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp small span strong sub summary sup "
    "table tbody td tfoot th thead time tr u ul var wbr"
)
# What a reader should find as a link; and the headings that must move down.
_FIRST_TAGS = _TAGS | names_in("audio embed h1 h2 iframe object source video")
_WITHOUT_CONTENT = names_in(
    "button datalist math noframes noscript option script select style svg template textarea title"
)
_ATTRIBUTES = {
    "*": frozenset({"dir", "lang", "title"}),
    "a": frozenset({"href"}),
    "blockquote": frozenset({"cite"}),
    "img": frozenset({"alt", "height", "src", "width"}),
    "ol": frozenset({"reversed", "start"}),
    "q": frozenset({"cite"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
    "time": frozenset({"datetime"}),
}
_FIRST_ATTRIBUTES = {
    **_ATTRIBUTES,
    "audio": frozenset({"src"}),
    "embed": frozenset({"src"}),
    "img": _ATTRIBUTES["img"] | {"style"},  # looked at, never passed on
    "iframe": frozenset({"src", "title"}),
    "object": frozenset({"data"}),
    "source": frozenset({"src"}),
    "video": frozenset({"src"}),
}
_SCHEMES = frozenset({"http", "https", "mailto"})
_PLAYED = {"audio": "src", "embed": "src", "iframe": "src", "object": "data", "source": "src", "video": "src"}
_SOUND_AND_FILM = frozenset({"audio", "object", "video"})
_LOWERED = {"h1": "h3", "h2": "h3", "h3": "h4", "h4": "h5", "h5": "h6", "h6": "h6"}
_VOID = frozenset({"br", "hr", "img", "wbr", "embed", "source"})


def clean_article(html: str, link: str, images: bool) -> str:
    """A fragment that holds nothing but what is listed above, its addresses absolute by `link`, and no mark
    of a hole. Nothing for one with more than TAGS_MAX tags: its summary stands in its place.
    """
    if html.count("<") > TAGS_MAX:
        return ""
    rewriter = _Rewriter(images)
    rewriter.feed(_first_cleaned(html.translate(DROPPED), link))
    rewriter.close()
    cleaned = nh3.clean(
        rewriter.html,
        tags=_TAGS,
        clean_content_tags=_WITHOUT_CONTENT,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        url_relative="deny",
        link_rel=None,
    )
    return cleaned.translate(DROPPED).strip()  # again: what was a character reference is a character now


def _first_cleaned(html: str, link: str) -> str:
    def cleaned(relative: Literal["deny"] | tuple[Literal["rewrite_with_base"], str]) -> str:
        return nh3.clean(
            html,
            tags=_FIRST_TAGS,
            clean_content_tags=_WITHOUT_CONTENT,
            attributes=_FIRST_ATTRIBUTES,
            url_schemes=_SCHEMES,
            url_relative=relative,
            link_rel=None,
        )

    if not _is_web(link):
        return cleaned("deny")
    try:
        return cleaned(("rewrite_with_base", link))
    except ValueError:  # nh3 is stricter about hosts than we are: then only absolute addresses stay
        return cleaned("deny")


def _is_web(link: str) -> bool:
    return link.startswith(("https://", "http://"))


class _Rewriter(HTMLParser):
    """Reads what nh3 wrote and writes it again, with links in the place of what plays."""

    def __init__(self, images: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._images = images
        self._pieces: list[str] = []
        self._playing: list[str] = []  # open elements whose own content is a fallback
        self._told: set[str] = set()  # addresses of one player, told once

    @property
    def html(self) -> str:
        return "".join(self._pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._playing[-1:] == ["iframe"]:
            return  # what stands in a frame is text that only looks like tags
        values = {name: value or "" for name, value in attrs}
        if tag in _PLAYED:
            if tag in _SOUND_AND_FILM or tag == "iframe":
                self._playing.append(tag)
            self._player(values.get(_PLAYED[tag], ""), values.get("title", ""))
        elif len(self._playing) > 0:
            return
        elif tag == "img":
            self._image(values)
        else:
            self._pieces.append(_start(_LOWERED.get(tag, tag), values))

    def handle_endtag(self, tag: str) -> None:
        if tag in self._playing:
            while self._playing.pop() != tag:
                pass
            self._told.clear()
        elif len(self._playing) == 0 and tag not in _VOID:
            self._pieces.append(f"</{_LOWERED.get(tag, tag)}>")

    def handle_data(self, data: str) -> None:
        if len(self._playing) == 0:
            self._pieces.append(escape(data, quote=False))

    def _player(self, address: str, title: str) -> None:
        if not _is_web(address) or address in self._told or len(self._told) > 0:
            return
        if len(self._playing) > 0:
            self._told.add(address)
        words = title.strip() if len(title.strip()) > 0 else host_of(address)
        self._pieces.append(f'<p><a href="{escape(address)}">▶ {escape(words)}</a></p>')

    def _image(self, values: dict[str, str]) -> None:
        if not self._images or not values.get("src", "").startswith("https://"):
            return
        width, height = _pixels(values.get("width")), _pixels(values.get("height"))
        if any(size is not None and size <= PIXEL_MAX for size in (width, height)):
            return
        if is_unseen(values.get("style", "")):
            return
        kept = {"src": values["src"], "alt": values.get("alt", "")[:ALTERNATIVE_CHARACTERS_MAX]}
        if width is not None:
            kept["width"] = str(min(width, IMAGE_WIDTH_MAX))  # the height follows: style sheet of the digest
        self._pieces.append(_start("img", kept))


def host_of(address: str) -> str:
    """The host of an absolute address, as words of a link."""
    return address.partition("://")[2].partition("/")[0].rpartition("@")[2]


def _start(tag: str, values: dict[str, str]) -> str:
    written = "".join(f' {name}="{escape(value)}"' for name, value in values.items())
    return f"<{tag}{written}>"


def _pixels(text: str | None) -> int | None:
    """A whole number of CSS pixels; None for anything else, such as a share of the width."""
    digits = (text or "").strip().removesuffix("px").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else None
