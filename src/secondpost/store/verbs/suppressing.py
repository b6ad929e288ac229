"""Suppress addresses, by our own hashes and those of other stores."""

from collections.abc import Awaitable, Sequence

from secondpost.mail.address import Mailbox
from secondpost.mail.subscriber import SubscriberId, subscriber_key
from secondpost.mail.subscriber_states import Reason
from secondpost.store.subscriber_ports import BATCH_READERS_MAX, HashedSuppression, Suppression
from secondpost.store.verbs import suppressed as people
from secondpost.store.verbs.engine import CHANGE_UNITS, Verbs
from secondpost.store.verbs.steps import Row, Steps, number, octets, rows, run
from secondpost.store.verbs.suppressed import (
    OWN_KEY,
    hash_keys,
    keyed_hash,
    recognise,
    suppress_each,
    suppression_of,
)


class SuppressingVerbs(Verbs):
    def suppress(
        self, newsletter: str, mailboxes: Sequence[Mailbox], reason: Reason, at_ms: int, evidence: str
    ) -> Awaitable[int]:
        check_size(len(mailboxes))

        def write() -> Steps[int]:
            hashing = yield from recognise([subscriber_key(mailbox) for mailbox in mailboxes])
            hashes = [hashing.hash_of(mailbox) for mailbox in mailboxes]
            return (yield from people.suppress(hashes, newsletter, reason, at_ms, evidence))

        return self._engine.change(write, CHANGE_UNITS + len(mailboxes))

    def unsuppress(self, newsletter: str, mailbox: Mailbox) -> Awaitable[bool]:
        def write() -> Steps[bool]:
            hashing = yield from recognise([subscriber_key(mailbox)])
            return (yield from run("suppressing.unsuppress", hashing.hash_of(mailbox), newsletter)) == 1

        return self._engine.change(write)

    def suppress_hashes(self, hashed: Sequence[HashedSuppression]) -> Awaitable[int]:
        check_size(len(hashed))

        def write() -> Steps[int]:
            for key in sorted({one.key for one in hashed}):
                yield from run("suppressing.add_key", f"{OWN_KEY} {key.hex()}", key)
            return (yield from suppress_each(hashed))

        return self._engine.change(write, CHANGE_UNITS + len(hashed))

    def recognise(self, after: SubscriberId | None, limit: int) -> Awaitable[SubscriberId | None]:
        check_size(limit)
        behind = 0 if after is None else after

        def write() -> Steps[SubscriberId | None]:
            found = yield from rows("suppressing.keys_behind", behind, limit)
            yield from recognise([str(key) for _, key in found])
            return SubscriberId(number(found[-1][0])) if len(found) > 0 else None

        return self._engine.change(write, CHANGE_UNITS + limit)

    async def suppression(self, newsletter: str, mailbox: Mailbox) -> Suppression | None:
        found = await self.suppressions(newsletter, mailbox)
        # Permanent suppressions first, then those for all newsletters.
        return min(found, key=lambda each: (each.yields, each.newsletter), default=None)

    async def suppressions(self, newsletter: str, mailbox: Mailbox) -> list[Suppression]:
        return await self._engine.read(_suppressions(newsletter, mailbox))

    async def suppressed_count(self, newsletter: str) -> int:
        [(many,)] = await self._engine.read(rows("suppressing.suppressed_count", newsletter))
        return number(many)

    async def suppressed_strangers(
        self, newsletter: str, after: HashedSuppression | None, limit: int
    ) -> list[HashedSuppression]:
        behind: Row = (b"", b"", "")
        if after is not None:
            behind = (after.key, after.hash, after.suppression.newsletter)
        found = await self._engine.read(rows("suppressing.suppressed_strangers", newsletter, *behind, limit))
        return [
            HashedSuppression(octets(hash), octets(key), suppression_of(tuple(said)))
            for key, hash, *said in found
        ]


def _suppressions(newsletter: str, mailbox: Mailbox) -> Steps[list[Suppression]]:
    hashing, key = (yield from hash_keys()), subscriber_key(mailbox)
    hashes: list[Row] = [(keyed_hash(key, secret),) for secret in (hashing.own, *hashing.others)]
    return [
        suppression_of(row)
        for row in (yield from rows("suppressing.suppressions", newsletter, chosen=hashes))
    ]


def check_size(readers: int) -> None:
    if readers > BATCH_READERS_MAX:
        raise ValueError(f"{readers} at once: at most {BATCH_READERS_MAX}")
