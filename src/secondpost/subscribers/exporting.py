"""Writes readers as CSV, page by page: a spreadsheet shows it, and importing reads the same list again.

Cells that a spreadsheet would compute begin with an apostrophe: an address may well start with `=`.
"""

import csv
from collections.abc import Iterator, Sequence
from itertools import groupby

from secondpost.mail.subscriber import SubscriberId, SubscriberState
from secondpost.store.subscriber_ports import HashedSuppression, Subscribers
from secondpost.subscribers.cells import safe_cell
from secondpost.subscribers.own_export import COLUMNS, hash_cells, reader_cells

PAGE_READERS = 1_000
PAGE_STRANGERS = 50_000  # each page looks at all readers


def exported(subscribers: Subscribers, newsletter: str, states: Sequence[SubscriberState]) -> Iterator[str]:
    """Line by line, ended by CRLF (RFC 4180), the head first. No states means all, and with them the hashes
    of those who are suppressed and no readers.
    """
    yield _line(COLUMNS)
    after: SubscriberId | None = None
    while True:
        page = subscribers.readers(newsletter, states, after, PAGE_READERS)
        for subscriber in page:
            yield _line(reader_cells(subscriber, subscribers.suppressions(newsletter, subscriber.mailbox)))
        if len(page) < PAGE_READERS:
            break
        after = page[-1].id
    if len(states) == 0:
        yield from _strangers(subscribers, newsletter)


def _strangers(subscribers: Subscribers, newsletter: str) -> Iterator[str]:
    """One line for each hash, which may be suppressed here and everywhere."""
    every = _hashed(subscribers, newsletter)
    for (key, hash), rows in groupby(every, lambda one: (one.key, one.hash)):
        yield _line(hash_cells(hash, key, [one.suppression for one in rows]))


def _hashed(subscribers: Subscribers, newsletter: str) -> Iterator[HashedSuppression]:
    after: HashedSuppression | None = None
    while True:
        page = subscribers.suppressed_strangers(newsletter, after, PAGE_STRANGERS)
        yield from page
        if len(page) < PAGE_STRANGERS:
            return
        after = page[-1]


class _Line:
    """The one that the csv writer has written last."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text = text


def _line(cells: Sequence[str]) -> str:
    line = _Line()
    csv.writer(line).writerow([safe_cell(cell) for cell in cells])
    return line.text
