"""A process that only parses feeds: `python -m secondpost.processes.feed_reader`."""

import sys

import msgspec

from secondpost.mail.article import FeedAnswered
from secondpost.newsletter.feeds import read_feed
from secondpost.processes.bounded_reader import ReaderBounds, serve_documents
from secondpost.protocols.feed_questions import answered_line

MEMORY_OCTETS_MAX = 1_024 * 1_024 * 1_024  # of address space, with the interpreter and its libraries
CPU_SECONDS_MAX = 20  # per document


class FeedDocumentOrder(msgspec.Struct, frozen=True):
    """A document to parse. `url` is the one that answered, after all redirects."""

    body: bytes
    content_type: str
    url: str


def _answer(order: bytes) -> bytes:
    document = msgspec.msgpack.decode(order, type=FeedDocumentOrder)
    return answered_line(FeedAnswered(read_feed(document.body, document.content_type, document.url)))


def main() -> int:
    return serve_documents(_answer, ReaderBounds(MEMORY_OCTETS_MAX, CPU_SECONDS_MAX))


if __name__ == "__main__":
    sys.exit(main())
