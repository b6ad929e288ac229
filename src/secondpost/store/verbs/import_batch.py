"""One batch of an import: what becomes of each line, depending on what is known of its reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, SubscriberId, SubscriberState, subscriber_key
from secondpost.mail.subscriber_states import SubscriberActor, subscriber_sources_of
from secondpost.store.subscriber_ports import HashedSuppression, ImportCount, Imported
from secondpost.store.verbs.known_readers import (
    Happened,
    add_consent,
    add_domains,
    lead,
    next_event,
    tell_each,
)
from secondpost.store.verbs.steps import Row, Steps, Value, maybe_number, number, rows, run
from secondpost.store.verbs.suppressed import keyed_hash, recognise, suppress_each

SHARED_CONSENTS_MAX = 20  # per batch; with more distinct ones, each belongs to one reader
LEFT_ELSEWHERE = "left elsewhere"
_WORD_OF_ANOTHER = ("owner", "import")  # `how` of consents not given here by the reader


class ImportLine(Struct, frozen=True, gc=False):
    key: str
    state: SubscriberState  # in the list
    said: Imported
    message: QueueId | None


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """`consent` applies to active lines that have none."""

    newsletter: str
    lines: Sequence[ImportLine]
    consent: Consent | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class _Known:
    """An existing reader who is in the list."""

    id: SubscriberId
    state: SubscriberState
    is_suppressed: bool
    was_reader: bool  # was ever in another state than pending
    agreed_how: str | None
    agreed_ms: int | None
    was_taken_away: bool  # by an earlier list


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The lines by what becomes of them; all others change nothing."""

    suppressed: int
    new: Sequence[ImportLine]
    confirmed: Sequence[tuple[_Known, ImportLine]]
    taken_away: Sequence[_Known]


def lines_of(
    lines: Sequence[Imported], state: SubscriberState, messages: Sequence[QueueId]
) -> list[ImportLine]:
    """Raises ValueError unless there is one message per line, or none."""
    if len(messages) not in (0, len(lines)):
        raise ValueError("there is a message for each line, or for none")
    named = messages if len(messages) > 0 else [None] * len(lines)
    return [
        ImportLine(subscriber_key(one.mailbox), state if one.state is None else one.state, one, message)
        for one, message in zip(lines, named, strict=True)
    ]


def check_consents(batch: ImportBatch) -> None:
    if any(line.state is SubscriberState.ACTIVE and _consent_of(batch, line) is None for line in batch.lines):
        raise ValueError("readers are active only with a consent")


def import_batch(batch: ImportBatch) -> Steps[ImportCount]:
    hashing = yield from recognise([line.key for line in batch.lines])
    hashes = {line.key: keyed_hash(line.key, hashing.own) for line in batch.lines}
    found = yield from _sort(batch, hashes)
    consents = yield from _write_consents(batch, [*found.new, *(line for _, line in found.confirmed)])
    yield from _add(batch, hashes, found.new, consents)
    asked = yield from _ask(batch)
    if len(found.confirmed) > 0:
        yield from _confirm(batch, found.confirmed, consents)
    if len(found.taken_away) > 0:
        gone = [(known.id, None) for known in found.taken_away]
        yield from lead(gone, Happened(SubscriberState.LEFT, batch.at_ms, "imported", LEFT_ELSEWHERE))
    yield from suppress_each(
        [
            HashedSuppression(hashes[line.key], hashing.own, each)
            for line in batch.lines
            for each in line.said.suppressions
        ]
    )
    return _count(batch, found, asked)


def _count(batch: ImportBatch, found: _Sorted, asked: int) -> ImportCount:
    left = sum(line.state is SubscriberState.LEFT for line in found.new)
    taken = sum(not known.is_suppressed for known in found.taken_away)  # others count as suppressed
    changed = len(found.new) + found.suppressed + len(found.confirmed) + taken
    return ImportCount(
        added=len(found.new) - left,
        confirmed=len(found.confirmed),
        suppressed=found.suppressed,
        known=len(batch.lines) - changed,
        asked=asked,
        left=left + taken,
    )


