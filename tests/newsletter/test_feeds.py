"""Real feeds and hostile ones: each file has its expected result beside it.

A new case is a file in feeds/ and, after a check, its result as written by `told`.
"""

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpost.compose.issue import IssueComposer
from secondpost.mail.article import (
    ARTICLES_MAX,
    GUID_CHARACTERS_MAX,
    HTML_CHARACTERS_MAX,
    SUMMARY_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    Article,
    FeedRead,
    FeedUnreadable,
)
from secondpost.newsletter.feeds import DOCUMENT_OCTETS_MAX, read_feed
from secondpost.newsletter.render import Rule, output_faults
from secondpost.newsletter.words import plain
from tests.compose.articles import DATED_S, MASTHEAD

FEEDS = Path(__file__).parent / "feeds"
SITE = "https://www.example.net"
URL = f"{SITE}/feed.xml"
LOOSE = "<description>a & b</description>"  # not XML: read by the lenient parser
TYPES = {".xml": "application/xml", ".json": "application/feed+json", ".html": "text/html; charset=utf-8"}
CASES = sorted(path for path in FEEDS.rglob("*") if path.suffix in TYPES)
PLATFORMS = [path for path in CASES if path.parent.name == "platforms"]  # as written by programs and services


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
        assert article.picture == "" or article.picture.startswith(("http://", "https://"))
        assert re.search(r"\w@\w", article.author) is None
        assert article.link.isascii()
        assert len(article.title) + len(article.summary) > 0
        assert len(article.guid) <= GUID_CHARACTERS_MAX
        assert len(article.html) <= HTML_CHARACTERS_MAX
        for text, most in ((article.title, TITLE_CHARACTERS_MAX), (article.summary, SUMMARY_CHARACTERS_MAX)):
            assert len(text) <= most
            assert text == plain(text, most)
            assert not any(ord(each) < 32 or "\ufdd0" <= each <= "\ufdef" for each in text)
        assert len(article.fingerprint) == 32


@settings(max_examples=150)
@given(st.binary(max_size=2_000), st.sampled_from(sorted(TYPES.values())))
def test_no_octets_make_it_raise(body: bytes, content_type: str) -> None:
    within_bounds(read_feed(body, content_type, URL))


@settings(max_examples=250)
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
    assert "bytes" in read.reason


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
    """As in blogs that change guids; counted twice, it would be enough for an issue."""

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


NAMESPACES = {
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
}


def read_item(inside: str, form: str = "rss") -> Article:
    """The only article of a feed with this text in its item."""
    spaces = " ".join(f"xmlns:{prefix}='{name}'" for prefix, name in NAMESPACES.items())
    body = f"<rss version='2.0' {spaces}><channel><item>{inside}</item></channel></rss>"
    if form == "atom":
        body = f"<feed xmlns='http://www.w3.org/2005/Atom' {spaces}><entry>{inside}</entry></feed>"
    read = read_feed(body.encode(), "text/xml", URL)
    assert isinstance(read, FeedRead)
    [found] = read.articles
    return found


LINKED = "<title>One</title><link>https://www.example.net/1</link>"
SHORT, LONG = (
    "The text.",
    "A caption is no text of an article, however long it is and however often it is said.",
)
CAPTIONS = (
    f"<media:description>{LONG}</media:description>",
    f"<media:group><media:content url='https://x.example/a.jpg'/><media:description>{LONG}</media:description></media:group>",
    f"<media:content url='https://x.example/a.jpg'><media:description>{LONG}</media:description></media:content>",
    f"<itunes:summary>{LONG}</itunes:summary>",
    f"<itunes:subtitle>{LONG}</itunes:subtitle>",
    f"<image><url>https://x.example/a.jpg</url><title>{LONG}</title><description>{LONG}</description></image>",
    f"<media:title>{LONG}</media:title><itunes:title>{LONG}</itunes:title>",
)
TEXTS = (
    f"<description>{SHORT}</description>",
    f"<content:encoded>{SHORT}</content:encoded>",
    f"<description>Short.</description><content:encoded>{SHORT}</content:encoded>",
)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("caption", CAPTIONS)
def test_what_is_said_of_a_picture_or_an_episode_never_replaces_the_text(text: str, caption: str) -> None:
    for inside in (LINKED + text + caption, caption + text + LINKED):
        found = read_item(inside)
        assert (found.title, found.html) == ("One", f"<p>{SHORT}</p>")
        assert LONG[:20] not in found.summary


