"""The keeper of people's view: one reader at a time. Many at once are in importing.py."""

import hashlib
from collections.abc import Awaitable, Sequence
from functools import cached_property

import apsw
import msgspec

from secondpost.mail.address import Mailbox
from secondpost.mail.issue import IssueId
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, Subscriber, SubscriberId, SubscriberState, subscriber_key
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.sqlite.base import Base, as_json
from secondpost.store.sqlite.queries import read_queries
from secondpost.store.subscriber_ports import Bounce, BounceKind, ReaderEvent, Suppression
from secondpost.store.subscriber_ports import Reason as Why
from secondpost.store.verbs.rows import mailbox_of
from secondpost.store.verbs.standing import reader_deliveries
from secondpost.store.verbs.steps import Row, Value, maybe_number, number

READER_QUERIES = read_queries("readers")
HASH_OCTETS = 16
# All that names a reader, in this order; what is counted stays counted.
ERASING = (
    "erase_consents",
    "erase_sign_ups",
    "erase_outcomes",
    "erase_events",
    "erase_bounces",
    "erase_told",
    "erase_deliveries",
    "erase_reader",
)
_ATTRIBUTES = msgspec.json.Decoder(tuple[tuple[str, str], ...])


def _reader_query(conditions: str) -> str:
    return READER_QUERIES["reader"].replace("{conditions}", conditions)


ONE_READER = _reader_query("WHERE reader.id = ?1")
_BY_KEY = _reader_query("WHERE newsletter = ?1 AND key = ?2")
_PAGE = _reader_query(
    "WHERE newsletter = ?1 AND reader.id > ?2 AND (?3 = '[]' OR state IN (SELECT value FROM json_each(?3))) "
    "ORDER BY reader.id LIMIT ?4"
)


class SqliteReaders(Base):
    """Looking, and what the verbs on readers share."""

    @cached_property
    def own_key(self) -> bytes:
        [(key,)] = self._read(READER_QUERIES["suppression_key"])
        return octets(key)

    def hash_of(self, mailbox: Mailbox) -> bytes:
        """By this alone an address is known among the suppressed."""
        return _hash(subscriber_key(mailbox), self.own_key)

    def recognise_in(self, db: apsw.Connection, keys: Sequence[str]) -> None:
        """Before it is asked which of the readers with these keys is suppressed: who is so by the hash
        of another store, which came with its export, is so by ours from now on.
        """
        others = db.execute(READER_QUERIES["other_suppression_keys"]).fetchall()
        if len(others) == 0:
            return
        pairs = as_json(
            [
                [_hash(key, octets(other)).hex(), _hash(key, self.own_key).hex()]
                for (other,) in others
                for key in keys
            ]
        )
        for query in ("recognise", "forget_recognised"):
            db.execute(READER_QUERIES[query], (pairs,))

    def line(
        self,
        mailbox: Mailbox,
        attributes: Sequence[tuple[str, str]] = (),
        message: QueueId | None = None,
    ) -> list[object]:
        """A line of add_readers and its kin."""
        key, hash = subscriber_key(mailbox), self.hash_of(mailbox).hex()
        told = attributes if len(attributes) > 0 else None
        return [str(mailbox), key, mailbox.domain.name, hash, told, message]

    def subscriber(self, id: SubscriberId) -> Subscriber | None:
        return first_reader(self._read(ONE_READER, (id,)))

    def find(self, newsletter: str, mailbox: Mailbox) -> Subscriber | None:
        return first_reader(self._read(_BY_KEY, (newsletter, subscriber_key(mailbox))))

    def readers(
        self, newsletter: str, states: Sequence[SubscriberState], after: SubscriberId | None, limit: int
    ) -> list[Subscriber]:
        wanted = as_json([state.value for state in states])
        behind = 0 if after is None else after
        return [reader_of(row) for row in self._read(_PAGE, (newsletter, behind, wanted, limit))]

    def reader_counts(self, newsletter: str) -> dict[SubscriberState, int]:
        counts = dict.fromkeys(SubscriberState, 0)
        for state, readers in self._read(READER_QUERIES["counts"], (newsletter,)):
            counts[SubscriberState(str(state))] = number(readers)
        return counts

    def suppression(self, newsletter: str, mailbox: Mailbox) -> Suppression | None:
        found = self.suppressions(newsletter, mailbox)
        # What stays goes first, then what is for all newsletters.
        return min(found, key=lambda each: (each.yields, each.newsletter), default=None)

    def suppressions(self, newsletter: str, mailbox: Mailbox) -> list[Suppression]:
        others = [octets(key) for (key,) in self._read(READER_QUERIES["other_suppression_keys"])]
        hashes = as_json([_hash(subscriber_key(mailbox), key).hex() for key in (self.own_key, *others)])
        return [
            suppression_of(row) for row in self._read(READER_QUERIES["suppressions"], (hashes, newsletter))
        ]

    def suppressed_count(self, newsletter: str) -> int:
        [(many,)] = self._read(READER_QUERIES["suppressed_count"], (newsletter,))
        return number(many)

    def events_of(self, id: SubscriberId) -> list[ReaderEvent]:
        return [
            ReaderEvent(
                number(n),
                id,
                number(at_ms),
                str(what),
                SubscriberState(str(state)),
                str(detail),
                consent_of(consent),
            )
            for n, at_ms, what, state, detail, *consent in self._read(READER_QUERIES["events_of"], (id,))
        ]

    def bounced(self, issue: IssueId) -> dict[BounceKind, int]:
        counts = dict.fromkeys(BounceKind, 0)
        for kind, reports in self._read(READER_QUERIES["bounced_of_issue"], (issue,)):
            counts[BounceKind(str(kind))] = number(reports)
        return counts

    def bounces_of(self, id: SubscriberId, limit: int) -> list[Bounce]:
        return [
            Bounce(
                id,
                None if issue is None else IssueId(number(issue)),
                QueueId(number(evidence)),
                BounceKind(str(kind)),
                str(status),
                str(text),
                number(at_ms),
            )
            for evidence, issue, at_ms, kind, status, text in self._read(
                READER_QUERIES["bounces_of"], (id, limit)
            )
        ]

    def deliveries_of(self, id: SubscriberId, limit: int) -> list[ReaderDelivery]:
        return self._engine.read_now(reader_deliveries("standing.deliveries_of_reader", id, limit))

    def record_bounce(self, bounce: Bounce) -> Awaitable[bool]:
        row: Row = (
            bounce.evidence,
            bounce.subscriber,
            bounce.issue,
            bounce.at_ms,
            bounce.kind.value,
            bounce.status,
            bounce.text,
        )

        def write(db: apsw.Connection) -> bool:
            db.execute(READER_QUERIES["add_bounce"], row)
            if db.changes() == 0:
                return False
            detail = f"{bounce.kind} {bounce.status}".strip()
            tell(db, bounce.subscriber, bounce.at_ms, "bounced", detail)
            return True

        return self._writer.change(write)