# ---- what becomes of a line


def _sort(batch: ImportBatch, hashes: Mapping[str, bytes]) -> Steps[_Sorted]:
    suppressed = yield from _suppressed_among(batch, hashes)
    known = yield from _known_among(batch)
    new: dict[str, ImportLine] = {}
    confirmed, taken_away = [], []
    for line in batch.lines:
        reader = known.get(line.key)
        if reader is None:
            if line.key not in suppressed:
                new.setdefault(line.key, line)
        elif _may_confirm(line, reader):
            confirmed.append((reader, line))
        elif _takes_away(line, reader):
            taken_away.append(reader)
    many = sum(line.key in suppressed for line in batch.lines)
    return _Sorted(many, list(new.values()), confirmed, taken_away)


def _may_confirm(line: ImportLine, known: _Known) -> bool:
    """Whether the list makes a pending reader active.

    Not if they were a reader before: a stranger who enters their address into the form could
    otherwise let a list bring them back.
    """
    return (
        line.state is SubscriberState.ACTIVE
        and known.state in subscriber_sources_of(SubscriberState.ACTIVE, SubscriberActor.LIST)
        and not known.is_suppressed
        and not known.was_reader
    )


def _takes_away(line: ImportLine, known: _Known) -> bool:
    return (
        line.state is SubscriberState.LEFT
        and known.state in subscriber_sources_of(SubscriberState.LEFT, SubscriberActor.LIST)
        and not _agreed_since(line, known)
    )


def _agreed_since(line: ImportLine, known: _Known) -> bool:
    """Whether the reader agreed here after leaving there; or, in a list without dates, after it was
    imported before.
    """
    if known.agreed_how is None or known.agreed_ms is None or known.agreed_how in _WORD_OF_ANOTHER:
        return False
    left_ms = line.said.since_ms
    return known.was_taken_away if left_ms is None else left_ms < known.agreed_ms


def _suppressed_among(batch: ImportBatch, hashes: Mapping[str, bytes]) -> Steps[set[str]]:
    lines: list[Row] = [
        (line.key, hashes[line.key], int(len(line.said.suppressions) > 0)) for line in batch.lines
    ]
    found = yield from rows("importing.suppressed_among", batch.newsletter, chosen=lines)
    return {str(key) for (key,) in found}


def _known_among(batch: ImportBatch) -> Steps[dict[str, _Known]]:
    keys: list[Row] = [(line.key,) for line in batch.lines]
    found = yield from rows("importing.known_among", batch.newsletter, chosen=keys)
    return {str(key): _known_of(known) for key, *known in found}


def _known_of(row: Sequence[Value]) -> _Known:
    id, state, is_suppressed, was_reader, agreed_how, agreed_ms, was_taken_away = row
    return _Known(
        SubscriberId(number(id)),
        SubscriberState(str(state)),
        is_suppressed == 1,
        was_reader == 1,
        None if agreed_how is None else str(agreed_how),
        maybe_number(agreed_ms),
        was_taken_away == 1,
    )


# ---- writing


def _consent_of(batch: ImportBatch, line: ImportLine) -> Consent | None:
    if line.said.consent is None and line.state is SubscriberState.ACTIVE:
        return batch.consent
    return line.said.consent


def _write_consents(batch: ImportBatch, lines: Sequence[ImportLine]) -> Steps[dict[str, int | None]]:
    """Write the consents; returns the row number for each line's key.

    A consent with a network belongs to one reader, who may have it erased; others are written once
    and shared.
    """
    places: dict[tuple[Consent | None, str], list[str]] = {}
    for line in lines:
        consent = _consent_of(batch, line)
        alone = line.key if consent is not None and consent.address_prefix != "" else ""
        places.setdefault((consent, alone), []).append(line.key)
    may_share = len(places) <= SHARED_CONSENTS_MAX
    numbers: dict[str, int | None] = {}
    for (consent, alone), keys in places.items():
        is_shared = consent == batch.consent or (may_share and alone == "")
        written = yield from (_shared_consent(consent) if is_shared else add_consent(consent))
        numbers |= dict.fromkeys(keys, written)
    return numbers


