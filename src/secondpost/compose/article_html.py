"""Makes the HTML of an article fit for a mail: an explicit list of what may stay, and nothing else.

Formulas become words. Then nh3 has the first word, so that the pass of our own reads well-formed markup, and
the last. In between: what cannot play in a mail (frames, films, sound) becomes a link to it, headings go
below the article's own, images are only those that a reader sees, each once, however its page loads it. A
pixel that counts readers is not among them; where another picture cannot be shown, its alternative text is.
"""

import re
from html import escape
from html.parser import HTMLParser
from typing import Literal

import nh3

from secondpost.compose.formula import formulas_in_words
from secondpost.compose.html_words import names_in
from secondpost.compose.picture import (
    LAZY_ADDRESSES,
    SETS,
    address_of,
    best_of,
    is_counter,
    is_emoji,
    is_web,
    lazy_address,
    pixels,
)
from secondpost.compose.picture_places import PicturePlace, PicturePlaces
from secondpost.mail.issue_content import MARKS

IMAGE_WIDTH_MAX = 560  # CSS pixels: the column of the digest
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
_WITHOUT_SCRIPT = "without-script"  # what noscript is called here: nh3 reads no markup in a noscript
_FIRST_TAGS = _TAGS | names_in(f"audio embed h1 h2 iframe object source video {_WITHOUT_SCRIPT}")
_NOSCRIPT = re.compile(r"<(/?)noscript(?=[\s/>])", re.IGNORECASE)
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
    "img": _ATTRIBUTES["img"] | {"class", "style", *LAZY_ADDRESSES, *SETS},  # looked at, never passed on
    "iframe": frozenset({"src", "title", *LAZY_ADDRESSES}),
    "object": frozenset({"data"}),
    "source": frozenset({"src", *SETS}),
    "video": frozenset({"src"}),
}
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_PLAYED = {"audio": "src", "embed": "src", "iframe": "src", "object": "data", "source": "src", "video": "src"}
_SOUND_AND_FILM = frozenset({"audio", "object", "video"})
_LOWERED = {"h1": "h3", "h2": "h3", "h3": "h4", "h4": "h5", "h5": "h6", "h6": "h6"}
_VOID = frozenset({"br", "hr", "img", "wbr", "embed", "source"})
# Where these begin, a picture has nothing to do with the one before.
_APART = names_in("blockquote dd dt figcaption h1 h2 h3 h4 h5 h6 hr li p pre table")


def clean_article(html: str, link: str, images: bool) -> str:
    """A fragment that holds nothing but what is listed above, its addresses absolute by `link`, and no mark
    of a hole. Nothing for one with more than TAGS_MAX tags: its summary stands in its place.
    """
    if html.count("<") > TAGS_MAX:
        return ""
    html = html.translate(DROPPED)
    rewriter = _Rewriter(images)
    rewriter.feed(_first_cleaned(_NOSCRIPT.sub(rf"<\1{_WITHOUT_SCRIPT}", formulas_in_words(html)), link))
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

    if not is_web(link):
        return cleaned("deny")
    try:
        return cleaned(("rewrite_with_base", link))
    except ValueError:  # nh3 is stricter about hosts than we are: then only absolute addresses stay
        return cleaned("deny")


