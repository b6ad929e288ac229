"""A feed's HTML is cleaned by an allow-list: anything else does not reach a reader."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.compose.article_html import TAGS_MAX, clean_article
from secondpost.compose.unseen import is_unseen

LINK = "https://blog.example/2026/post"
HOSTILE = (
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt&colon;alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>1</script>'>x</a>",
    "<svg/onload=alert(1)>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<object data='javascript:alert(1)'></object>",
    "<embed src='javascript:alert(1)'>",
    "<form action='https://evil.example/'><input name=q><button>Go</button></form>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<style>*{display:none}</style>",
    "<p style='background:url(https://evil.example/)'>x</p>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<template><script>alert(1)</script></template>",
    "<noscript><script>alert(1)</script><img src='javascript:alert(1)' onerror=alert(1)></noscript>",
    "<without-script><img src=x onerror=alert(1)><script>alert(1)</script></without-script>",
    "<img data-src='javascript:alert(1)' srcset='javascript:alert(1) 2x' alt='\"><script>alert(1)</script>'>",
    "<math><annotation encoding='application/x-tex'><script>alert(1)</script></annotation></math>",
    "<script type='math/tex'></script><img src=x onerror=alert(1)>",
    "<a href='tel:<script>alert(1)</script>'>x</a>",
    "<a href='https://a.example/' target=_blank ping='https://evil.example/'>x</a>",
    "<video poster='https://evil.example/p.gif'><source src='javascript:1'></video>",
    "<p id=top class=article onclick=alert(1)>x</p>",
    "<!--><script>alert(1)</script-->",
    '"><script>alert(1)</script>',
    "<iframe><iframe></iframe>after",
)
ALLOWED_ATTRIBUTES = {
    "alt", "cite", "colspan", "datetime", "dir", "height", "href", "lang", "reversed", "rowspan", "scope",
    "src", "start", "title", "width",
}  # fmt: skip
NEVER = {
    "script",
    "style",
    "iframe",
    "form",
    "input",
    "button",
    "svg",
    "object",
    "embed",
    "base",
    "meta",
    "link",
}


class Looked(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("href", "src", "cite"):
                self.addresses.append(value or "")


def is_harmless(html: str) -> bool:
    looked = Looked(html)
    return (
        NEVER.isdisjoint(looked.tags)
        and looked.attributes <= ALLOWED_ATTRIBUTES
        and all(re.match(r"(?:https?|mailto|tel):", address) for address in looked.addresses)
    )


@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_hostile_is_left(html: str) -> None:
    assert is_harmless(clean_article(html, LINK, images=True))


@given(
    st.lists(st.sampled_from((*HOSTILE, "<p>", "</p>", "<b>", "</iframe>", "<video>", "<a href=/x>", "<!--")))
)
def test_nothing_hostile_is_left_of_any_mixture(pieces: list[str]) -> None:
    assert is_harmless(clean_article("".join(pieces), LINK, images=True))


@given(st.text())
def test_any_text_is_cleaned(html: str) -> None:
    assert is_harmless(clean_article(html, LINK, images=True))


@pytest.mark.parametrize("tags", ["<ul><li>", "<pre>\n", "<blockquote>", "<a><b><i><u>", "<table><td>"])
def test_no_nest_of_tags_is_slow_to_clean(tags: str) -> None:
    """Measured in CPU time of this thread."""
    before = time.thread_time()
    for html in (tags * (500_000 // len(tags)), tags * (TAGS_MAX // tags.count("<"))):
        assert is_harmless(clean_article(html, LINK, images=True))
    assert time.thread_time() - before < 10.0


def test_no_character_that_steers_a_terminal_is_left() -> None:
    hostile = "".join(map(chr, (*range(9), *range(14, 28), *range(127, 133), *range(134, 160))))
    cleaned = clean_article(f"<p title='{hostile}'>Grüße{hostile} &#27;&#127;&#155;&#x80;!</p>", "", True)
    assert cleaned.isprintable()
    assert "Grüße" in cleaned


def test_cleaning_twice_changes_nothing() -> None:
    once = clean_article("<h1>Top</h1><p>one<p>two<img src=/a.jpg>", LINK, images=True)
    assert clean_article(once.replace("h3", "h2"), LINK, images=True) == once


def test_a_frame_and_a_film_become_links() -> None:
    html = clean_article(
        "<iframe src='/talk' title='A talk'></iframe>"
        "<video><source src='/v.webm'><source src='/v.mp4'>Get another browser</video><p>after</p>",
        LINK,
        images=True,
    )
    assert '<a href="https://blog.example/talk">▶ A talk</a>' in html
    assert '<a href="https://blog.example/v.webm">▶ blog.example</a>' in html
    assert "v.mp4" not in html
    assert "another browser" not in html
    assert "<p>after</p>" in html


def test_text_after_a_torn_frame_is_not_lost() -> None:
    assert "after" in clean_article("<iframe><iframe></iframe>after", LINK, images=True)


def test_images_are_narrowed_and_counting_pixels_dropped() -> None:
    html = clean_article(
        "<img src='/wide.jpg' width=2000 height=1000 alt='A view' srcset='/x 2x' loading=lazy>"
        "<img src='https://stats.example/p.gif' width=1 height=1><img src='data:image/png;base64,AA'>",
        LINK,
        images=True,
    )
    assert html == '<img src="https://blog.example/wide.jpg" alt="A view" width="560">'


SEEN = (
    "",
    "width:600px;height:400px",
    "width: 100%; height: auto",
    "max-width:100%;max-height:80vh",
    "border:0;margin:0;padding:0",
    "border-width:1px;line-height:1px",
    "display:block;visibility:visible;opacity:1",
    "width:1px;width:600px",
    "width:600px!important;width:1px",
    "/* width:1px */ width: 3px",
    "min-width:1px",
    "opacity:50%",
    "display:none !imp",
    "width",
    ":;;:",
    "width:calc(100% - 1px)",
    "width:1furlong",
)
UNSEEN = (
    "width:1px;height:1px",
    "WIDTH : 1PX",
    "width:0",
    "height:0px",
    "height:.5pt",
    "width:0%",
    "width:1px!important",
    "width:1px ! important;width:600px",
    "max-height:1px",
    "max-width:0",
    "display:none",
    "display: none !important",
    "visibility:hidden",
    "opacity:0",
    "opacity:1%",
    "width:0.1em",
    "width:1e-3in",
    "block-size:1px",
    "color:red;/* ; */width/* a */:/* b */1px",
    "width:600px;width:1px",
)


@pytest.mark.parametrize("style", SEEN)
def test_an_image_that_a_reader_sees_stays_whatever_its_style_and_the_style_goes(style: str) -> None:
    html = clean_article(f'<img src="https://blog.example/a.jpg" style="{style}">', LINK, images=True)
    assert html == '<img src="https://blog.example/a.jpg" alt="">'


@pytest.mark.parametrize("style", UNSEEN)
def test_an_image_that_its_style_hides_goes_as_counting_pixels_do(style: str) -> None:
    html = clean_article(f'<img src="https://stats.example/p.gif" style="{style}">', LINK, images=True)
    assert html == ""


@given(st.text(max_size=80))
def test_no_style_does_more_than_hide(style: str) -> None:
    is_unseen(style)


def test_without_images_there_are_none() -> None:
    assert "img" not in clean_article("<p>a<img src='/a.jpg' alt='A'></p>", LINK, images=False)


def test_headings_stand_below_the_articles_own() -> None:
    html = clean_article("<h1>a</h1><h2>b</h2><h3>c</h3><h6>d</h6>", LINK, images=True)
    assert re.findall(r"<(h\d)>", html) == ["h3", "h3", "h4", "h6"]


def test_links_are_absolute() -> None:
    html = clean_article(
        "<a href='#x'>a</a><a href='../y'>b</a><a href='//h.example/z'>c</a>", LINK, images=True
    )
    assert Looked(html).addresses == [
        "https://blog.example/2026/post#x",
        "https://blog.example/y",
        "https://h.example/z",
    ]
