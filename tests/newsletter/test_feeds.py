"""Feeds as they are found in the world, and some that were made to hurt: each file has its result beside it.

A new case is a file in feeds/ and, after a look at it, what `told` says of it.
"""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpost.mail.article import (
    ARTICLES_MAX,
    GUID_CHARACTERS_MAX,
    HTML_CHARACTERS_MAX,
    SUMMARY_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    FeedRead,
    FeedUnreadable,
)
from secondpost.newsletter.feeds import DOCUMENT_OCTETS_MAX, read_feed
from secondpost.newsletter.words import plain

FEEDS = Path(__file__).parent / "feeds"
URL = "https://www.example.net/feed.xml"
TYPES = {".xml": "application/xml", ".json": "application/feed+json", ".html": "text/html; charset=utf-8"}
CASES = sorted(path for path in FEEDS.rglob("*") if path.suffix in TYPES)
PLATFORMS = [path for path in CASES if path.parent.name == "platforms"]  # as programs and services write them


def told(read: FeedRead | FeedUnreadable) -> str:
    if isinstance(read, FeedUnreadable):
        return f"unreadable: {read.reason}\n"
    lines = [f"feed: {read.title} | {read.identity} | {read.home} | {read.generator}"]
    lines += [f"repeated guid: {guid}" for guid in sorted(read.repeated_guids)]
    lines += [f"left out: {read.left_out}"] if len(read.left_out) > 0 else []
    for article in read.articles:
        date = "no date"
        if article.published_ms is not None:
            date = datetime.fromtimestamp(article.published_ms / 1000, UTC).isoformat()
        lines += [
            "",
            f"title: {article.title}",
            f"link: {article.link}",
            f"guid: {article.guid} | {date} | {article.author}",
            f"summary: {article.summary}",
            f"in: {', '.join(article.categories)}",
            f"picture: {article.picture}",
            f"html: {article.html}",
        ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_feed_is_read_as_its_result_says(path: Path) -> None:
    read = read_feed(path.read_bytes(), TYPES[path.suffix], URL)
    assert told(read) == path.with_suffix(".result").read_text(encoding="utf-8")


def test_there_are_many_cases() -> None:
    assert len(CASES) - len(PLATFORMS) >= 60
    assert len(PLATFORMS) >= 60
    assert set(FEEDS.rglob("*.result")) == {path.with_suffix(".result") for path in CASES}


def within_bounds(read: FeedRead | FeedUnreadable) -> None:
    if isinstance(read, FeedUnreadable):
        assert read.reason.isprintable()
        return
    assert len(read.articles) <= ARTICLES_MAX
    for article in read.articles:
        assert article.link.startswith(("http://", "https://"))
        assert article.link.isascii()
        assert len(article.title) + len(article.summary) > 0
        assert len(article.guid) <= GUID_CHARACTERS_MAX
        assert len(article.html) <= HTML_CHARACTERS_MAX
        for text, most in ((article.title, TITLE_CHARACTERS_MAX), (article.summary, SUMMARY_CHARACTERS_MAX)):
            assert len(text) <= most
            assert text == plain(text, most)
            assert not any(ord(each) < 32 or "\ufdd0" <= each <= "\ufdef" for each in text)
        assert len(article.fingerprint) == 32


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2_000), st.sampled_from(sorted(TYPES.values())))
def test_no_octets_make_it_raise(body: bytes, content_type: str) -> None:
    within_bounds(read_feed(body, content_type, URL))


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(CASES), st.data())
def test_a_feed_with_octets_changed_stays_within_bounds(path: Path, data: st.DataObject) -> None:
    body = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    within_bounds(read_feed(bytes(body), TYPES[path.suffix], URL))


@pytest.mark.parametrize("path", CASES[:3] + CASES[7:9] + CASES[29:30], ids=lambda path: path.stem)
def test_a_torn_feed_is_no_information_wherever_it_is_torn(path: Path) -> None:
    body = path.read_bytes().rstrip()
    for length in range(0, len(body) - 1, 7):
        assert isinstance(read_feed(body[:length], TYPES[path.suffix], URL), FeedUnreadable)


def test_a_document_that_is_too_large_is_not_parsed() -> None:
    read = read_feed(b"<rss>" + b" " * DOCUMENT_OCTETS_MAX, "application/xml", URL)
    assert isinstance(read, FeedUnreadable)
    assert "octets" in read.reason


def test_of_too_many_articles_the_newest_are_kept_wherever_they_stand() -> None:
    def item(n: int) -> str:
        date = datetime.fromtimestamp(1_800_000_000 + n * 86_400, UTC).isoformat()
        return (
            f"<entry><id>{n}</id><title>n {n}</title><link href='/{n}'/><published>{date}</published></entry>"
        )

    for order in (range(ARTICLES_MAX + 5), range(ARTICLES_MAX + 4, -1, -1)):
        entries = "".join(item(n) for n in order)
        body = f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode()
        read = read_feed(body, "application/atom+xml", URL)
        assert isinstance(read, FeedRead)
        assert len(read.articles) == ARTICLES_MAX
        assert f"n {ARTICLES_MAX + 4}" in {article.title for article in read.articles}