def add_consent(db: apsw.Connection, consent: Consent | None) -> int | None:
    """The number of its row."""
    if consent is None:
        return None
    db.execute(
        READER_QUERIES["add_consent"],
        (consent.where, consent.how, consent.text, consent.at_ms, consent.address_prefix),
    )
    return db.last_insert_rowid()


def tell(
    db: apsw.Connection,
    id: SubscriberId,
    at_ms: int,
    what: str,
    detail: str,
    consent: int | None = None,
    evidence: QueueId | None = None,
) -> None:
    """An event, after whatever it tells of."""
    db.execute(READER_QUERIES["tell"], (id, at_ms, what, detail, consent, evidence))


def _hash(key: str, secret: bytes) -> bytes:
    return hashlib.blake2b(key.encode("utf-8"), digest_size=HASH_OCTETS, key=secret).digest()


def octets(value: Value) -> bytes:
    assert isinstance(value, bytes)
    return value


def suppression_of(row: tuple[Value, ...]) -> Suppression:
    where, reason, at_ms, evidence, yields = row
    return Suppression(str(where), Why(str(reason)), number(at_ms), str(evidence), yields == 1)


def first_reader(rows: Sequence[tuple[Value, ...]]) -> Subscriber | None:
    return reader_of(rows[0]) if len(rows) > 0 else None


def reader_of(row: tuple[Value, ...]) -> Subscriber:
    id, newsletter, mailbox, state, since_ms, created_ms, attributes, *consent = row
    known = mailbox_of(str(mailbox))
    return Subscriber(
        id=SubscriberId(number(id)),
        newsletter=str(newsletter),
        mailbox=known,
        key=subscriber_key(known),
        state=SubscriberState(str(state)),
        since_ms=number(since_ms),
        created_ms=number(created_ms),
        consent=consent_of(consent),
        attributes=() if attributes is None else _ATTRIBUTES.decode(str(attributes)),
    )


def consent_of(columns: Sequence[Value]) -> Consent | None:
    place, how, text, at_ms, prefix = columns
    known_ms = maybe_number(at_ms)
    if known_ms is None:
        return None
    return Consent(str(place), str(how), str(text), known_ms, str(prefix))
