"""Writes readers as CSV, page by page, so that a spreadsheet shows it and importing reads it again.

Cells that a spreadsheet would compute begin with an apostrophe: an address may well start with `=`.
"""

import csv
import json
from collections.abc import Iterator, Sequence

from secondpost.mail.subscriber import Subscriber, SubscriberId, SubscriberState
from secondpost.store.subscriber_ports import Subscribers
from secondpost.subscribers.leave import moment_text
from secondpost.subscribers.lists import safe_cell

PAGE_READERS = 1_000
COLUMNS = (
    "email", "state", "since", "created", "agreed_where", "agreed_how", "agreed_at", "suppressed",
    "attributes",
)  # fmt: skip


def exported(subscribers: Subscribers, newsletter: str, states: Sequence[SubscriberState]) -> Iterator[str]:
    """Line by line, ended by CRLF (RFC 4180), the head first. No states means all."""
    yield _line(COLUMNS)
    after: SubscriberId | None = None
    while True:
        page = subscribers.readers(newsletter, states, after, PAGE_READERS)
        for subscriber in page:
            suppression = subscribers.suppression(newsletter, subscriber.mailbox)
            yield _line(cells_of(subscriber, is_suppressed=suppression is not None))
        if len(page) < PAGE_READERS:
            return
        after = page[-1].id


def cells_of(subscriber: Subscriber, *, is_suppressed: bool) -> tuple[str, ...]:
    consent = subscriber.consent
    return (
        str(subscriber.mailbox),
        subscriber.state.value,
        moment_text(subscriber.since_ms),
        moment_text(subscriber.created_ms),
        "" if consent is None else consent.where,
        "" if consent is None else consent.how,
        "" if consent is None else moment_text(consent.at_ms),
        "yes" if is_suppressed else "",
        ""
        if len(subscriber.attributes) == 0
        else json.dumps(dict(subscriber.attributes), ensure_ascii=False),
    )


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