def test_a_charset_that_the_server_made_up_does_not_spoil_the_words() -> None:
    body = '<rss version="2.0"><channel><item><title>Grüße</title><link>/1</link></item></channel></rss>'
    read = read_feed(body.encode(), "text/xml; charset=iso-8859-1", URL)
    assert isinstance(read, FeedRead)
    assert [article.title for article in read.articles] == ["Grüße"]
    read = read_feed(body.encode("latin-1"), "text/xml; charset=iso-8859-1", URL)
    assert isinstance(read, FeedRead)
    assert [article.title for article in read.articles] == ["Grüße"]


def test_an_article_that_stands_twice_under_two_guids_is_one() -> None:
    """As blogs write it that change their guids: two of it would be enough for an issue."""

    def items(*told: tuple[str, str, str]) -> list[str]:
        written = "".join(
            f"<item><guid>{guid}</guid><link>{link}</link><title>Photo</title>"
            f"<description>&lt;img src='https://www.example.net/{image}.jpg'&gt;</description></item>"
            for guid, link, image in told
        )
        read = read_feed(f"<rss version='2.0'><channel>{written}</channel></rss>".encode(), "text/xml", URL)
        assert isinstance(read, FeedRead)
        return [article.guid[-1] for article in read.articles]

    page, same = "https://www.example.net/a", "http://example.net/a/?utm_source=feed"
    assert items(("urn:1", page, "x"), ("urn:2", same, "x")) == ["1"]
    assert items(("urn:1", page, "x"), ("urn:2", same, "y")) == ["1", "2"]
    assert items(("urn:1", page, "x"), ("urn:2", f"{page}/b", "x")) == ["1", "2"]


HURTFUL = {
    "open tags": "<" * 200_000,
    "torn comments": "<!--" * 50_000,
    "odd quotes": "<a \"<a '" * 30_000,
    "tags without end": "<a " * 100_000,
    "scripts without end": "<script>" * 50_000,
    "entities": "&amp;" * 100_000,
    "attributes": "<a " + "href=x " * 50_000 + ">",
    "spaces": "<a" + " " * 400_000,
    "marks in disorder": "\u0301\u0334" * 60_000,
    "double marks in disorder": "\u0f73" * 120_000,
}


@pytest.mark.parametrize("text", HURTFUL.values(), ids=HURTFUL.keys())
def test_no_text_is_slow_to_read(text: str) -> None:
    """Measured in work of this thread, not on the wall; a quadratic reader needs minutes for these."""
    body = (
        f"<rss version='2.0'><channel><item><title>One</title><link>/1</link><description><![CDATA[{text}]]>"
    )
    body += "</description></item></channel></rss>"
    before = time.thread_time()
    within_bounds(read_feed(body.encode(), "application/xml", URL))
    assert time.thread_time() - before < 10.0


LOOSE = "<description>a & b</description>"  # not XML: read by the forgiving parser
HURTFUL_ELEMENTS = {
    "author": "<author>" + "a." * 100_000 + "</author>",
    "authors": "".join(f"<author>{'a.' * 400}</author>" for _ in range(500)),
    "categories": "".join(f"<category>c{number}</category>" for number in range(30_000)),
    "keywords": "<media:keywords>" + ",".join(map(str, range(100_000))) + "</media:keywords>",
    "attributes": "<x " + " ".join(f"a{number}='x'" for number in range(20_000)) + "/>",
    "prefixes": "".join(f"<p{number}:x xmlns:p{number}='urn:{number}'/>" for number in range(10_000)),
}


@pytest.mark.parametrize("before_it", ["", LOOSE], ids=["strict", "loose"])
@pytest.mark.parametrize("elements", HURTFUL_ELEMENTS.values(), ids=HURTFUL_ELEMENTS.keys())
def test_no_element_is_slow_to_read(elements: str, before_it: str) -> None:
    body = (
        "<rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/'><channel><item><title>One</title>"
        f"<link>/1</link>{before_it}{elements}</item></channel></rss>"
    )
    before = time.thread_time()
    read_feed(body.encode(), "application/xml", URL)
    assert time.thread_time() - before < 10.0


def test_entities_are_found_behind_what_is_no_xml() -> None:
    body = (
        f"<?xml version='1.0'?><!-- a -- {'x' * 100_100} --><!DOCTYPE rss [<!ENTITY a '{'A' * 1000}'>]>"
        f"<rss version='2.0'><channel><item><title>{'&a;' * 100}</title></item></channel></rss>"
    )
    read = read_feed(body.encode(), "application/xml", URL)
    assert read == FeedUnreadable("It defines entities of its own, as no feed needs to.")


def test_a_feed_that_tells_of_entities_defines_none() -> None:
    body = (
        "<rss version='2.0'><channel><item><title>On XML</title><link>/1</link>"
        "<description>a & b, and &lt;!ENTITY <![CDATA[<!ENTITY a 'b'>]]></description></item></channel></rss>"
    )
    read = read_feed(("<!-- -- -->" + body).encode(), "application/xml", URL)
    assert isinstance(read, FeedRead)
