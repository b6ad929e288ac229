"""Reads delivery status notifications (RFC 3464): which recipients failed, and why.

Lenient, since few follow the RFC, and bounded, since anyone can send one. A report's content is
only a claim: that it is about a mail of ours is proven by the token in its recipient address
(protocols/verp).
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from secondpost.protocols.dsn.parts import (
    FieldGroup,
    block_of,
    first_text,
    leaves,
    original_header,
)

RECIPIENTS_MAX = 100  # of one report

_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_EMPTY_LINES = re.compile(rb"\n(?:[ \t]*\n)+")
# Each type has a variant for UTF-8 (RFC 6533).
_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})


class Action(StrEnum):
    """RFC 3464 §2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class RecipientReport:
    """The report on one recipient. An empty string means that the report does not say."""

    recipient: str  # as the reporting host knows it; the original address may differ
    original_recipient: str
    action: Action | None
    status: str  # such as "5.1.1" (RFC 3463)
    diagnostic: str  # the next host's reply, without the type in front
    remote_host: str


@dataclass(frozen=True, slots=True)
class Report:
    reporting_host: str
    recipients: tuple[RecipientReport, ...]  # at least one
    message_id: str  # of the original mail, with brackets
    list_id: str
    original_to: str
    text: str  # for people; "" if there is none


def read_report(message: bytes) -> Report | None:
    """Parse a report; None if it is not a readable one. Never raises."""
    found = list(leaves(message))
    status = next((leaf for leaf in found if leaf.content_type in _STATUS_PARTS), None)
    if status is None:
        return None
    blocks = [block_of(group) for group in _EMPTY_LINES.split(status.body.strip(), RECIPIENTS_MAX + 1)]
    recipients = [_recipient(block) for block in blocks if _is_of_a_recipient(block)]
    if len(recipients) == 0:
        return None
    original = original_header(found)
    return Report(
        reporting_host=_without_type(blocks[0].first("reporting-mta")),
        recipients=tuple(recipients[:RECIPIENTS_MAX]),
        message_id=original.first("message-id"),
        list_id=original.first("list-id"),
        original_to=original.first("to"),
        text=first_text(found),
    )


def status_in(text: str) -> str:
    """The first enhanced status in a text (RFC 3463); "" if it has none."""
    found = _STATUS.search(text)
    return "" if found is None else found[1]


def _is_of_a_recipient(block: FieldGroup) -> bool:
    return len(block.first("final-recipient")) + len(block.first("original-recipient")) > 0


def _recipient(block: FieldGroup) -> RecipientReport:
    try:
        action = Action(block.first("action").partition(" ")[0].lower())
    except ValueError:
        action = None
    diagnostic = _without_type(block.first("diagnostic-code"))
    # Some reporters put the code only into the text, or add text to the code.
    status = status_in(block.first("status"))
    return RecipientReport(
        recipient=_address(block.first("final-recipient")),
        original_recipient=_address(block.first("original-recipient")),
        action=action,
        status=status if len(status) > 0 else status_in(diagnostic),
        diagnostic=diagnostic,
        remote_host=_without_type(block.first("remote-mta")),
    )


def _without_type(value: str) -> str:
    """The value without its type (§2.1.2): `dns; mx.example.org` gives "mx.example.org"."""
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if len(semicolon) > 0 and kind.strip().replace("-", "").isalnum() else value


def _address(value: str) -> str:
    return _without_type(value).strip("<> ")
