"""Write readers as CSV, one page at a time; importing reads the result back.

Cells that a spreadsheet would evaluate are prefixed with an apostrophe: an address may begin with
`=`.
"""

import csv
from collections.abc import AsyncIterator, Sequence

from secondpost.mail.subscriber import SubscriberId, SubscriberState
from secondpost.store.subscriber_ports import HashedSuppression, Subscribers
from secondpost.subscribers.cells import safe_cell
from secondpost.subscribers.own_export import COLUMNS, hash_cells, reader_cells

PAGE_READERS = 1_000
PAGE_STRANGERS = 50_000  # large, because each page compares its hashes with all readers


async def exported(
    subscribers: Subscribers, newsletter: str, states: Sequence[SubscriberState]
) -> AsyncIterator[str]:
    """Yield the header and then one line per reader, each ended by CRLF (RFC 4180).

    An empty `states` means all readers, followed by the hashes of suppressed addresses that are not
    readers.
    """
    yield _line(COLUMNS)
    after: SubscriberId | None = None
    while True:
        page = await subscribers.readers(newsletter, states, after, PAGE_READERS)
        for subscriber in page:
            yield _line(
                reader_cells(subscriber, await subscribers.suppressions(newsletter, subscriber.mailbox))
            )
        if len(page) < PAGE_READERS:
            break
        after = page[-1].id
    if len(states) == 0:
        async for line in _strangers(subscribers, newsletter):
            yield line


async def _strangers(subscribers: Subscribers, newsletter: str) -> AsyncIterator[str]:
    """Yield one line per hash; a hash may be suppressed for this newsletter and for all of them."""
    same: list[HashedSuppression] = []
    async for one in _hashed(subscribers, newsletter):
        if len(same) > 0 and (one.key, one.hash) != (same[0].key, same[0].hash):
            yield _hash_line(same)
            same = []
        same.append(one)
    if len(same) > 0:
        yield _hash_line(same)


async def _hashed(subscribers: Subscribers, newsletter: str) -> AsyncIterator[HashedSuppression]:
    after: HashedSuppression | None = None
    while True:
        page = await subscribers.suppressed_strangers(newsletter, after, PAGE_STRANGERS)
        for one in page:
            yield one
        if len(page) < PAGE_STRANGERS:
            return
        after = page[-1]


def _hash_line(same: Sequence[HashedSuppression]) -> str:
    return _line(hash_cells(same[0].hash, same[0].key, [one.suppression for one in same]))


class _Line:
    """File object that keeps only the last line the csv writer wrote."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text = text


def _line(cells: Sequence[str]) -> str:
    line = _Line()
    csv.writer(line).writerow([safe_cell(cell) for cell in cells])
    return line.text
