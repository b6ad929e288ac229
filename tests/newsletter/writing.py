"""Writes a blog's feed in the three forms that we read: newest article first."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

BEGAN = datetime(2020, 1, 1, 8, 0, tzinfo=UTC)
WORDS = "These are the words of article number {n}, and they are its own. "


def words_of(n: int) -> str:
    return WORDS.format(n=n) * 4


def markup_of(n: int) -> str:
    picture = f'<img src="/pictures/{n}.jpg" alt="A picture"/>'
    return f'<p>{words_of(n)}</p><p><a href="/about">More</a> {picture}</p>'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def atom(numbers: Sequence[int], began: datetime = BEGAN, id: str = "urn:{n}") -> bytes:
    entries = "".join(
        f"<entry><id>{id.format(n=n)}</id><title>Article {n}</title><link href='/{n}'/>"
        f"<updated>{_moment(began, n)}</updated>"
        f"<content type='html'>{_escaped(markup_of(n))}</content></entry>"
        for n in sorted(numbers, reverse=True)
    )
    return (
        "<?xml version='1.0' encoding='utf-8'?><feed xmlns='http://www.w3.org/2005/Atom'>"
        f"<id>urn:blog</id><title>The Blog</title><link href='/'/>{entries}</feed>"
    ).encode()


def rss(numbers: Sequence[int], began: datetime = BEGAN, id: str = "urn:{n}") -> bytes:
    items = "".join(
        f"<item><title>Article {n}</title><link>/{n}</link><guid isPermaLink='false'>{id.format(n=n)}</guid>"
        f"<pubDate>{format_datetime(began + timedelta(minutes=n))}</pubDate>"
        f"<description>{_escaped(markup_of(n))}</description></item>"
        for n in sorted(numbers, reverse=True)
    )
    return (
        f"<rss version='2.0'><channel><title>The Blog</title><link>/</link>{items}</channel></rss>".encode()
    )


def json_feed(numbers: Sequence[int], began: datetime = BEGAN, id: str = "urn:{n}") -> bytes:
    items = [
        {
            "id": id.format(n=n),
            "url": f"/{n}",
            "title": f"Article {n}",
            "content_html": markup_of(n),
            "date_published": _moment(began, n),
        }
        for n in sorted(numbers, reverse=True)
    ]
    told = {"version": "https://jsonfeed.org/version/1.1", "title": "The Blog", "home_page_url": "/"}
    return json.dumps(told | {"items": items}).encode()


def _moment(began: datetime, n: int) -> str:
    return (began + timedelta(minutes=n)).isoformat()


FORMS: Mapping[str, Callable[..., bytes]] = {"atom": atom, "rss": rss, "json": json_feed}
