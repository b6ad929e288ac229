"""Many readers, or many addresses that are not to be written to, at once: each batch is one short job."""

from collections.abc import Awaitable, Sequence

import apsw

from secondpost.mail.address import Mailbox
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, SubscriberId, SubscriberState
from secondpost.store.sqlite.base import BATCH_ROWS, as_json
from secondpost.store.sqlite.checkpoint import Checkpoints
from secondpost.store.sqlite.group import CHANGE_UNITS
from secondpost.store.sqlite.queries import number
from secondpost.store.sqlite.readers import ERASING, READER_QUERIES, SqliteReaders, add_consent, tell
from secondpost.store.sqlite.suppressed import suppress_hashes
from secondpost.store.subscriber_ports import BATCH_READERS_MAX, ImportCount, Imported, Reason

DAY_MS = 24 * 3_600_000


class SqliteImporting(SqliteReaders, Checkpoints):
    def import_batch(
        self,
        newsletter: str,
        lines: Sequence[Imported],
        state: SubscriberState,
        consent: Consent | None,
        at_ms: int,
        messages: Sequence[QueueId] = (),
    ) -> Awaitable[ImportCount]:
        _check_size(len(lines))
        if state not in (SubscriberState.PENDING, SubscriberState.ACTIVE):
            raise ValueError(f"nobody is imported as {state}")
        if state is SubscriberState.ACTIVE and consent is None:
            raise ValueError("readers are active only with a consent")
        if len(messages) not in (0, len(lines)):
            raise ValueError("there is a message for each line, or for none")
        named = messages if len(messages) > 0 else [None] * len(lines)
        told = as_json(
            [
                self.line(one.mailbox, one.attributes, message)
                for one, message in zip(lines, named, strict=True)
            ]
        )

        def write(db: apsw.Connection) -> ImportCount:
            [(suppressed,)] = db.execute(READER_QUERIES["count_suppressed"], (told, newsletter)).fetchall()
            [(last,)] = db.execute(READER_QUERIES["last_subscriber"]).fetchall()
            db.execute(READER_QUERIES["add_domains"], (told, "issues"))
            agreed = _shared_consent(db, consent)
            db.execute(READER_QUERIES["add_readers"], (told, newsletter, state.value, at_ms, agreed))
            added = db.changes()
            where = "" if consent is None else consent.where
            db.execute(READER_QUERIES["tell_added"], (last, "imported", where))
            asked = 0
            if len(messages) > 0 and state is SubscriberState.PENDING:
                db.execute(READER_QUERIES["add_domains"], (told, "own"))
                for query in ("ask_messages", "confirm_deliveries"):
                    db.execute(READER_QUERIES[query], (told, newsletter, 0, at_ms))
                asked = db.changes()
            known, confirmed = len(lines) - added - number(suppressed), 0
            if known > 0 and state is SubscriberState.ACTIVE:
                were_pending = (told, newsletter, at_ms, agreed)
                ids = [id for (id,) in db.execute(READER_QUERIES["confirm_pending"], were_pending).fetchall()]
                db.execute(READER_QUERIES["tell_confirmed"], (as_json(ids), where))
                confirmed = len(ids)
            return ImportCount(added, confirmed, number(suppressed), known - confirmed, asked)

        return self._change_some(write, CHANGE_UNITS + 2 * len(lines))

    def suppress(
        self, newsletter: str, mailboxes: Sequence[Mailbox], reason: Reason, at_ms: int, evidence: str
    ) -> Awaitable[int]:
        _check_size(len(mailboxes))
        hashes = [self.hash_of(mailbox) for mailbox in mailboxes]

        def write(db: apsw.Connection) -> int:
            return suppress_hashes(db, hashes, newsletter, reason, at_ms, evidence)

        return self._change_some(write, CHANGE_UNITS + len(mailboxes))

    def unsuppress(self, newsletter: str, mailbox: Mailbox) -> Awaitable[bool]:
        hash = self.hash_of(mailbox)

        def write(db: apsw.Connection) -> bool:
            db.execute(READER_QUERIES["unsuppress"], (hash, newsletter))
            return db.changes() == 1

        return self._writer.change(write)

    def forget_pending(self, since_before_ms: int) -> Awaitable[int]:
        now_ms = self._opened.clock.now_ms()

        def write(db: apsw.Connection) -> int:
            db.execute(READER_QUERIES["forget_sign_ups"], (now_ms - DAY_MS, BATCH_ROWS))
            db.execute(READER_QUERIES["forget_outcomes"], (since_before_ms, BATCH_ROWS))
            rows = db.execute(READER_QUERIES["pending_before"], (since_before_ms, BATCH_ROWS)).fetchall()
            for id in [SubscriberId(number(row[0])) for row in rows]:
                _forget(db, id, now_ms)
            return len(rows)

        return self._change_some(write, 2 * BATCH_ROWS)


def _forget(db: apsw.Connection, id: SubscriberId, now_ms: int) -> None:
    """One who never confirmed. Whoever had left has left again: else anybody could bring it about, with an
    address typed into the form, that a list makes them a reader.
    """
    if len(db.execute(READER_QUERIES["was_reader"], (id,)).fetchall()) > 0:
        db.execute(READER_QUERIES["lead"], (id, SubscriberState.LEFT.value, now_ms, None))
        tell(db, id, now_ms, "left", "never confirmed anew")
        return
    for query in ERASING:
        db.execute(READER_QUERIES[query], (id,))


def _shared_consent(db: apsw.Connection, consent: Consent | None) -> int | None:
    """All batches of one import agreed to the same: it is written once."""
    if consent is None:
        return None
    same = (consent.where, consent.how, consent.text, consent.at_ms, consent.address_prefix)
    for (id,) in db.execute(READER_QUERIES["same_consent"], same).fetchall():
        return number(id)
    return add_consent(db, consent)


def _check_size(readers: int) -> None:
    if readers > BATCH_READERS_MAX:
        raise ValueError(f"{readers} at once: at most {BATCH_READERS_MAX}")
