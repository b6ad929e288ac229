"""The owner's Markdown, as mail: readers see every word, and what cannot be mailed is named."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpost.compose.issue import IssueComposer
from secondpost.compose.markdown import first_heading, markdown_faults, markdown_to_html, words_of
from secondpost.newsletter.render import Rule, letter_faults
from tests.compose.articles import DATED_S, MASTHEAD

BODY = """# We are sorry

The last issue was *empty*. [What happened](https://www.example.net/why) was our fault.

![The river](https://www.example.net/river.jpg)
"""


def test_a_letter_has_all_its_words_in_both_parts() -> None:
    """catalogue rules R1 and R6, for a letter"""
    composed = IssueComposer().compose_letter(MASTHEAD, 13, DATED_S, "We are sorry", BODY)
    assert letter_faults(composed, BODY, (BODY,)) == ()
    assert composed.subject == "We are sorry"
    assert '<a href="https://www.example.net/why"' in composed.html
    assert 'src="https://www.example.net/river.jpg"' in composed.html
    assert "[1] https://www.example.net/why" in composed.text
    assert "No. 13" in composed.text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("# a\n\n### b\n\n# c", "232"),
        ("### a\n\n# b\n\n### c\n\n### d", "2233"),
        ("###### a\n\n##### b\n\n> # c\n", "222"),
        ("# 1\n### 2\n#### 3\n##### 4\n###### 5", "23455"),
        ("`# no` \\# no", ""),
    ],
)
def test_headings_follow_the_title_of_the_mail_without_a_gap(written: str, shown: str) -> None:
    html = markdown_to_html(written, images=True)
    assert "".join(re.findall(r"<h(\d)>", html)) == "".join(re.findall(r"</h(\d)>", html)) == shown


def test_a_letter_that_shows_nothing_is_refused() -> None:
    for body in ("", " \n", "![](https://www.example.net/river.jpg)", "***"):
        composed = IssueComposer().compose_letter(MASTHEAD, 13, DATED_S, "Hello", body)
        assert Rule.WORDS in {fault.rule for fault in letter_faults(composed, body)}


def test_a_letter_that_lost_a_word_is_refused() -> None:
    composed = IssueComposer().compose_letter(MASTHEAD, 13, DATED_S, "Hello", "Hello there")
    assert {fault.rule for fault in letter_faults(composed, "Hello elsewhere")} == {Rule.WORDS}


@pytest.mark.parametrize(
    ("text", "line", "names"),
    [
        ("Hello\n\n<script>alert(1)</script>\n", 3, "'<script>alert(1)</script>'"),
        ("Hello\n<b>you</b>", 2, "'<b>'"),
        ("<!-- a draft -->", 1, "HTML"),
        ("One\n\nTwo\n[three](/about)", 4, "'/about'"),
        ("[up](#top)", 1, "'#top'"),
        ("# Hello\n\n![river](river.jpg)", 3, "'river.jpg'"),
        ("![dot](data:image/png;base64,AAAA)", 1, "'data:image/png;base64,AAAA'"),
    ],
)
def test_what_cannot_be_mailed_is_named_with_its_line(text: str, line: int, names: str) -> None:
    faults = markdown_faults(text)
    assert faults[0].line == line
    assert names in faults[0].reason


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_no_text_brings_active_content(text: str) -> None:
    html = markdown_to_html(text, images=True)
    assert "<script" not in html
    assert "javascript:" not in html.lower().replace("&#", "") or "href" not in html


def test_without_pictures_their_descriptions_stand_there() -> None:
    html = markdown_to_html(BODY, images=False)
    assert "<img" not in html
    assert "The river" in html


def test_the_first_heading_is_one_line_without_marks() -> None:
    assert first_heading(BODY) == "We are sorry"
    assert first_heading("Dear all\n\n## A *new*\u00a0`home`\n") == "A new home"
    assert first_heading("No heading") == ""


def test_words_are_those_that_readers_see() -> None:
    text = "a *b* [c](https://d.example) ![e](https://f.example) \u200b \ufeff\n\n    code"
    assert words_of(text) == ["a", "b", "c", "code"]
