"""The words of HTML, well-formed or not."""

import pytest

from secondpost.compose.html_words import lines_of, text_of


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>One</p><p>Two</p>", "One Two"),
        ("a<b>b</b>c", "abc"),
        ("x<br>y<br/>z", "x y z"),
        ("1 < 2 &amp;&amp; 3 > 2", "1 < 2 && 3 > 2"),
        ("a<!-- <p>hidden</p> -->b", "ab"),
        ("a<script>if (a < b) { '</p>' }</script>b", "ab"),
        ('<a title="x > y">z</a>', "z"),
        ("<a title='odd>z</a> end", "z end"),
        ("torn <a href=", "torn"),
        ("torn <!-- for ever", "torn"),
        ("torn <script> for ever", "torn"),
        ("&lt;b&gt;", "<b>"),
        ("<![CDATA[words]]>", ""),
        ("<x-custom>in</x-custom>", "in"),
    ],
)
def test_the_words_of_markup(markup: str, expected: str) -> None:
    assert " ".join(text_of(markup).split()) == expected


def test_a_line_for_each_paragraph_and_each_row() -> None:
    page = (
        "<head><title>no</title></head><h1>Our\n tea</h1><p>Fresh<b>ly</b> made<br>and&nbsp;sent</p>\n"
        "<table><tr><td>Black</td><td>2 &euro;</td></tr><tr><td>Green</td></tr></table>"
    )
    assert lines_of(page) == "Our tea\nFreshly made\nand sent\nBlack 2 €\nGreen"


def test_a_title_outside_its_head_is_not_read_as_text() -> None:
    assert lines_of("<title>A page</title><p>Our tea") == "Our tea"