@pytest.mark.parametrize("caption", CAPTIONS[:5])
def test_where_there_is_no_other_text_it_is_the_text(caption: str) -> None:
    assert read_item(f"{LINKED}<description> </description>{caption}").html == f"<p>{LONG}</p>"


WHOLE = "&lt;p&gt;" + "Each of these words is of the article. " * 5 + "&lt;/p&gt;"


def test_the_whole_text_is_taken_and_not_the_teaser_wherever_each_stands() -> None:
    teaser = "&lt;p&gt;Each of these words… More.&lt;/p&gt;"
    for inside in (
        f"<description>{teaser}</description><content:encoded>{WHOLE}</content:encoded>",
        f"<content:encoded>{WHOLE}</content:encoded><description>{teaser}</description>",
        f"<content:encoded>{teaser}</content:encoded><description>{WHOLE}</description>",
        f"<description>{teaser}</description><description>{WHOLE}</description>",
    ):
        assert read_item(LINKED + inside).html.startswith("<p>Each of these words is of"), inside


def test_a_little_more_in_the_summary_does_not_make_it_the_text() -> None:
    inside = f"<description>{WHOLE} And a word more.</description><content:encoded>{WHOLE}</content:encoded>"
    assert "more" not in read_item(LINKED + inside).html


def test_a_picture_counts_for_words() -> None:
    picture = "<content:encoded>&lt;img src='https://x.example/a.jpg'></content:encoded>"
    found = read_item(f"{LINKED}<description>On the pond.</description>{picture}")
    assert found.html.startswith("<img")
    assert (found.summary, found.picture) == ("On the pond.", "https://x.example/a.jpg")


def test_html_is_richer_than_plain_text_and_a_picture_in_base64_is_no_text() -> None:
    entry = "<title>One</title><link href='https://www.example.net/1'/>"
    rich = "<content type='html'>&lt;p&gt;Words&lt;/p&gt;</content>"
    plain, image = (
        "<content type='text'>Words</content>",
        "<content type='image/png'>iVBORw0KGgoAAAA</content>",
    )
    assert read_item(entry + plain + rich, "atom").html == "<p>Words</p>"
    assert read_item(f"{entry}{image}<summary>A view</summary>", "atom").html == "<p>A view</p>"
    assert read_item(entry + image, "atom").html == ""


@pytest.mark.parametrize(
    ("inside", "link"),
    [
        ("<guid>https://www.example.net/1</guid>", "https://www.example.net/1"),
        (
            "<link></link><guid isPermaLink='true'>https://www.example.net/1</guid>",
            "https://www.example.net/1",
        ),
        ("<guid>https://x.example/1</guid><enclosure url='https://x.example/1.mp3'/>", "https://x.example/1"),
        ("<guid isPermaLink='false'>https://x.example/1</guid><enclosure url='/1.mp3'/>", f"{SITE}/1.mp3"),
        (
            "<guid>tag:x.example,2029:1</guid><enclosure url='https://x.example/1.mp3'/>",
            "https://x.example/1.mp3",
        ),
        ("<guid>1234</guid><media:content url='https://x.example/1.mp4'/>", "https://x.example/1.mp4"),
        (
            "<link>ftp://x.example/</link><enclosure url='https://x.example/1.mp3'/>",
            "https://x.example/1.mp3",
        ),
        ("<media:group><media:player url='https://x.example/play'/></media:group>", "https://x.example/play"),
        ("<link>https://x.example/1</link><guid>https://x.example/2</guid>", "https://x.example/1"),
    ],
)
def test_an_item_leads_to_its_page_else_to_its_permalink_else_to_its_file(inside: str, link: str) -> None:
    assert read_item(f"<title>One</title>{inside}").link == link


@pytest.mark.parametrize(
    "guid", ["<guid>1234</guid>", "<guid>tag:x.example,2029:1</guid>", "<guid>urn:1</guid>", ""]
)
def test_what_leads_nowhere_is_left_out_and_named(guid: str) -> None:
    body = f"<rss version='2.0'><channel><item><title>One</title>{guid}</item></channel></rss>"
    read = read_feed(body.encode(), "text/xml", URL)
    assert isinstance(read, FeedRead)
    assert read.articles == ()
    assert read.left_out == "1 entry is not an article: it has neither a link nor a file"


