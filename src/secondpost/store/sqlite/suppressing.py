"""Who gets nothing: addresses that are suppressed, by our own hashes and by those of other stores."""

from collections.abc import Awaitable, Sequence

import apsw

from secondpost.mail.address import Mailbox
from secondpost.mail.subscriber import SubscriberId, subscriber_key
from secondpost.mail.subscriber_states import Reason
from secondpost.store.sqlite.base import as_json
from secondpost.store.sqlite.group import CHANGE_UNITS
from secondpost.store.sqlite.readers import READER_QUERIES, SqliteReaders, octets, suppression_of
from secondpost.store.sqlite.suppressed import suppress_hashes
from secondpost.store.subscriber_ports import BATCH_READERS_MAX, HashedSuppression
from secondpost.store.verbs.steps import number


class SqliteSuppressing(SqliteReaders):
    def suppress(
        self, newsletter: str, mailboxes: Sequence[Mailbox], reason: Reason, at_ms: int, evidence: str
    ) -> Awaitable[int]:
        check_size(len(mailboxes))
        hashes = [self.hash_of(mailbox) for mailbox in mailboxes]
        keys = [subscriber_key(mailbox) for mailbox in mailboxes]

        def write(db: apsw.Connection) -> int:
            self.recognise_in(db, keys)
            return suppress_hashes(db, hashes, newsletter, reason, at_ms, evidence)

        return self._writer.change(write, CHANGE_UNITS + len(mailboxes))

    def unsuppress(self, newsletter: str, mailbox: Mailbox) -> Awaitable[bool]:
        hash, key = self.hash_of(mailbox), subscriber_key(mailbox)

        def write(db: apsw.Connection) -> bool:
            self.recognise_in(db, [key])
            db.execute(READER_QUERIES["unsuppress"], (hash, newsletter))
            return db.changes() == 1

        return self._writer.change(write)

    def suppress_hashes(self, rows: Sequence[HashedSuppression]) -> Awaitable[int]:
        check_size(len(rows))

        def write(db: apsw.Connection) -> int:
            for key in {row.key for row in rows}:
                db.execute(READER_QUERIES["add_suppression_key"], (key,))
            return suppress_each(db, rows)

        return self._writer.change(write, CHANGE_UNITS + len(rows))

    def recognise(self, after: SubscriberId | None, limit: int) -> Awaitable[SubscriberId | None]:
        check_size(limit)

        def write(db: apsw.Connection) -> SubscriberId | None:
            behind = 0 if after is None else after
            rows = db.execute(READER_QUERIES["keys_behind"], (behind, limit)).fetchall()
            self.recognise_in(db, [str(key) for _, key in rows])
            return SubscriberId(number(rows[-1][0])) if len(rows) > 0 else None

        return self._writer.change(write, CHANGE_UNITS + limit)

    def suppressed_strangers(
        self, newsletter: str, after: HashedSuppression | None, limit: int
    ) -> list[HashedSuppression]:
        behind = (b"", b"", "") if after is None else (after.key, after.hash, after.suppression.newsletter)
        rows = self._read(READER_QUERIES["suppressed_strangers"], (newsletter, *behind, limit))
        return [
            HashedSuppression(octets(hash), octets(key), suppression_of(tuple(told)))
            for key, hash, *told in rows
        ]


def suppress_each(db: apsw.Connection, rows: Sequence[HashedSuppression]) -> int:
    """How many were not suppressed before."""
    told = as_json(
        [
            [
                row.hash.hex(),
                one.newsletter,
                one.reason.value,
                one.at_ms,
                one.evidence,
                row.key.hex(),
                int(one.yields),
            ]
            for row in rows
            for one in (row.suppression,)
        ]
    )
    db.execute(READER_QUERIES["suppress_each"], (told,))
    return db.changes()


def check_size(readers: int) -> None:
    if readers > BATCH_READERS_MAX:
        raise ValueError(f"{readers} at once: at most {BATCH_READERS_MAX}")
