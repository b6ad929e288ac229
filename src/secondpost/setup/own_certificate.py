"""When the server's own certificate is ordered, and how its key is changed: the stages, and what each
asks for next. Pure.

A certificate is renewed after two thirds of its life, with its key, so that a published TLSA record
`3 1 1` stays true. A change of the key follows RFC 7671 §8.1: the next key's record is published beside
the old one, and a certificate for it is ordered only when no cache can still hold the old set alone.

The stage follows from two files and the record OrderLog, which are each replaced in one step, so a
process that is killed at any point leaves one of these stages:

| certificate | next key | stage | next |
|---|---|---|---|
| none | none | NO_KEY | make the next key |
| none | there | FIRST | order for the next key |
| there | none | IN_USE | order for its own key when it is due |
| there | its own key | INSTALLED | remove the next key's file: a crash came between |
| there | another key | PUBLISH | look for the next key's record |
| there | another key, seen in DNS for 2 TTL, or DNS has no such record | CHANGE | order for the next key |
| there | none, and `old_digest` is of another key | LEAVE | look whether the old key's record is gone |
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, StrEnum

from secondpost.mail.dns_questions import TlsaAnswer
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from secondpost.mail.questions import Finding
from secondpost.setup.certificate_alarm import Validity

RENEW_PART = 3  # a third of its life is left
LOOK_MS = HOUR_MS  # between two looks while nothing is due: names may begin to point here
RECORDS_LOOK_MS_MIN, RECORDS_LOOK_MS_MAX = 5 * SECOND_MS, 5 * MINUTE_MS  # while the key is changed
TAKEN_UP_MS = 15 * SECOND_MS  # until every process shows a new certificate; they look every 5 s
TTLS_OF_OLD_RECORD = 2  # RFC 7671 §8.1
# After how many failed orders in a row, how long to wait. Authorities count failures per hour and name:
# Let's Encrypt allows five.
BACKOFF_MS = tuple(minutes * MINUTE_MS for minutes in (5, 15, 30, 60, 120, 240, 360))
ORDERS_PER_HOUR_MAX = 4  # also when the owner orders them
ORDERS_PER_DAY_MAX = 12
ORDERS_KEPT = 50  # of those remembered in OrderLog
OWN_KEY = (3, 1, 1)  # usage, selector and matching type of our records (RFC 7672 §3.1.1)
KEY_USAGE, KEY_SELECTOR = 3, 1  # of records that name a key of ours and no other thing


class KeyStage(StrEnum):
    NO_KEY = "no-key"
    FIRST = "first"
    IN_USE = "in-use"
    INSTALLED = "installed"
    PUBLISH = "publish"
    CHANGE = "change"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class CertificateInUse:
    validity: Validity
    names: tuple[str, ...]  # lower case
    digest: str  # of its key, as in TLSA 3 1 1
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class OrderLog:
    """What is remembered between two looks; a file of the store."""

    orders_ms: tuple[int, ...] = ()  # the last orders, each noted before it was made
    failed: int = 0  # orders in a row that brought no certificate, one under way included
    reason: str = ""  # of the last failure; "" after a success
    host: str = ""  # whose challenge failed
    retry_ms: int = 0  # not before this, as the authority asked
    is_asked: bool = False  # the owner wants a new certificate now
    looked_ms: int = 0  # when the records were last looked at
    seen_ms: int | None = None  # since when every name server has had the next key's record
    is_sure: bool = False  # the last look at the records allows the change of the key
    ttl_seconds: int = 0  # the longest of the records that were seen
    changed_ms: int = 0  # when the key was changed
    old_digest: str = ""  # of the key before this one, while its record may still be published


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """The files of the store."""

    in_use: CertificateInUse | None
    next_digest: str | None
    log: OrderLog


class RecordsState(Enum):
    """What DNS has of the next key."""

    UNUSED = "no record names a key of ours"
    MISSING = "the next key is not named at every name server"
    THERE = "every name server names it"
    UNKNOWN = "a name server gave no usable answer"


@dataclass(frozen=True, slots=True)
class RecordsSeen:
    state: RecordsState
    ttl_seconds: int = 0
    digests: frozenset[str] = frozenset()  # of all 3 1 1 records at any of the servers


class Deed(Enum):
    MAKE_KEY = "make the next key"
    DROP_NEXT_KEY = "remove the next key's file"
    ORDER = "order a certificate for the key in use"
    ORDER_FOR_NEXT = "order a certificate for the next key"
    LOOK_AT_RECORDS = "look at the TLSA records"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class CertificateStep:
    deed: Deed
    at_ms: int = 0  # of WAIT: until then


def stage_of(stored: StoredCertificate, now_ms: int) -> KeyStage:
    in_use, next_digest, log = stored.in_use, stored.next_digest, stored.log
    if in_use is None:
        return KeyStage.NO_KEY if next_digest is None else KeyStage.FIRST
    if next_digest is None:
        # A crash before the switch leaves the digest of the key that is still in use.
        has_left = log.old_digest not in ("", in_use.digest)
        return KeyStage.LEAVE if has_left else KeyStage.IN_USE
    if next_digest == in_use.digest:
        return KeyStage.INSTALLED
    ready_ms = change_ms(log)
    is_ready = ready_ms is not None and ready_ms <= now_ms and log.is_sure
    return KeyStage.CHANGE if is_ready else KeyStage.PUBLISH


def change_ms(log: OrderLog) -> int | None:
    """When the next key may be used: no cache has the old record alone any more. None: not known yet."""
    if log.seen_ms is None:
        return None
    return log.seen_ms + TTLS_OF_OLD_RECORD * log.ttl_seconds * SECOND_MS


def next_step(stored: StoredCertificate, names: Sequence[str], now_ms: int) -> CertificateStep:
    """`names`: the ones that point to this machine now, or cannot be looked up and are covered."""
    stage, log = stage_of(stored, now_ms), stored.log
    if stage is KeyStage.NO_KEY:
        return CertificateStep(Deed.MAKE_KEY)
    if stage is KeyStage.INSTALLED:
        return CertificateStep(Deed.DROP_NEXT_KEY)
    looks_ms = _records_look_ms(log) if stage in (KeyStage.PUBLISH, KeyStage.CHANGE, KeyStage.LEAVE) else None
    if looks_ms is not None and looks_ms <= now_ms:
        return CertificateStep(Deed.LOOK_AT_RECORDS)
    waits = [now_ms + LOOK_MS] + ([] if looks_ms is None else [looks_ms])
    ready_ms = change_ms(log)
    if stage is KeyStage.PUBLISH and ready_ms is not None and log.is_sure:
        waits.append(ready_ms)
    for_next = stage in (KeyStage.FIRST, KeyStage.CHANGE)
    if len(names) > 0 and (for_next or is_due(stored, names, now_ms)):
        if order_ms(log, now_ms) <= now_ms:
            return CertificateStep(Deed.ORDER_FOR_NEXT if for_next else Deed.ORDER)
        waits.append(order_ms(log, now_ms))
    elif stored.in_use is not None:
        waits.append(renewal_ms(stored.in_use.validity))
    return CertificateStep(Deed.WAIT, max(now_ms, min(waits)))


def _records_look_ms(log: OrderLog) -> int:
    every_ms = min(max(log.ttl_seconds * SECOND_MS, RECORDS_LOOK_MS_MIN), RECORDS_LOOK_MS_MAX)
    return max(log.looked_ms + every_ms, log.changed_ms + TAKEN_UP_MS)


def is_due(stored: StoredCertificate, names: Sequence[str], now_ms: int) -> bool:
    """Whether the certificate in use is to be replaced: its time, a name that it lacks, or the owner."""
    if stored.in_use is None:
        return True
    lacks = [name for name in names if name not in stored.in_use.names]
    return stored.log.is_asked or len(lacks) > 0 or renewal_ms(stored.in_use.validity) <= now_ms


def renewal_ms(validity: Validity) -> int:
    return validity.ends_ms - (validity.ends_ms - validity.begins_ms) // RENEW_PART


def order_ms(log: OrderLog, now_ms: int) -> int:
    """When the next order may be made, after failures and by the bounds."""
    last_ms = log.orders_ms[-1] if len(log.orders_ms) > 0 else 0
    if last_ms > now_ms:  # the clock was set back
        last_ms = now_ms
    back_off_ms = 0 if log.failed == 0 else last_ms + BACKOFF_MS[min(log.failed, len(BACKOFF_MS)) - 1]
    if log.is_asked:
        back_off_ms = 0
    return max(back_off_ms, log.retry_ms, *_bounds_ms(log, now_ms))


def _bounds_ms(log: OrderLog, now_ms: int) -> list[int]:
    done_ms = [at_ms for at_ms in log.orders_ms if at_ms <= now_ms]  # not those of a clock since set back
    bounds = ((ORDERS_PER_HOUR_MAX, HOUR_MS), (ORDERS_PER_DAY_MAX, DAY_MS))
    return [done_ms[-most] + span_ms for most, span_ms in bounds if len(done_ms) >= most]


# -- what the log is after a deed
def order_begun(log: OrderLog, now_ms: int) -> OrderLog:
    """To be written before the order: if the process is killed, it counts as failed."""
    orders = (*log.orders_ms, now_ms)[-ORDERS_KEPT:]
    return replace(log, orders_ms=orders, failed=log.failed + 1, retry_ms=0, is_asked=False)


def order_failed(log: OrderLog, reason: str, host: str, retry_ms: int) -> OrderLog:
    return replace(log, reason=reason, host=host, retry_ms=retry_ms)


def order_filled(log: OrderLog, old_digest: str, now_ms: int) -> OrderLog:
    """`old_digest`: of the key that was replaced; "" if the key stays."""
    if len(old_digest) > 0:  # what to do about its record is said after a look: there may be none
        return OrderLog(orders_ms=log.orders_ms, old_digest=old_digest, changed_ms=now_ms)
    return replace(log, failed=0, reason="", host="", retry_ms=0)


def records_looked_at(log: OrderLog, seen: RecordsSeen, now_ms: int) -> OrderLog:
    """After a look for the next key's record."""
    log = replace(log, looked_ms=now_ms, ttl_seconds=max(log.ttl_seconds, seen.ttl_seconds))
    match seen.state:
        case RecordsState.UNUSED:  # nothing can mismatch: the change needs no wait
            return replace(log, seen_ms=now_ms, is_sure=True, ttl_seconds=0)
        case RecordsState.THERE:
            return replace(log, seen_ms=now_ms if log.seen_ms is None else log.seen_ms, is_sure=True)
        case RecordsState.MISSING:
            return replace(log, seen_ms=None, is_sure=False)
        case RecordsState.UNKNOWN:
            return replace(log, is_sure=False)