class _Rewriter(HTMLParser):
    """Reads what nh3 wrote and writes it again, with links in the place of what plays."""

    def __init__(self, images: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._images = images
        self._pieces: list[str] = []
        self._playing: list[str] = []  # open elements whose own content is a fallback
        self._told: set[str] = set()  # addresses of one player, told once
        self._links: list[tuple[int, int]] = []  # open: where each stands, and what was said before it
        self._said = 0  # words and images
        self._without_script = 0  # open
        self._places = PicturePlaces()
        self._picture_at = 0  # where among the pieces the last picture stands
        self._source = ""  # of the picture element that the next image belongs to

    @property
    def html(self) -> str:
        return "".join(self._pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._playing[-1:] == ["iframe"]:
            return  # what stands in a frame is text that only looks like tags
        values = {name: value or "" for name, value in attrs}
        if tag == _WITHOUT_SCRIPT:
            self._without_script += 1
        elif self._without_script > 0:
            if tag == "img" and len(self._playing) == 0:
                self._image(values)
        elif tag in _PLAYED:
            if tag in _SOUND_AND_FILM or tag == "iframe":
                self._playing.append(tag)
            self._source = next((best for name in SETS if (best := best_of(values.get(name, "")))), "")
            address = lazy_address(values) or values.get(_PLAYED[tag], "")
            self._player(address, values.get("title", ""))
        elif len(self._playing) > 0:
            return
        elif tag == "img":
            self._image(values)
        else:
            if tag == "a":
                self._links.append((len(self._pieces), self._said))
            if tag in _APART:
                self._places.apart()
            self._pieces.append(_start(_LOWERED.get(tag, tag), values))

    def handle_endtag(self, tag: str) -> None:
        if tag == _WITHOUT_SCRIPT:
            self._without_script -= 1
        elif self._without_script > 0:
            return
        elif tag in self._playing:
            while self._playing.pop() != tag:
                pass
            self._told.clear()
        elif len(self._playing) == 0 and tag not in _VOID:
            self._pieces.append(f"</{_LOWERED.get(tag, tag)}>")
            if tag == "a" and len(self._links) > 0:
                self._end_link(*self._links.pop())

    def handle_data(self, data: str) -> None:
        if len(self._playing) > 0 or self._without_script > 0:
            return  # what stands in noscript beside a picture asks to turn scripts on
        if len(data.strip()) > 0:
            self._places.apart()
            self._said += 1
        self._pieces.append(escape(data, quote=False))

    def _end_link(self, at: int, said: int) -> None:
        if self._said == said:  # a link with nothing to follow it by: its picture is not shown
            self._pieces[at] = self._pieces[-1] = ""

    def _player(self, address: str, title: str) -> None:
        if not is_web(address) or address in self._told or len(self._told) > 0:
            return
        if len(self._playing) > 0:
            self._told.add(address)
        words = title.strip() if len(title.strip()) > 0 else host_of(address)
        self._pieces.append(f'<p><a href="{escape(address)}">▶ {escape(words)}</a></p>')

    def _image(self, values: dict[str, str]) -> None:
        source, self._source = self._source, ""
        if is_counter(values):
            return
        place = self._places.place(values, len(source) > 0, self._without_script > 0)
        if place is PicturePlace.NONE:
            return
        written = self._picture(values, address_of(values) or source)
        self._said += len(written) > 0
        if place is PicturePlace.OF_THE_LAST:
            self._pieces[self._picture_at] = written
        else:
            self._picture_at = len(self._pieces)
            self._pieces.append(written)

    def _picture(self, values: dict[str, str], address: str) -> str:
        """The image, or what stands in its place: a link to one that mail programs would fetch in the clear,
        else its alternative text.
        """
        alternative = values.get("alt", "").strip()[:ALTERNATIVE_CHARACTERS_MAX]
        if is_emoji(alternative):
            return alternative
        if self._images and address.startswith("https://"):
            kept = {"src": address, "alt": alternative}
            width = pixels(values.get("width"))
            if width is not None:
                # The height follows: style sheet of the digest.
                kept["width"] = str(min(width, IMAGE_WIDTH_MAX))
            return _start("img", kept)
        words = f"[{escape(alternative)}]" if len(alternative) > 0 else ""
        if not self._images or len(address) == 0:
            return words
        words = words or escape(host_of(address))
        return words if len(self._links) > 0 else f'<a href="{escape(address)}">{words}</a>'


def host_of(address: str) -> str:
    """The host of an absolute address, as words of a link."""
    return address.partition("://")[2].partition("/")[0].rpartition("@")[2]


def _start(tag: str, values: dict[str, str]) -> str:
    written = "".join(f' {name}="{escape(value)}"' for name, value in values.items())
    return f"<{tag}{written}>"
