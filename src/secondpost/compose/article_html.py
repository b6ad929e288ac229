"""Make an article's HTML fit for mail: only the elements and attributes listed here remain.

Formulas become words. nh3 cleans first, so that our own pass reads well-formed markup, and again
last. Our pass turns frames, films and sound into links, moves headings below the article's title,
and keeps each image a reader of the page would see once, however the page loads it. Tracking pixels
are removed; other images that cannot be shown are replaced by their alternative text.
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

IMAGE_WIDTH_MAX = 560  # CSS pixels: the width of the digest's column
ALTERNATIVE_CHARACTERS_MAX = 500
# Articles must not open or close a hole, and titles must not contain characters that HTML cannot
# hold. Of the control characters those above 126 are in some feeds too, and steer a terminal in which mail
# is read.
_CONTROLS = tuple(code for code in (*range(32), *range(127, 160)) if not chr(code).isspace())
DROPPED = dict.fromkeys((*map(ord, MARKS), *_CONTROLS))
TAGS_MAX = 10_000  # per article: more than fits into a mail; cleaning them nested takes a second

_TAGS = names_in(
    "a abbr b bdi bdo blockquote br caption cite code dd del details dfn div dl dt em figcaption figure "
    "h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp small span strong sub summary sup "
    "table tbody td tfoot th thead time tr u ul var wbr"
)
_WITHOUT_SCRIPT = "without-script"  # replaces noscript, inside which nh3 reads no markup
# Also kept by the first pass: elements to be replaced by a link, and headings to be lowered.
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
    "img": _ATTRIBUTES["img"] | {"class", "style", *LAZY_ADDRESSES, *SETS},  # used, but not kept
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
# Elements that separate a picture from the one before.
_APART = names_in("blockquote dd dt figcaption h1 h2 h3 h4 h5 h6 hr li p pre table")


def clean_article(html: str, link: str, images: bool) -> str:
    """A cleaned fragment: only listed elements, URLs absolute by `link`, and no hole marks.

    "" if it has more than TAGS_MAX tags: the issue then shows the summary.
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
    return cleaned.translate(DROPPED).strip()  # again: character references have become characters


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
    except ValueError:  # nh3 is stricter about hosts than we are: keep only absolute URLs
        return cleaned("deny")


class _Rewriter(HTMLParser):
    """Copies nh3's output, replacing players by links."""

    def __init__(self, images: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._images = images
        self._pieces: list[str] = []
        self._playing: list[str] = []  # open elements whose content is only a fallback
        self._written: set[str] = set()  # links already written for the open player
        self._links: list[tuple[int, int]] = []  # of open links: position, and `_said` before it
        self._said = 0  # number of texts and images written
        self._without_script = 0  # depth of open noscript elements
        self._places = PicturePlaces()
        self._picture_at = 0  # index in `_pieces` of the last picture
        self._source = ""  # from the picture element around the next image

    @property
    def html(self) -> str:
        return "".join(self._pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._playing[-1:] == ["iframe"]:
            return  # inside a frame, tags are only text
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
            self._written.clear()
        elif len(self._playing) == 0 and tag not in _VOID:
            self._pieces.append(f"</{_LOWERED.get(tag, tag)}>")
            if tag == "a" and len(self._links) > 0:
                self._end_link(*self._links.pop())

    def handle_data(self, data: str) -> None:
        if len(self._playing) > 0 or self._without_script > 0:
            return  # text in noscript beside a picture asks to turn scripts on
        if len(data.strip()) > 0:
            self._places.apart()
            self._said += 1
        self._pieces.append(escape(data, quote=False))

    def _end_link(self, at: int, said: int) -> None:
        if self._said == said:  # the link has no content, as its picture is not shown
            self._pieces[at] = self._pieces[-1] = ""

    def _player(self, address: str, title: str) -> None:
        if not is_web(address) or address in self._written or len(self._written) > 0:
            return
        if len(self._playing) > 0:
            self._written.add(address)
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
        """The image; else a link to it if it would be fetched unencrypted, or its alternative text."""
        alternative = values.get("alt", "").strip()[:ALTERNATIVE_CHARACTERS_MAX]
        if is_emoji(alternative):
            return alternative
        if self._images and address.startswith("https://"):
            kept = {"src": address, "alt": alternative}
            width = pixels(values.get("width"))
            if width is not None:
                # The digest's style sheet sets the height.
                kept["width"] = str(min(width, IMAGE_WIDTH_MAX))
            return _start("img", kept)
        words = f"[{escape(alternative)}]" if len(alternative) > 0 else ""
        if not self._images or len(address) == 0:
            return words
        words = words or escape(host_of(address))
        return words if len(self._links) > 0 else f'<a href="{escape(address)}">{words}</a>'


def host_of(address: str) -> str:
    """The host of an absolute URL, as the words of a link."""
    return address.partition("://")[2].partition("/")[0].rpartition("@")[2]


def _start(tag: str, values: dict[str, str]) -> str:
    written = "".join(f' {name}="{escape(value)}"' for name, value in values.items())
    return f"<{tag}{written}>"
