"""Copies that the owner asks for to look at: a mail to an address that is no reader's."""

from collections.abc import Awaitable

import apsw

from secondpost.mail.address import Mailbox
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import NOBODY, subscriber_key
from secondpost.store.sqlite.group import CHANGE_UNITS
from secondpost.store.sqlite.readers import READER_QUERIES, SqliteReaders
from secondpost.store.verbs.engine import OCTETS_PER_UNIT


class SqliteCopies(SqliteReaders):
    def send_copy(
        self, newsletter: str, mailbox: Mailbox, message: QueueId, content: bytes, at_ms: int
    ) -> Awaitable[bool]:
        hash, size = self.hash_of(mailbox), len(content)

        def write(db: apsw.Connection) -> bool:
            self.recognise_in(db, [subscriber_key(mailbox)])
            if len(db.execute(READER_QUERIES["suppression"], (hash, newsletter)).fetchall()) > 0:
                return False
            db.execute(READER_QUERIES["add_own_domain"], (mailbox.domain.name,))
            db.execute(READER_QUERIES["add_own_message"], (message, size, at_ms))
            db.execute(READER_QUERIES["confirm_content"], (message, content))
            row = (message, mailbox.domain.name, str(mailbox), size, at_ms, NOBODY)
            db.execute(READER_QUERIES["add_copy"], row)
            return True

        return self._writer.change(write, CHANGE_UNITS + size // OCTETS_PER_UNIT)
