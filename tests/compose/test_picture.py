"""Lazy-loaded pictures: the real one, once; and a replacement if none can be shown."""

import re

import pytest

from secondpost.compose.article_html import clean_article
from secondpost.compose.picture import best_of, candidates, is_emoji

LINK = "https://blog.example/2026/post"
BLANK = "data:image/gif;base64,R0lGOD"
REAL = "https://blog.example/real.jpg"


def cleaned(html: str, images: bool = True) -> str:
    return clean_article(html, LINK, images)


def pictures(html: str) -> list[str]:
    return re.findall(r'<img src="([^"]*)"', cleaned(html))


@pytest.mark.parametrize(
    "html",
    [
        f'<img data-lazy-src="{REAL}" src="{BLANK}"><noscript><img src="{REAL}"></noscript>',
        f'<img data-src="{REAL}" src="https://blog.example/_.gif"><noscript><img src="{REAL}"></noscript>',
        f'<noscript><img src="{REAL}"></noscript><img class="lazyload" data-src="{REAL}" src="{BLANK}">',
        f'<img class="lazy" src="https://blog.example/small.jpg"><noscript><img src="{REAL}"></noscript>',
        f'<img src="{BLANK}"><noscript><img src="{REAL}"></noscript>',
        f'<figure><img data-srcset="{REAL} 1200w, https://blog.example/small.jpg 300w"></figure>',
        f'<picture><source data-srcset="{REAL} 1x"><img src="{BLANK}"></picture>',
        f'<img srcset="https://blog.example/small.jpg 300w, {REAL} 1200w">',
        f'<img style="opacity:0" data-src="{REAL}">',
        f'<img class="progressiveMedia-thumbnail" src="https://blog.example/small.jpg"><canvas></canvas>'
        f'<img class="progressiveMedia-image" data-src="{REAL}"><noscript><img src="{REAL}"></noscript>',
        f'<noscript><img src="{REAL}" alt="A"></noscript><img class="thumb-image" data-image="{REAL}">',
        f'<figure><noscript><img src="{REAL}"></noscript></figure>',
    ],
)
def test_a_picture_that_a_script_would_load_is_shown_once(html: str) -> None:
    assert pictures(f"<p>before</p>{html}<p>after</p>") == [REAL]
    assert cleaned(f"<p>before</p>{html}<p>after</p>").endswith("<p>after</p>")


def test_two_pictures_beside_each_other_stay_two() -> None:
    first, second = "https://blog.example/1.jpg", "https://blog.example/2.jpg"
    lazy = "<img class='lazy' data-src='{0}' src='{1}'><noscript><img src='{0}'></noscript>"
    assert pictures(lazy.format(first, BLANK) + lazy.format(second, BLANK)) == [first, second]
    assert pictures(f"<img class='lazy' src='{first}'><img class='lazy' src='{second}'>") == [first, second]
    assert pictures(f"<img src='{first}'> <img data-src='{second}'>") == [first, second]
    assert pictures(f"<img src='{first}'><img src='{first}'>") == [first, first]  # as the author wrote it


def test_what_counts_readers_is_not_shown_wherever_it_stands() -> None:
    counter = "https://stats.example/tr?id=1&noscript=1"
    assert cleaned(f"<p>a</p><noscript><img src='{counter}'></noscript>") == "<p>a</p>"
    assert cleaned(f"<noscript><img src='{counter}' width=1 height=1 alt='A'></noscript>") == ""
    assert pictures(f"<img src='{REAL}'><noscript><img src='{counter}'></noscript>") == [REAL]
    assert cleaned(f"<img src='{counter}' style='display:none' alt='Count'>", images=False) == ""


def test_what_asks_to_turn_scripts_on_is_not_shown() -> None:
    html = (
        "<p>a</p><noscript>Please enable JavaScript. <iframe src='https://t.example/'></iframe></noscript>b"
    )
    assert cleaned(html) == "<p>a</p>b"


@pytest.mark.parametrize(
    ("html", "with_images", "without"),
    [
        (f"<img src='{REAL}' alt='A view'>", f'<img src="{REAL}" alt="A view">', "[A view]"),
        (f"<img src='{REAL}'>", f'<img src="{REAL}" alt="">', ""),
        (
            "<img src='http://blog.example/a.jpg' alt='A &lt; B'>",
            '<a href="http://blog.example/a.jpg">[A &lt; B]</a>',
            "[A &lt; B]",
        ),
        (
            "<img src='http://blog.example/a.jpg'>",
            '<a href="http://blog.example/a.jpg">blog.example</a>',
            "",
        ),
        (
            "<a href='/x'><img src='http://blog.example/a.jpg' alt='A'></a>",
            '<a href="https://blog.example/x">[A]</a>',
            '<a href="https://blog.example/x">[A]</a>',
        ),
        (
            f"<a href='/x'><img src='{REAL}'></a>",
            f'<a href="https://blog.example/x"><img src="{REAL}" alt=""></a>',
            "",
        ),
        (f"<img src='{BLANK}' alt='Drawn'>", "[Drawn]", "[Drawn]"),
        (f"<img src='{REAL}' alt='🙂' class='wp-smiley'>", "🙂", "🙂"),
    ],
)
def test_where_a_picture_is_not_shown_its_words_are(html: str, with_images: str, without: str) -> None:
    assert cleaned(html) == with_images
    assert cleaned(html, images=False) == without


def test_the_addresses_of_a_srcset_may_hold_commas() -> None:
    srcset = "https://c.example/w_424,c_limit/a.jpg 424w, https://c.example/w_848,c_limit/a.jpg 848w,b.jpg 2x"
    assert [(each.address[-12:], each.descriptor) for each in candidates(srcset)] == [
        ("_limit/a.jpg", "424w"),
        ("_limit/a.jpg", "848w"),
        ("b.jpg", "2x"),
    ]
    assert [each.address for each in candidates("a.jpg, b.jpg 2x")] == ["a.jpg", "b.jpg"]
    assert list(candidates(" , ,")) == []


def test_of_a_srcset_the_smallest_that_is_large_enough_is_taken() -> None:
    assert best_of("https://a/s 300w, https://a/l 3000w, https://a/m 1200w") == "https://a/m"
    assert best_of("https://a/s 300w, https://a/m 600w") == "https://a/m"
    assert best_of("https://a/1, https://a/2 2x, https://a/3 3x") == "https://a/2"
    assert best_of("a.jpg 300w, data:x 1200w, https://a/s nonsense") == "https://a/s"
    assert best_of("data:image/gif;base64,R0") == ""


def test_emoji_are_told_from_words() -> None:
    assert all(is_emoji(each) for each in ("🙂", "👩‍🔬", "🇳🇴", "☃", "❤️"))
    assert not any(is_emoji(each) for each in ("", "A", "1", ":bee:", "日本", "🙂 yes", "🙂" * 20))
