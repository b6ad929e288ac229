"""What stands in a feed, in words common to Atom, RSS and JSON Feed; nothing is cleaned or judged yet."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    is_markup: bool
    base: str = ""  # what relative links in it refer to, where the document says so


NO_TEXT = Text("", is_markup=False)


@dataclass(frozen=True, slots=True)
class FeedEntry:
    guid: str
    links: tuple[str, ...]  # the page, the permalink, then files: the first that leads anywhere is the link
    title: Text
    summary: Text
    contents: tuple[Text, ...]  # forms of the whole text, the richest first
    captions: tuple[Text, ...]  # words about its picture, film or sound: the text where there is no other
    authors: tuple[str, ...]  # as they are written, addresses included
    published_ms: int | None
    categories: tuple[str, ...]
    pictures: tuple[str, ...]  # its own, the best first; may be relative
    thumbnails: tuple[str, ...] = ()  # too small to come before a picture in the text
    language: str = ""  # of its words, as it is written; else of the feed's


@dataclass(frozen=True, slots=True)
class FeedDocument:
    title: Text
    identity: str  # its own id or self link
    home: str  # the page that it is the feed of
    generator: str
    entries: tuple[FeedEntry, ...]
    broken: int = 0  # entries that cannot be read


class Unreadable(Exception):
    """The document is no feed. The text is a sentence for the owner."""
