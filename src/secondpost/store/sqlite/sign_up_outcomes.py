"""What came of sign-ups, for the owner: by a keyed hash of the address, so many, and not for long."""

from collections.abc import Awaitable

import apsw

from secondpost.mail.address import Mailbox
from secondpost.store.sqlite.readers import READER_QUERIES, SqliteReaders
from secondpost.store.subscriber_ports import SignedUp, SignUpCounts, SignUpOutcome
from secondpost.store.verbs.steps import number

OUTCOMES_MAX = 50_000  # that are remembered: some 6 MB


class SqliteSignUpOutcomes(SqliteReaders):
    def note_sign_up(
        self, newsletter: str, mailbox: Mailbox, at_ms: int, how: str, outcome: SignedUp
    ) -> Awaitable[None]:
        hash = self.hash_of(mailbox)
        return self._writer.change(lambda db: note_outcome(db, newsletter, hash, at_ms, how, outcome))

    def sign_ups_of(self, newsletter: str, mailbox: Mailbox, limit: int) -> list[SignUpOutcome]:
        rows = self._read(READER_QUERIES["outcomes_of"], (self.hash_of(mailbox), newsletter, limit))
        return [
            SignUpOutcome(number(at_ms), str(how), SignedUp(str(outcome)), confirmed == 1)
            for at_ms, how, outcome, confirmed in rows
        ]

    def sign_up_counts(self, newsletter: str, since_ms: int) -> SignUpCounts:
        outcomes, confirmed = dict.fromkeys(SignedUp, 0), 0
        for outcome, many, answered in self._read(READER_QUERIES["outcome_counts"], (newsletter, since_ms)):
            outcomes[SignedUp(str(outcome))] = number(many)
            confirmed += number(answered)
        return SignUpCounts(outcomes, confirmed)


def note_outcome(
    db: apsw.Connection, newsletter: str, hash: bytes, at_ms: int, how: str, outcome: SignedUp
) -> None:
    db.execute(READER_QUERIES["note_outcome"], (newsletter, hash, at_ms, how, outcome.value))
    db.execute(READER_QUERIES["bound_outcomes"], (OUTCOMES_MAX,))
