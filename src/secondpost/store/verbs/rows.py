"""Convert between rows of the tables and objects of mail/."""

from collections.abc import Sequence

from secondpost.mail.address import NULL_PATH, AddressError, Domain, Mailbox, ReversePath
from secondpost.mail.authentication import AuthenticationNote, AuthResult, SealMaterial
from secondpost.mail.bounce_kind import first_weight
from secondpost.mail.content import InFile, InTable
from secondpost.mail.delivery import Claimed, DeliveryId, KeptFor, State
from secondpost.mail.envelope import Arrival, Lane, Utf8
from secondpost.mail.issue import IssueId
from secondpost.mail.outcome import CAUSES
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import SubscriberId
from secondpost.protocols.smtp.international import written_domain, written_mailbox
from secondpost.store.ports import Lease, Settlement
from secondpost.store.verbs.steps import Row, Value, maybe_number, number, octets

REPLY_CHARACTERS_MAX = 500
LANES = {lane.value: lane for lane in Lane}
UTF8 = {utf8.value: utf8 for utf8 in Utf8}
LEVEL_OF = {word: cause.level.value for word, cause in CAUSES.items()}


def mailbox_of(text: str) -> Mailbox:
    """The mailbox of a text we wrote ourselves, which needs no parsing."""
    local, _, domain = text.rpartition("@")
    return Mailbox(local, Domain(domain) if domain.isascii() else written_domain(domain))


def reverse_path_of(text: str) -> ReversePath:
    return NULL_PATH if len(text) == 0 else mailbox_of(text)


def address_key(text: str) -> str:
    """A form equal for all spellings of an address (Mailbox.key)."""
    try:
        return written_mailbox(text).key
    except AddressError:
        return text.casefold()


def message_row(arrival: Arrival) -> Row:
    content, peer = arrival.content, arrival.peer
    return (
        arrival.queue_id,
        arrival.lane.value,
        arrival.envelope.sender.written,
        arrival.size,
        content.name if isinstance(content, InFile) else None,
        int(arrival.envelope.eight_bit),
        peer.address,
        peer.helo,
        peer.protocol,
        peer.tls,
        arrival.arrived_ms,
        arrival.envelope.utf8.value,
        *_note_columns(arrival.authentication),
    )


def _note_columns(note: AuthenticationNote) -> tuple[str, int, str, bytes]:
    seal = note.seal
    if seal is None:
        return note.results, 0, "", b""
    return note.results, seal.instance, seal.status.value, seal.body_hash


def note_of(columns: Sequence[Value]) -> AuthenticationNote:
    results, instance, status, body_hash = columns
    if instance == 0:
        return AuthenticationNote(str(results))
    seal = SealMaterial(number(instance), AuthResult(str(status)), str(results), octets(body_hash))
    return AuthenticationNote(str(results), seal)


def content_row(arrival: Arrival) -> Row | None:
    """Prefix and content; only the prefix, if there is one, when the content is in a file."""
    content = arrival.content
    if isinstance(content, InTable):
        return arrival.queue_id, arrival.prefix, content.data
    return (arrival.queue_id, arrival.prefix, b"") if len(arrival.prefix) > 0 else None


def delivery_rows(arrival: Arrival, kept_for: KeptFor | None) -> list[Row]:
    """The delivery rows of a message; its octets count for the first recipient of each lane and
    domain.
    """
    state = State.WAITING if kept_for is None else State.KEPT
    counted: set[tuple[Lane, str]] = set()
    rows: list[Row] = []
    for place, recipient in enumerate(arrival.envelope.recipients, start=1):
        name = recipient.domain.name
        lane = Lane.UNVERIFIED if recipient in arrival.unverified else arrival.lane
        octets = 0 if (lane, name) in counted else arrival.size
        counted.add((lane, name))
        rows.append(
            (
                arrival.queue_id,
                place,
                lane.value,
                name,
                recipient.written,
                state.value,
                None if kept_for is None else kept_for.value,
                octets,
                arrival.arrived_ms,
            )
        )
    return rows


def settlement_row(lease: Lease, settlement: Settlement) -> Row:
    id, kept_for = settlement.id, settlement.kept_for
    return (
        id.queue_id,
        id.number,
        lease.fence,
        settlement.state.value,
        settlement.at_ms,
        settlement.due_ms if settlement.state is State.WAITING else 0,
        None if kept_for is None else kept_for.value,
        int(settlement.attempted),
        int(settlement.maybe_duplicate),
        settlement.cause,
        LEVEL_OF.get(settlement.cause, ""),
        settlement.host,
        settlement.reply[:REPLY_CHARACTERS_MAX],
    )


def refusal_row(settlement: Settlement) -> Row:
    """What a refusal says of its reader, for `readers.note_refusals`; only of one that ended."""
    kind = settlement.returned
    if kind is None:
        raise ValueError(f"{settlement.id} was not refused")
    return (
        settlement.id.queue_id,
        settlement.id.number,
        settlement.state.value,
        settlement.at_ms,
        kind.value,
        settlement.status,
        settlement.reply[:REPLY_CHARACTERS_MAX],
        first_weight(kind).value,
    )


def claimed_of(row: Row, lane: Lane) -> Claimed:
    """The delivery of a row of `engine.due_of_domains`."""
    message, n, origin, sender, recipient, size, file, eight_bit, arrived_ms, attempts = row[1:11]
    first_attempt_ms, maybe_duplicate, issue, subscriber, first_recipient, utf8 = row[11:]
    return Claimed(
        id=DeliveryId(QueueId(number(message)), number(n)),
        lane=lane,
        origin=LANES[str(origin)],
        sender=reverse_path_of(str(sender)),
        recipient=mailbox_of(str(recipient)),
        size=number(size),
        file=None if file is None else str(file),
        eight_bit=eight_bit == 1,
        arrived_ms=number(arrived_ms),
        attempts=number(attempts),
        first_attempt_ms=maybe_number(first_attempt_ms),
        maybe_duplicate=maybe_duplicate == 1,
        first_recipient=None if first_recipient is None else mailbox_of(str(first_recipient)),
        issue=None if issue is None else IssueId(number(issue)),
        subscriber=None if subscriber is None else SubscriberId(number(subscriber)),
        utf8=UTF8[str(utf8)],
    )
