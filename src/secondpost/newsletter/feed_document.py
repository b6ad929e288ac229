"""The contents of a feed in terms common to Atom, RSS and JSON Feed; nothing is cleaned or judged
yet.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    is_markup: bool
    base: str = ""  # base URL of relative links, where the document gives one


NO_TEXT = Text("", is_markup=False)


@dataclass(frozen=True, slots=True)
class FeedEntry:
    guid: str
    links: tuple[str, ...]  # page, permalink, then files: the first usable one is the link
    title: Text
    summary: Text
    contents: tuple[Text, ...]  # variants of the whole text, best first
    captions: tuple[Text, ...]  # captions of its picture, film or sound, used if there is no text
    authors: tuple[str, ...]  # as written, addresses included
    published_ms: int | None
    categories: tuple[str, ...]
    pictures: tuple[str, ...]  # best first; may be relative
    thumbnails: tuple[str, ...] = ()  # too small to be preferred to a picture in the text
    language: str = ""  # as written; "": the feed's


@dataclass(frozen=True, slots=True)
class FeedDocument:
    title: Text
    identity: str  # its id or self link
    home: str  # the page that the feed belongs to
    generator: str
    entries: tuple[FeedEntry, ...]
    broken: int = 0  # unreadable entries
    older: str = ""  # the next page (RFC 5005); this and the next ones as written
    hub: str = ""
    self_link: str = ""
    refresh_ms: int = 0  # least time between two fetches, as asked for; 0: not stated


class Unreadable(Exception):
    """The document is not a feed. The text is a sentence for the owner."""
