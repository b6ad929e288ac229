"""Find one reader, and the steps that verbs on readers share: lead, tell, ask to confirm, erase."""

from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.mail.address import Mailbox
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, SubscriberId, SubscriberState, subscriber_key
from secondpost.store.verbs.steps import Row, Steps, Value, number, octets, rows, run

# Queries that delete everything naming a reader, in this order; counts stay.
ERASING = (
    "readers.erase_consents",
    "readers.erase_sign_ups",
    "readers.erase_outcomes",
    "readers.erase_events",
    "readers.erase_bounces",
    "readers.erase_delivery_events",
    "readers.erase_deliveries",
    "readers.erase_reader",
)


@dataclass(frozen=True, slots=True)
class KnownReader:
    id: SubscriberId
    newsletter: str
    mailbox: str
    state: SubscriberState
    since_ms: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of readers, who are in `state` after it. `evidence` is the mail that caused it."""

    state: SubscriberState
    at_ms: int
    what: str
    detail: str
    evidence: QueueId | None = None


@dataclass(frozen=True, slots=True)
class OwnMail:
    """One of our own messages to one mailbox, in lane own; without content it is composed when
    sent.
    """

    message: QueueId
    at_ms: int
    content: bytes = b""


def known_by_key(newsletter: str, mailbox: Mailbox) -> Steps[KnownReader | None]:
    return _first((yield from rows("readers.by_key", newsletter, subscriber_key(mailbox))))


def known_by_id(id: SubscriberId) -> Steps[KnownReader | None]:
    return _first((yield from rows("readers.by_id", id)))


def _first(found: Sequence[Row]) -> KnownReader | None:
    for id, newsletter, mailbox, state, since_ms, hash in found:
        named = SubscriberState(str(state))
        return KnownReader(
            SubscriberId(number(id)), str(newsletter), str(mailbox), named, number(since_ms), octets(hash)
        )
    return None


def next_event() -> Steps[int]:
    """A number above all events so far, and not above the next one."""
    [(last,)] = yield from rows("engine.last_event")
    return number(last) + 1


def add_consent(consent: Consent | None) -> Steps[int | None]:
    """Write a consent; returns its row number."""
    if consent is None:
        return None
    [(id,)] = yield from rows(
        "readers.add_consent",
        *(consent.where, consent.how, consent.text, consent.at_ms, consent.address_prefix),
    )
    return number(id)


def reader_line(
    mailbox: Mailbox, hash: bytes, state: SubscriberState, at_ms: int, consent: int | None
) -> Row:
    """A row for `readers.add_readers`, of a reader who is added now."""
    key = subscriber_key(mailbox)
    return (str(mailbox), key, mailbox.domain.name, hash, state.value, at_ms, at_ms, consent, None)


def add_domains(lane: Lane, names: Sequence[str]) -> Steps[None]:
    chosen: list[Row] = sorted({(lane.value, name) for name in names})
    yield from run("intake.add_domains", chosen=chosen)


def lead(chosen: Sequence[tuple[SubscriberId, int | None]], happened: Happened) -> Steps[None]:
    """Lead readers to another state, each with the row number of a new consent or None, and record
    an event.
    """
    event = yield from next_event()
    yield from run("readers.lead", happened.state.value, happened.at_ms, event, chosen=chosen)
    yield from tell(chosen, happened)


def tell(chosen: Sequence[tuple[SubscriberId, int | None]], happened: Happened) -> Steps[None]:
    """Record an event of readers, each with the row number of its consent or None."""
    lines: list[Row] = [(id, happened.detail, consent, happened.evidence) for id, consent in chosen]
    yield from tell_each(lines, happened.at_ms, happened.what, happened.state)


def tell_each(lines: Sequence[Row], at_ms: int, what: str, state: SubscriberState) -> Steps[None]:
    """`tell` with a separate detail for each reader: [(id, detail, consent, evidence), …]."""
    if len(lines) > 0:
        yield from run("readers.tell", at_ms, what, state.value, chosen=lines)


def send_own(mail: OwnMail, domain: str, recipient: str, to: SubscriberId) -> Steps[None]:
    size = len(mail.content)
    yield from add_domains(Lane.OWN, [domain])
    yield from run("readers.add_own_message", mail.message, size, mail.at_ms)
    delivery: tuple[Value, ...] = (mail.message, domain, recipient, size, mail.at_ms, to)
    yield from run("readers.add_own_delivery", *delivery)
    if size > 0:
        yield from run("readers.confirm_content", mail.message, mail.content)


def erase(ids: Sequence[SubscriberId]) -> Steps[None]:
    for query in ERASING:
        yield from run(query, chosen=[(id,) for id in ids])
