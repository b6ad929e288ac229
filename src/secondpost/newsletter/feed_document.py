"""What stands in a feed, in words common to Atom, RSS and JSON Feed; nothing is cleaned or judged yet."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    is_markup: bool


NO_TEXT = Text("", is_markup=False)


@dataclass(frozen=True, slots=True)
class Entry:
    guid: str
    link: str  # may be relative
    base: str  # what relative links refer to, where the document says so; else ""
    title: Text
    summary: Text
    content: Text
    author: str
    published_ms: int | None
    categories: tuple[str, ...]
    language: str = ""  # of its words, as it is written; else of the feed's


@dataclass(frozen=True, slots=True)
class Document:
    title: Text
    identity: str  # its own id or self link
    home: str  # the page that it is the feed of
    generator: str
    entries: tuple[Entry, ...]


class Unreadable(Exception):
    """The document is no feed. The text is a sentence for the owner."""
