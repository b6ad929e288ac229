"""A blog over several weeks: posts are written, edited, deleted; its site is rebuilt and moves."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256

from secondpost.mail.duration import DAY_MS
from secondpost.world.ports import Fetched, FetchError, Validators
from tests.newsletter.blog import START_MS
from tests.newsletter.writing import markup_of, words_of


@dataclass(frozen=True)
class Post:
    n: int
    title: str
    slug: str
    text: str
    date_ms: int
    category: str


@dataclass(frozen=True)
class Site:
    """How the site writes its feeds.

    Patterns contain {n}, {low} (a number that is reused), {slug} and {build}; an empty pattern
    writes nothing.
    """

    guid: str = "urn:post:{n}"
    link: str = "https://www.example.net/{slug}"
    dates: str = "own"  # own | none | build
    clock: int = 0  # days by which it is wrong
    form: str = "rss"  # rss | atom | json
    window: int = 10
    excerpts: str = "no"
    order: str = "newest"  # newest | oldest | modified
    names: str = "yes"  # whether the feed has an id and a home
    title: str = "The Blog"
    pinned: int = 0  # a post that always stands on top


@dataclass
class WeeklyBlog:
    """Serves its feeds; `now_ms` is set by the test."""

    now_ms: int = START_MS
    site: Site = field(default_factory=Site)
    feeds: dict[str, str] = field(default_factory=dict)  # by name: the category that it shows, "" for all
    posts: dict[int, Post] = field(default_factory=dict)  # currently on the site
    written: dict[int, Post] = field(default_factory=dict)  # that ever existed
    modified: dict[int, int] = field(default_factory=dict)  # milliseconds, by post
    answer: str = "ok"  # ok | down | html | empty | torn | stale | alternating
    build: int = 0
    copies: dict[str, bytes] = field(default_factory=dict)  # copies in a cache
    asked: int = 0
    shown: set[int] = field(default_factory=set)  # posts that were in a readable document

    def writes(self, numbers: Iterable[int], days: Mapping[int, float], category: str) -> None:
        for n in numbers:
            date_ms = self.now_ms if n not in days else START_MS + int(days[n] * DAY_MS)
            post = Post(n, f"Article {n}", f"posts/{n}", words_of(n), date_ms + n, category)
            self.posts[n] = self.written[n] = post
            self.modified[n] = self.now_ms
        self.build += 1

    def edits(self, n: int, what: str) -> None:
        post = self.posts[n]
        changed = {
            "title": lambda: replace(post, title=f"Article {n}, and more"),
            "text": lambda: replace(post, text="Rewritten. " + words_of(n + 1_000)),
            "link": lambda: replace(post, slug=f"posts/{n}-with-a-better-slug"),
            "category": lambda: replace(post, category="renamed"),
        }[what]()
        self.posts[n] = self.written[n] = changed
        self.modified[n] = self.now_ms
        self.build += 1

    def becomes(self, **settings: str) -> None:
        typed = {
            key: int(value) if key in ("window", "clock", "pinned") else value
            for key, value in settings.items()
        }
        self.site = replace(self.site, **typed)  # type: ignore[arg-type]  # by the names of its fields
        self.build += 1

    def keeps_copies(self) -> None:
        self.copies = {name: self.document(name) for name in self.feeds}

    async def get(
        self, url: str, headers: Mapping[str, str], octets_max: int, validators: Validators | None = None
    ) -> Fetched:
        """Respond like a web server, including conditional requests."""
        name = url.rpartition("/")[2].removesuffix(".xml")
        self.asked += 1
        match self.answer:
            case "down":
                raise FetchError("the connection was refused")
            case "html":
                body = b"<!DOCTYPE html><html><body>Back soon</body></html>"
            case "empty":
                body = self.document(name, of=())
            case "torn":
                body = self.document(name)[:-40]
            case "stale":
                body = self.copies[name]
            case "alternating" if self.asked % 2 == 0:
                body = self.copies[name]
            case _:
                body = self.document(name)
        etag = f'"{sha256(body).hexdigest()[:16]}"'
        if validators is not None and validators.etag == etag:
            return Fetched(304, {"etag": etag}, b"", url)
        return Fetched(200, {"etag": etag}, body, url)

    def document(self, name: str, of: Iterable[Post] | None = None) -> bytes:
        posts = self._shown(name) if of is None else list(of)
        if self.answer not in ("down", "html", "torn"):
            self.shown |= {post.n for post in posts}
        return _FORMS[self.site.form](self, posts)

    def _shown(self, name: str) -> list[Post]:
        category = self.feeds[name]
        shown = [post for post in self.posts.values() if category in ("", post.category)]
        if self.site.order == "modified":
            shown.sort(key=lambda post: (self.modified[post.n], post.date_ms), reverse=True)
        else:
            shown.sort(key=lambda post: (post.date_ms, post.n), reverse=True)
        shown.sort(key=lambda post: post.n != self.site.pinned)
        shown = shown[: self.site.window]
        return shown[::-1] if self.site.order == "oldest" else shown

    def date(self, post: Post) -> datetime | None:
        if self.site.dates == "none":
            return None
        at_ms = self.now_ms if self.site.dates == "build" else post.date_ms
        return datetime.fromtimestamp((at_ms + self.site.clock * DAY_MS) / 1000, UTC).replace(microsecond=0)

    def mark(self, pattern: str, post: Post) -> str:
        number = sha256(f"{self.build} {post.n}".encode()).hexdigest()[:8]
        return pattern.format(n=post.n, low=post.n % 6, slug=post.slug, build=number)

    def text(self, post: Post) -> str:
        return post.text[:60] if self.site.excerpts == "yes" else f"<p>{post.text}</p>{markup_of(post.n)}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _rss(blog: WeeklyBlog, posts: Iterable[Post]) -> bytes:
    items = []
    for post in posts:
        guid, date = blog.mark(blog.site.guid, post), blog.date(post)
        items.append(
            f"<item><title>{post.title}</title><link>{blog.mark(blog.site.link, post)}</link>"
            + (f"<guid isPermaLink='false'>{guid}</guid>" if len(guid) > 0 else "")
            + (f"<pubDate>{format_datetime(date)}</pubDate>" if date is not None else "")
            + f"<category>{post.category}</category>"
            + f"<description>{_escaped(blog.text(post))}</description></item>"
        )
    home = "<link>https://www.example.net/</link>" if blog.site.names == "yes" else ""
    head = f"<rss version='2.0'><channel><title>{blog.site.title}</title>{home}"
    return (head + "".join(items) + "</channel></rss>").encode()


def _atom(blog: WeeklyBlog, posts: Iterable[Post]) -> bytes:
    entries = []
    for post in posts:
        date = blog.date(post)
        entries.append(
            f"<entry><id>{blog.mark(blog.site.guid, post)}</id><title>{post.title}</title>"
            f"<link href='{blog.mark(blog.site.link, post)}'/><category term='{post.category}'/>"
            + (f"<published>{date.isoformat()}</published>" if date is not None else "")
            + f"<content type='html'>{_escaped(blog.text(post))}</content></entry>"
        )
    head = (
        f"<feed xmlns='http://www.w3.org/2005/Atom'><id>urn:feed</id><title>{blog.site.title}</title>"
        "<link href='https://www.example.net/'/>"
    )
    return (head + "".join(entries) + "</feed>").encode()


def _json(blog: WeeklyBlog, posts: Iterable[Post]) -> bytes:
    items = []
    for post in posts:
        date = blog.date(post)
        item = {
            "id": blog.mark(blog.site.guid, post),
            "url": blog.mark(blog.site.link, post),
            "title": post.title,
            "content_html": blog.text(post),
            "tags": [post.category],
        }
        items.append(item if date is None else item | {"date_published": date.isoformat()})
    told = {"version": "https://jsonfeed.org/version/1.1", "title": blog.site.title, "items": items}
    return json.dumps(told).encode()


_FORMS: Mapping[str, Callable[[WeeklyBlog, Iterable[Post]], bytes]] = {
    "rss": _rss,
    "atom": _atom,
    "json": _json,
}
