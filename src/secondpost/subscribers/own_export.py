"""Our own export format: its columns, their values, and the row that a line becomes on import.

A reader's line holds everything kept about the reader except the events. A suppressed address that
is not a reader has a line without an address: its keyed hash and the key. The file is therefore as
confidential as the list, and lets its holder test addresses.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from secondpost.mail.moment import utc_text
from secondpost.mail.subscriber import Consent, Subscriber, SubscriberState
from secondpost.mail.subscriber_states import Reason
from secondpost.store.subscriber_ports import HashedSuppression, Suppression
from secondpost.subscribers.cells import plain_cell
from secondpost.subscribers.list_moments import moment_ms
from secondpost.subscribers.list_rows import BadRow, HashRow, OwnRow
from secondpost.subscribers.typed import typed_mailbox

COLUMNS = (
    "email", "state", "since", "created",
    "agreed_where", "agreed_how", "agreed_text", "agreed_at", "agreed_from",
    "suppressed", "suppressed_at", "suppressed_by",
    "everywhere", "everywhere_at", "everywhere_by",
    "hash", "hash_key", "attributes",
)  # fmt: skip
HASH_OCTETS = 16
KEY_OCTETS = 32
EVERYWHERE = ""  # newsletter of a suppression that holds for all newsletters

_ATTRIBUTES = msgspec.json.Decoder(dict[str, str])
# Older exports wrote "yes" and no reason.
_REASONS = {reason.value: reason for reason in Reason} | {"yes": Reason.IMPORTED}
_YIELDS = " until they sign up"  # the suppression ends when they sign up and confirm


def reader_cells(subscriber: Subscriber, suppressions: Sequence[Suppression]) -> tuple[str, ...]:
    consent = subscriber.consent
    return (
        str(subscriber.mailbox),
        subscriber.state.value,
        utc_text(subscriber.since_ms),
        utc_text(subscriber.created_ms),
        "" if consent is None else consent.where,
        "" if consent is None else consent.how,
        "" if consent is None else consent.text,
        "" if consent is None else utc_text(consent.at_ms),
        "" if consent is None else consent.address_prefix,
        *_suppression_cells(suppressions),
        "",
        "",
        ""
        if len(subscriber.attributes) == 0
        else json.dumps(dict(subscriber.attributes), ensure_ascii=False),
    )


def hash_cells(hash: bytes, key: bytes, suppressions: Sequence[Suppression]) -> tuple[str, ...]:
    return ("",) * 9 + (*_suppression_cells(suppressions), hash.hex(), key.hex(), "")


def _suppression_cells(suppressions: Sequence[Suppression]) -> tuple[str, ...]:
    here: tuple[str, ...] = ("", "", "")
    everywhere: tuple[str, ...] = ("", "", "")
    for one in suppressions:
        cells = (_reason_text(one), utc_text(one.at_ms), one.evidence)
        if one.newsletter == EVERYWHERE:
            everywhere = cells
        else:
            here = cells
    return (*here, *everywhere)


def _reason_text(one: Suppression) -> str:
    return f"{one.reason}{_YIELDS}" if one.yields else one.reason.value


@dataclass(frozen=True, slots=True)
class OwnColumns:
    """Where our columns stand in a file; an older export has fewer."""

    newsletter: str  # the newsletter imported into
    places: tuple[int | None, ...]  # positions of COLUMNS in the file

    @classmethod
    def of(cls, newsletter: str, head: Sequence[str]) -> "OwnColumns":
        return cls(newsletter, tuple(head.index(each) if each in head else None for each in COLUMNS))

    def row(self, line: int, cells: Sequence[str], now_ms: int) -> OwnRow | HashRow | BadRow:
        (
            email, state, since, created, where, how, text, agreed_at, prefix,
            *suppressed, hash, key, attributes,
        ) = (
            plain_cell(cells[place]) if place is not None and place < len(cells) else ""
            for place in self.places
        )  # fmt: skip
        try:
            suppressions = self._suppressions(suppressed, now_ms)
            if email == "" and hash != "":
                octets = _octets(hash, HASH_OCTETS), _octets(key, KEY_OCTETS)
                return HashRow(line, tuple(HashedSuppression(*octets, one) for one in suppressions))
            agreed_ms = moment_ms(agreed_at)
            return OwnRow(
                line=line,
                mailbox=typed_mailbox(email),
                state=SubscriberState(state),
                since_ms=moment_ms(since),
                created_ms=moment_ms(created),
                consent=None if agreed_ms is None else Consent(where, how, text, agreed_ms, prefix),
                suppressions=suppressions,
                attributes=() if attributes == "" else tuple(_ATTRIBUTES.decode(attributes).items()),
            )
        except ValueError:  # repeat nothing of the line: it may be personal
            return BadRow(line, "it is not as Secondpost exports it")

    def _suppressions(self, cells: Sequence[str], now_ms: int) -> tuple[Suppression, ...]:
        found = []
        for newsletter, (reason, at, by) in ((self.newsletter, cells[:3]), (EVERYWHERE, cells[3:])):
            if reason == "":
                continue
            why = _REASONS.get(reason.removesuffix(_YIELDS))
            if why is None:
                raise ValueError(f"{reason!r} is no reason")
            at_ms, yields = moment_ms(at), reason.endswith(_YIELDS)
            found.append(Suppression(newsletter, why, now_ms if at_ms is None else at_ms, by, yields))
        return tuple(found)


def _octets(digits: str, size: int) -> bytes:
    """Decode hexadecimal. Raises ValueError, also for the wrong size: such a key would fail later,
    at each comparison.
    """
    octets = bytes.fromhex(digits)
    if len(octets) != size:
        raise ValueError(f"{len(octets)} octets, not {size}")
    return octets