def roll_begun(log: OrderLog) -> OrderLog:
    """To be written before the next key is made."""
    return replace(log, looked_ms=0, seen_ms=None, is_sure=False, ttl_seconds=0, old_digest="")


def old_record_looked_at(log: OrderLog, seen: RecordsSeen, now_ms: int) -> OrderLog:
    """After a look whether the old key's record is gone; it is forgotten then."""
    is_gone = seen.state is not RecordsState.UNKNOWN and log.old_digest not in seen.digests
    return replace(log, looked_ms=now_ms, old_digest="" if is_gone else log.old_digest)


def judge_records(answers: Sequence[TlsaAnswer], digest: str) -> RecordsSeen:
    """`answers`: of every name server, about each of the services; `digest`: of the wanted key."""
    records = [record for answer in answers for record in answer.records]
    digests = frozenset(
        record.data for record in records if (record.usage, record.selector, record.matching) == OWN_KEY
    )
    ttl_seconds = max((answer.ttl_seconds for answer in answers), default=0)
    if len(answers) == 0 or any(answer.finding is Finding.FAILED for answer in answers):
        return RecordsSeen(RecordsState.UNKNOWN, ttl_seconds, digests)
    naming = [answer for answer in answers if _names_a_key(answer)]
    if len(naming) == 0:
        return RecordsSeen(RecordsState.UNUSED, ttl_seconds, digests)
    lacking = [answer for answer in naming if not _names(answer, digest)]
    state = RecordsState.THERE if len(lacking) == 0 else RecordsState.MISSING
    return RecordsSeen(state, ttl_seconds, digests)


def _names_a_key(answer: TlsaAnswer) -> bool:
    return any((record.usage, record.selector) == (KEY_USAGE, KEY_SELECTOR) for record in answer.records)


def _names(answer: TlsaAnswer, digest: str) -> bool:
    return any(
        (record.usage, record.selector, record.matching) == OWN_KEY and record.data == digest
        for record in answer.records
    )
