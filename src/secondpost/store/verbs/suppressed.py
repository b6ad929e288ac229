"""Suppressed addresses as keyed hashes: adding them, and what a sign-up may lift."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from secondpost.mail.address import Mailbox
from secondpost.mail.subscriber import subscriber_key
from secondpost.mail.subscriber_states import LIFTED_BY, Reason, SubscriberActor
from secondpost.store.subscriber_ports import HashedSuppression, Suppression
from secondpost.store.verbs.steps import Row, Steps, number, octets, rows, run

HASH_OCTETS = 16
OWN_KEY = "suppression"  # other stores' keys are "suppression …"


class Suppressed(Enum):
    NOT = "not"
    YIELDING = "yielding"  # until the reader confirms a new sign-up
    FOR_GOOD = "for good"


@dataclass(frozen=True, slots=True)
class HashKeys:
    """The hash keys: ours, and those of other stores whose exports were imported."""

    own: bytes
    others: tuple[bytes, ...]

    def hash_of(self, mailbox: Mailbox) -> bytes:
        """The hash of an address: all that is stored of it once it is suppressed."""
        return keyed_hash(subscriber_key(mailbox), self.own)


def keyed_hash(key: str, secret: bytes) -> bytes:
    """The hash of a reader's key."""
    return hashlib.blake2b(key.encode("utf-8"), digest_size=HASH_OCTETS, key=secret).digest()


def hash_keys() -> Steps[HashKeys]:
    named = {str(name): octets(data) for name, data in (yield from rows("suppressing.keys"))}
    return HashKeys(named.pop(OWN_KEY), tuple(named.values()))


def recognise(keys: Sequence[str]) -> Steps[HashKeys]:
    """Replace other stores' hashes of these readers by ours; run it before asking which of them are
    suppressed.
    """
    hashing = yield from hash_keys()
    for other in hashing.others:
        pairs = [(keyed_hash(key, other), keyed_hash(key, hashing.own)) for key in sorted(set(keys))]
        yield from run("suppressing.recognise", chosen=pairs)
        yield from run("suppressing.forget_recognised", chosen=[(theirs,) for theirs, _ in pairs])
    return hashing


def suppressed(newsletter: str, hash: bytes) -> Steps[Suppressed]:
    for *_, yields in (yield from rows("suppressing.suppression", hash, newsletter)):
        return Suppressed.YIELDING if yields == 1 else Suppressed.FOR_GOOD
    return Suppressed.NOT


def suppress(hashes: Sequence[bytes], newsletter: str, why: Reason, at_ms: int, evidence: str) -> Steps[int]:
    """Suppress addresses; returns how many were not suppressed before, or only until they sign up."""
    yields = int(SubscriberActor.READER in LIFTED_BY[why])
    chosen: list[Row] = [(hash,) for hash in sorted(set(hashes))]
    return (
        yield from run("suppressing.suppress", newsletter, why.value, at_ms, evidence, yields, chosen=chosen)
    )


def suppress_each(hashed: Sequence[HashedSuppression]) -> Steps[int]:
    """Suppress addresses, each with its own reason; returns how many were not suppressed before, or
    only until they sign up.
    """
    firmest: dict[tuple[bytes, str], HashedSuppression] = {}
    for one in hashed:
        place = (one.hash, one.suppression.newsletter)
        before = firmest.setdefault(place, one)
        if before.suppression.yields and not one.suppression.yields:
            firmest[place] = one
    if len(firmest) == 0:
        return 0
    return (
        yield from run("suppressing.suppress_each", chosen=[_hashed_row(one) for one in firmest.values()])
    )


def suppression_of(row: Row) -> Suppression:
    where, reason, at_ms, evidence, yields = row
    return Suppression(str(where), Reason(str(reason)), number(at_ms), str(evidence), yields == 1)


def _hashed_row(one: HashedSuppression) -> Row:
    said = one.suppression
    yields = int(said.yields)
    return (one.hash, said.newsletter, said.reason.value, said.at_ms, said.evidence, yields, one.key)
