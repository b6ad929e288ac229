"""A reader list for tests: octets or text, and how it is interpreted."""

import io
from collections.abc import Mapping
from types import MappingProxyType
from typing import IO

from secondpost.mail.address import Domain
from secondpost.subscribers.list_columns import OwnersWord
from secondpost.subscribers.list_document import Octets
from secondpost.subscribers.list_files import parts_of
from secondpost.subscribers.list_look import look_through
from secondpost.subscribers.list_report import ListReport
from secondpost.subscribers.list_rows import BadRow, ListRow, RowVerdict
from secondpost.subscribers.meanings import Meaning, Plain, ReaderStanding, folded
from secondpost.subscribers.own_export import OwnColumns
from tests.clock import START_MS as NOW_MS

NO_WORD = OwnersWord()
NO_COLUMNS: Mapping[str, Meaning] = MappingProxyType({})
NO_WORDS: Mapping[str, RowVerdict] = MappingProxyType({})


def opened(list_: str | bytes) -> Octets:
    octets = list_.encode() if isinstance(list_, str) else list_

    def again() -> IO[bytes]:
        return io.BytesIO(octets)

    return again


def owners_word(
    columns: Mapping[str, Meaning] = NO_COLUMNS,
    words: Mapping[str, RowVerdict] = NO_WORDS,
    whole: ReaderStanding | None = None,
) -> OwnersWord:
    """The owner's options, with the names and words as in the list."""
    return OwnersWord(
        {folded(name): meaning for name, meaning in columns.items()},
        {folded(name): verdict for name, verdict in words.items()},
        whole,
    )


def understood(
    list_: str | bytes,
    word: OwnersWord = NO_WORD,
    name: str = "readers.csv",
    own: frozenset[Domain] = frozenset(),
) -> ListReport:
    addresses = [column for column, meaning in word.columns.items() if meaning is Plain.ADDRESS]
    parts = parts_of(name, opened(list_), addresses[0] if len(addresses) > 0 else None)
    return look_through(parts, word, own, lambda lines: None)


def rows(list_: str | bytes, word: OwnersWord = NO_WORD) -> list[ListRow]:
    return rows_of(understood(list_, word))


def rows_of(report: ListReport) -> list[ListRow]:
    found: list[ListRow] = []
    for told in report.parts:
        own = OwnColumns.of("weekly", told.part.head) if told.is_own else None
        for record in told.part.records():
            if isinstance(record, BadRow):
                found.append(record)
            elif own is not None:
                found.append(own.row(*record, NOW_MS))
            else:
                found.append(told.columns.row(*record))
    return found
