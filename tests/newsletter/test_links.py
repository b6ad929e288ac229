"""Links: which are safe for readers, and which are equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.compose.html_words import text_of
from secondpost.newsletter.links import LINK_CHARACTERS_MAX, absolute, canonical, site, with_absolute_links
from secondpost.newsletter.words import fingerprint, plain

BASE = "https://www.example.net/blog/2029/"

ONE_AND_THE_SAME = (
    "https://www.example.net/posts/1",
    "http://www.example.net/posts/1",
    "https://example.net/posts/1",
    "https://EXAMPLE.net/posts/1/",
    "https://www.example.net:443/posts/1",
    "http://www.example.net:80/posts/1",
    "https://www.example.net/posts/1?utm_source=rss&utm_medium=feed",
    "https://www.example.net/posts/1?fbclid=abc#utm_source=x",
    "https://www.example.net/posts/1/index.html",
    "https://www.example.net/posts/%31",
    "https://www.example.net./posts/1",
)


def test_what_sites_change_without_meaning_it_is_folded() -> None:
    assert {canonical(link) for link in ONE_AND_THE_SAME} == {"example.net/posts/1"}


@pytest.mark.parametrize(
    "link",
    [
        "http://1.2.3.256/x",
        "http://foo.123/x",
        "http://99999999999/",
        "http://[fe80::1%25eth0]/x",
        'http://[fe80::1%"><b>x]/',
        "http://[fe80::1%\ufdd0]/",
    ],
)
def test_what_is_no_host_anywhere_is_no_link(link: str) -> None:
    assert absolute(link, BASE) == ""


def test_what_tells_articles_apart_is_kept() -> None:
    links = (
        "https://www.example.net/posts/1",
        "https://www.example.net/posts/2",
        "https://www.example.net/Posts/1",
        "https://www.example.net/posts/1?page=2",
        "https://www.example.net/posts/1#v2",
        "https://www.example.net:8080/posts/1",
        "https://blog.example.net/posts/1",
        "https://www.example.net/posts%2F1",
    )
    assert len({canonical(link) for link in links}) == len(links)
    assert canonical("https://x.example/?b=2&a=1") == canonical("https://x.example/?a=1&b=2")


@pytest.mark.parametrize(
    "link", ["https://www.example.net", "http://www.example.net/", "https://x.example/?utm_id=1", ""]
)
def test_a_whole_site_is_no_articles_link(link: str) -> None:
    assert canonical(link) == ""


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("a", "https://www.example.net/blog/2029/a"),
        ("../b?c=d#e", "https://www.example.net/blog/b?c=d#e"),
        ("//other.example/x", "https://other.example/x"),
        (" https://x.example/a\n b ", "https://x.example/a%20b"),
        ("https://x.example/caf\u00e9?q=\u65e5", "https://x.example/caf%C3%A9?q=%E6%97%A5"),
        ("https://x.example/%41%zz", "https://x.example/%41%zz"),
        ("HTTP://X.example", "http://x.example"),
        ("https://[2001:db8::1]:8443/a", "https://[2001:db8::1]:8443/a"),
        ("javascript:alert(1)", ""),
        ("mailto:me@example.net", ""),
        ("https://me@x.example/", ""),
        ("https://x.example:99999/", ""),
        ("https://[::1", ""),
        ("https://x y/", ""),
        ("https://x.example/" + "a" * LINK_CHARACTERS_MAX, ""),
    ],
)
def test_a_link_is_made_absolute_or_is_none(link: str, expected: str) -> None:
    assert absolute(link, BASE) == expected


@given(st.text(), st.text())
def test_any_text_is_a_link_in_ascii_or_none(link: str, base: str) -> None:
    for found in (absolute(link, BASE), absolute(link, base)):
        assert found == "" or found.startswith(("http://", "https://"))
        assert found.isascii()
        assert not any(each in found for each in '\r\n\t "<>')
        assert absolute(found, BASE) == found or found == ""
    canonical(link)
    site(link)


def test_links_inside_an_article_are_made_absolute() -> None:
    markup = (
        '<a href="x?a=1&amp;b=2">1</a> <A HREF=\'/y\'>2</A> <img class=z src=z.png><a href="#note">3</a>'
        '<a href="mailto:me@example.net">4</a> href="not-in-a-tag"'
    )
    assert with_absolute_links(markup, BASE) == (
        '<a href="https://www.example.net/blog/2029/x?a=1&amp;b=2">1</a> '
        '<A HREF="https://www.example.net/y">2</A> '
        '<img class=z src="https://www.example.net/blog/2029/z.png"><a href="#note">3</a>'
        '<a href="mailto:me@example.net">4</a> href="not-in-a-tag"'
    )


def test_the_addresses_of_pictures_are_made_absolute_wherever_a_script_looks_for_them() -> None:
    markup = (
        '<img src="data:image/gif;base64,AA" data-src="a.jpg" data-lazy-srcset="b.jpg 300w, /c,d.jpg 600w">'
        '<img srcset="data:image/gif;base64,AA" data-lazy-src="/e.jpg?f=1&#038;g=2">'
    )
    assert with_absolute_links(markup, BASE) == (
        '<img src="data:image/gif;base64,AA" data-src="https://www.example.net/blog/2029/a.jpg" '
        'data-lazy-srcset="https://www.example.net/blog/2029/b.jpg 300w, '
        'https://www.example.net/c,d.jpg 600w">'
        '<img srcset="data:image/gif;base64,AA" data-lazy-src="https://www.example.net/e.jpg?f=1&amp;g=2">'
    )


@given(st.text(), st.integers(10, 50))
def test_any_text_becomes_one_visible_line(text: str, most: int) -> None:
    line = plain(text_of(text), most)
    assert len(line) <= most
    assert line == line.strip()
    assert plain(line, most) == line
    assert "\n" not in line


def test_the_same_words_have_the_same_fingerprint() -> None:
    assert fingerprint("Title", "Some  words\n") == fingerprint("TITLE", "some words")
    assert fingerprint("Title", "Some words") != fingerprint("Title", "Other words")
