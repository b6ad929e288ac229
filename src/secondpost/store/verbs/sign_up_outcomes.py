"""Outcomes of sign-ups for the owner, by keyed hash of the address; limited in number and age."""

from collections.abc import Awaitable

from secondpost.mail.address import Mailbox
from secondpost.store.subscriber_ports import SignedUp, SignUpCounts, SignUpOutcome
from secondpost.store.verbs.engine import Verbs
from secondpost.store.verbs.steps import Steps, number, rows, run
from secondpost.store.verbs.suppressed import hash_keys

OUTCOMES_MAX = 50_000  # kept; about 6 MB


class SignUpOutcomesVerbs(Verbs):
    def note_sign_up(
        self, newsletter: str, mailbox: Mailbox, at_ms: int, how: str, outcome: SignedUp
    ) -> Awaitable[None]:
        def write() -> Steps[None]:
            hashing = yield from hash_keys()
            yield from note_outcome(newsletter, hashing.hash_of(mailbox), at_ms, how, outcome)

        return self._engine.change(write)

    async def sign_ups_of(self, newsletter: str, mailbox: Mailbox, limit: int) -> list[SignUpOutcome]:
        return await self._engine.read(_sign_ups_of(newsletter, mailbox, limit))

    async def sign_up_counts(self, newsletter: str, since_ms: int) -> SignUpCounts:
        outcomes, confirmed = dict.fromkeys(SignedUp, 0), 0
        found = await self._engine.read(rows("readers.outcome_counts", newsletter, since_ms))
        for outcome, many, answered in found:
            outcomes[SignedUp(str(outcome))] = number(many)
            confirmed += number(answered)
        return SignUpCounts(outcomes, confirmed)


def _sign_ups_of(newsletter: str, mailbox: Mailbox, limit: int) -> Steps[list[SignUpOutcome]]:
    hash = (yield from hash_keys()).hash_of(mailbox)
    return [
        SignUpOutcome(number(at_ms), str(how), SignedUp(str(outcome)), confirmed == 1)
        for at_ms, how, outcome, confirmed in (
            yield from rows("readers.outcomes_of", hash, newsletter, limit)
        )
    ]


def note_outcome(newsletter: str, hash: bytes, at_ms: int, how: str, outcome: SignedUp) -> Steps[None]:
    [(id,)] = yield from rows("readers.note_outcome", newsletter, hash, at_ms, how, outcome.value)
    yield from run("readers.bound_outcomes", number(id) - OUTCOMES_MAX)