@pytest.mark.parametrize(
    ("inside", "picture"),
    [
        ("<enclosure url='/e.jpg' type='image/jpeg'/><media:content url='/m.jpg' medium='image'/>", "/e.jpg"),
        ("<enclosure url='/e.mp3' type='audio/mpeg'/><media:content url='/m.jpg' medium='image'/>", "/m.jpg"),
        ("<media:content url='/m.mp4' type='video/mp4'/><media:thumbnail url='/t.jpg'/>", "/t.jpg"),
        ("<media:content url='/m.webp'/>", "/m.webp"),
        (
            "<media:thumbnail url='/t.jpg' width='72'/><description>&lt;img src='/d.jpg'&gt;</description>",
            "/d.jpg",
        ),
        ("<media:thumbnail url='/t.jpg' width='72'/>", "/t.jpg"),
        ("<media:thumbnail url='/t.jpg' width='30'/>", ""),
        ("<itunes:image href='/i.jpg'/>", "/i.jpg"),
        ("<image><url>/u.jpg</url></image>", "/u.jpg"),
        ("<media:content url='https://0.gravatar.com/avatar/1' medium='image'/>", ""),
        (
            "<description>&lt;img src='/p.gif' width='1'&gt;&lt;img src='/d.jpg'&gt;</description>",
            "/d.jpg",
        ),
        (
            "<description>&lt;img class='emoji' src='/s.png'&gt;&lt;img src='/f' width=24&gt;</description>",
            "",
        ),
        ("<description>&lt;img src='data:x' data-src='/d.jpg'&gt;</description>", "/d.jpg"),
        ("<enclosure url='javascript:alert(1)' type='image/png'/>", ""),
    ],
)
def test_the_picture_of_an_article_is_its_own_else_the_first_in_it(inside: str, picture: str) -> None:
    expected = f"{SITE}{picture}" if len(picture) > 0 else ""
    assert read_item(LINKED + inside).picture == expected


@pytest.mark.parametrize(
    "inside",
    [
        "<author>ann@example.org (Ann)</author>",
        "<managingEditor>ann@example.org (Ann)</managingEditor>",
        "<dc:creator>Ann &lt;ann@example.org&gt;</dc:creator>",
        "<author><name>Ann</name><email>ann@example.org</email></author>",
        "<itunes:author>Ann (ann@example.org)</itunes:author>",
        "<author>ann@example.org</author><dc:creator>Ann</dc:creator>",
        "<itunes:author>The Show</itunes:author><author>ann@example.org (Ann)</author>",
    ],
)
def test_an_author_is_a_name_and_never_an_address(inside: str) -> None:
    assert read_item(LINKED + inside).author == "Ann"
    assert read_item(LINKED + LOOSE + inside).author == "Ann"


def test_of_an_author_with_an_address_alone_nothing_is_said() -> None:
    entry = "<title>One</title><link href='https://www.example.net/1'/>"
    assert read_item(f"{entry}<author><email>ann@example.org</email></author>", "atom").author == ""
    several = "<author><name>Ann</name></author><author><name>Bob</name><email>b@example.org</email></author>"
    assert read_item(entry + several, "atom").author == "Ann, Bob"


@pytest.mark.parametrize("path", PLATFORMS, ids=lambda path: path.stem)
def test_what_a_platform_writes_becomes_a_mail(path: Path) -> None:
    """Each article has its title and link in both parts, and no mail address of its author."""
    read = read_feed(path.read_bytes(), TYPES[path.suffix], URL)
    assert isinstance(read, FeedRead)
    assert len(read.articles) > 0
    composed = IssueComposer().compose(MASTHEAD, 1, DATED_S, read.articles)
    # Articles of a line or two are shorter than an issue has to be.
    faults = {fault.rule for fault in output_faults(composed, read.articles, len(read.articles))}
    assert faults <= {Rule.TEXT}
    assert all(re.search(r"\w@\w", article.author) is None for article in read.articles)
    shown = re.findall(r'<img src="([^"]*)"', composed.html)
    assert len(shown) == len(set(shown))