def _shared_consent(consent: Consent | None) -> Steps[int | None]:
    """The row of a consent shared by all batches of an import, written if new."""
    if consent is None:
        return None
    same = (consent.where, consent.how, consent.text, consent.at_ms, consent.address_prefix)
    for (id,) in (yield from rows("importing.same_consent", *same)):
        return number(id)
    return (yield from add_consent(consent))


def _add(
    batch: ImportBatch,
    hashes: Mapping[str, bytes],
    new: Sequence[ImportLine],
    consents: Mapping[str, int | None],
) -> Steps[None]:
    if len(new) == 0:
        return
    event = yield from next_event()
    yield from add_domains(Lane.ISSUES, [line.said.mailbox.domain.name for line in new])
    lines = [_reader_line(batch, line, hashes[line.key], consents[line.key]) for line in new]
    yield from run("readers.add_readers", batch.newsletter, event, chosen=lines)
    for state in SubscriberState:
        happened: list[Row] = [
            (line.key, _detail(batch, line), consents[line.key]) for line in new if line.state is state
        ]
        if len(happened) > 0:
            yield from run(
                "importing.tell_added", batch.newsletter, batch.at_ms, state.value, chosen=happened
            )


def _reader_line(batch: ImportBatch, line: ImportLine, hash: bytes, consent: int | None) -> Row:
    said = line.said
    attributes = msgspec.json.encode(said.attributes).decode() if len(said.attributes) > 0 else None
    return (
        str(said.mailbox),
        line.key,
        said.mailbox.domain.name,
        hash,
        line.state.value,
        batch.at_ms if said.since_ms is None else said.since_ms,
        batch.at_ms if said.created_ms is None else said.created_ms,
        consent,
        attributes,
    )


def _detail(batch: ImportBatch, line: ImportLine) -> str:
    if line.state is SubscriberState.LEFT:
        return LEFT_ELSEWHERE
    consent = _consent_of(batch, line) if line.state is SubscriberState.ACTIVE else None
    return "" if consent is None else consent.where


def _confirm(
    batch: ImportBatch,
    confirmed: Sequence[tuple[_Known, ImportLine]],
    consents: Mapping[str, int | None],
) -> Steps[None]:
    active = SubscriberState.ACTIVE
    event = yield from next_event()
    chosen: list[Row] = [(known.id, consents[line.key]) for known, line in confirmed]
    yield from run("readers.lead", active.value, batch.at_ms, event, chosen=chosen)
    happened = [(known.id, _detail(batch, line), consents[line.key], None) for known, line in confirmed]
    yield from tell_each(happened, batch.at_ms, "confirmed", active)


def _ask(batch: ImportBatch) -> Steps[int]:
    """Queue confirmations to readers pending both here and in the list; returns their number."""
    asking = [
        (line, line.message)
        for line in batch.lines
        if line.message is not None and line.state is SubscriberState.PENDING
    ]
    if len(asking) == 0:
        return 0
    yield from add_domains(Lane.OWN, [line.said.mailbox.domain.name for line, _ in asking])
    messages: list[Row] = [(line.key, message) for line, message in asking]
    yield from run("importing.ask_messages", batch.newsletter, batch.at_ms, chosen=messages)
    deliveries: list[Row] = [(line.key, message, line.said.mailbox.domain.name) for line, message in asking]
    return (yield from run("importing.ask_deliveries", batch.newsletter, batch.at_ms, chosen=deliveries))
