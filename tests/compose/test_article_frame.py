"""Changes to an article's HTML that make it readable in an issue for everyone."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.compose.article_frame import framed
from secondpost.compose.article_html import clean_article

LINK = "https://blog.example/post"


def shown(html: str) -> str:
    return framed(clean_article(html, LINK, images=True))


def levels(html: str) -> list[int]:
    return [int(level) for level in re.findall(r"<h([1-6])", html)]


def test_each_table_scrolls_in_a_frame_of_its_own() -> None:
    table = "<table><tr><td>1</td></tr></table>"
    html = shown(
        f'<p title="&lt;table>">&lt;table</p>{table}<table><tr><td>{table}</td></tr></table>'
        '<img src="/a.png" alt="<table>">'
    )
    assert len(re.findall(r'<div class="wide"[^>]* tabindex="0"[^>]*><table>', html)) == 3
    assert html.count("<div") == html.count("</table></div>") == 3


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ([2, 3, 3, 2], [3, 4, 4, 3]),
        ([4, 4, 5, 4], [3, 3, 4, 3]),
        ([3, 6, 3], [3, 4, 3]),
        ([4, 2, 4], [3, 3, 4]),
        ([1, 2, 3, 4, 5, 6], [3, 3, 4, 5, 6, 6]),
    ],
)
def test_headings_go_down_in_single_steps(written: list[int], read: list[int]) -> None:
    assert levels(shown("".join(f"<h{level}>x</h{level}>" for level in written))) == read


@given(st.lists(st.integers(1, 6)))
def test_no_heading_is_more_than_one_step_below_the_one_before(written: list[int]) -> None:
    html = shown("".join(f'<h{level} title="h1">x</h{level}>' for level in written))
    found = [2, *levels(html)]
    assert all(2 < below <= above + 1 for above, below in pairwise(found))
    assert re.findall(r"<h([1-6])", html) == re.findall(r"</h([1-6])", html)


def test_a_link_that_is_a_picture_has_a_name() -> None:
    bare = '<a href="/big"><img src="/a.png"></a>'
    assert '<img src="https://blog.example/a.png" alt="Picture"></a>' in shown(bare)
    for named in (
        '<a href="/big"><img src="/a.png" alt="The river"></a>',
        '<a href="/big"><img src="/a.png"> The river</a>',
        '<img src="/a.png">',
    ):
        assert "Picture" not in shown(named)


def test_a_link_around_nothing_goes() -> None:
    assert shown('<h2>Day one <a href="#day-one"></a></h2>') == "<h3>Day one </h3>"
    assert framed(clean_article('<a href="/big"><img src="/a.png"></a>', LINK, images=False)) == ""