HURTFUL = {
    "formulas": "<math><annotation encoding='application/x-tex'>" * 10_000,
    "drawn formulas": '<span class="katex-html">' * 20_000,
    "pictures": "<img data-src=/a.jpg>" * 20_000,
    "pictures without end": "<img srcset='" + "a 1w, " * 80_000,
    "attributes of pictures": "<img " + "a" * 400_000 + ">",
    "many small candidates": "<img srcset='" + "a 1w, " * 80_000 + "'>",
    "lines": "a\n" * 200_000,
    "empty lines": "\n \n" * 120_000,
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
    """Measured in CPU time of this thread; a quadratic parser would need minutes."""
    body = (
        f"<rss version='2.0'><channel><item><title>One</title><link>/1</link><description><![CDATA[{text}]]>"
    )
    body += "</description></item></channel></rss>"
    before = time.thread_time()
    within_bounds(read_feed(body.encode(), "application/xml", URL))
    assert time.thread_time() - before < 10.0


HURTFUL_ELEMENTS = {
    "addresses": "<author>" + "a" * 200_000 + "</author>",
    "captions": "<media:description>caption</media:description>" * 20_000,
    "texts": "<content:encoded>words</content:encoded>" * 5_000,
    "images": "<image><url>/a.jpg</url><title>x</title></image>" * 10_000,
    "pictures": "<media:content url='/a.jpg'/>" * 20_000,
    "files": "<enclosure url='/a.mp3'/>" * 20_000,
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
        "<rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/' "
        "xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><item><title>One</title>"
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
    assert read == FeedUnreadable("It defines XML entities, which no feed needs.")


def test_a_feed_that_tells_of_entities_defines_none() -> None:
    body = (
        "<rss version='2.0'><channel><item><title>On XML</title><link>/1</link>"
        "<description>a & b, and &lt;!ENTITY <![CDATA[<!ENTITY a 'b'>]]></description></item></channel></rss>"
    )
    read = read_feed(("<!-- -- -->" + body).encode(), "application/xml", URL)
    assert isinstance(read, FeedRead)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            "<rss version='2.0'><channel><title>B</title><language>he-IL</language>"
            "<item><title>A</title><link>/1</link><description>x</description></item>"
            "<item><title>B</title><link>/2</link><description xml:lang='en'>x</description></item>"
            "</channel></rss>",
            ["he-IL", "en"],
        ),
        (
            "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='ar'><id>urn:b</id><title>B</title>"
            "<entry><id>urn:1</id><title>A</title><link href='/1'/><content>x</content></entry>"
            "<entry xml:lang='fr'><id>urn:2</id><title>A</title><link href='/2'/><content>x</content></entry>"
            "</feed>",
            ["ar", "fr"],
        ),
        (
            '{"version": "https://jsonfeed.org/version/1.1", "title": "B", "language": "fa", "items": ['
            '{"id": "1", "url": "/1", "title": "A"},'
            '{"id": "2", "url": "/2", "title": "A", "language": "en"},'
            '{"id": "3", "url": "/3", "title": "A", "language": ["?"]}]}',
            ["fa", "en", "fa"],
        ),
        (
            '{"version": "https://jsonfeed.org/version/1.1", "title": "B", "language": 7, "items": ['
            '{"id": "1", "url": "/1", "title": "A", "language": "not a tag"}]}',
            [""],
        ),
    ],
    ids=["rss", "atom", "json", "odd"],
)
def test_the_language_of_an_article_is_what_its_feed_says(document: str, expected: list[str]) -> None:
    read = read_feed(document.encode(), "", URL)
    assert isinstance(read, FeedRead)
    assert [article.language for article in read.articles] == expected


@pytest.mark.parametrize(
    ("written", "title"),
    [
        (r"cut \ud83d", "cut \ufffd"),
        (r"\ude00x", "\ufffdx"),
        (r"\ud83d\ud83d\ude00", "\ufffd\N{GRINNING FACE}"),
        (r"\\ud83d", r"\ud83d"),
    ],
)
def test_half_a_character_in_one_article_costs_no_other(written: str, title: str) -> None:
    document = (
        '{"version": "https://jsonfeed.org/version/1.1", "title": "B", "items": ['
        f'{{"id": "1", "url": "/1", "title": "{written}"}}, {{"id": "2", "url": "/2", "title": "B"}}]}}'
    )
    read = read_feed(document.encode(), "application/feed+json", URL)
    assert isinstance(read, FeedRead)
    assert [article.title for article in read.articles] == [title, "B"]


@pytest.mark.parametrize(
    ("written", "published_ms"),
    [
        ("Mon, 01 Jan 0001 00:00:00 +0000", None),  # Hugo, of a page without a date
        ("Fri, 31 Dec 9999 23:59:59 +0000", None),
        ("Sun, 01 Jan 1660 00:00:00 +0000", -9_782_640_000_000),  # a diary, as it was written
        ("Mon, 30 Nov 2026 08:00:00 GMT", 1_796_025_600_000),
    ],
)
def test_a_date_that_has_no_local_time_everywhere_is_none(written: str, published_ms: int | None) -> None:
    assert read_item(f"{LINKED}<pubDate>{written}</pubDate>").published_ms == published_ms
