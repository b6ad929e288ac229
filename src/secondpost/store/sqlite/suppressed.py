"""Addresses that get nothing: how one comes to be, and what a sign-up of its own may lift."""

from collections.abc import Sequence
from enum import Enum

import apsw

from secondpost.mail.subscriber_states import LIFTED_BY, By, Reason
from secondpost.store.sqlite.base import as_json
from secondpost.store.sqlite.readers import READER_QUERIES


class Suppressed(Enum):
    NOT = "not"
    YIELDING = "yielding"  # until the person confirms a new sign-up
    FOR_GOOD = "for good"


def suppressed(db: apsw.Connection, newsletter: str, hash: bytes) -> Suppressed:
    for *_, yields in db.execute(READER_QUERIES["suppression"], (hash, newsletter)).fetchall():
        return Suppressed.YIELDING if yields == 1 else Suppressed.FOR_GOOD
    return Suppressed.NOT


def suppress_hashes(
    db: apsw.Connection, hashes: Sequence[bytes], newsletter: str, why: Reason, at_ms: int, evidence: str
) -> int:
    """How many were not suppressed before, or only until they sign up."""
    listed, yields = as_json([hash.hex() for hash in hashes]), By.READER in LIFTED_BY[why]
    db.execute(READER_QUERIES["suppress"], (listed, newsletter, why.value, at_ms, evidence, int(yields)))
    return db.changes()
