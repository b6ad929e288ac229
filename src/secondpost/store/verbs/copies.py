"""Test copies: mails to an address that need not be a reader's."""

from collections.abc import Awaitable

from secondpost.mail.address import Mailbox
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import NO_SUBSCRIBER, subscriber_key
from secondpost.store.verbs.engine import CHANGE_UNITS, OCTETS_PER_UNIT, Verbs
from secondpost.store.verbs.known_readers import OwnMail, send_own
from secondpost.store.verbs.steps import Steps
from secondpost.store.verbs.suppressed import Suppressed, recognise, suppressed


class CopiesVerbs(Verbs):
    def send_copy(
        self, newsletter: str, mailbox: Mailbox, message: QueueId, content: bytes, at_ms: int
    ) -> Awaitable[bool]:
        def write() -> Steps[bool]:
            hashing = yield from recognise([subscriber_key(mailbox)])
            standing = yield from suppressed(newsletter, hashing.hash_of(mailbox))
            if standing is not Suppressed.NOT:
                return False
            mail = OwnMail(message, at_ms, content)
            yield from send_own(mail, mailbox.domain.name, str(mailbox), NO_SUBSCRIBER)
            return True

        return self._engine.change(write, CHANGE_UNITS + len(content) // OCTETS_PER_UNIT)
