"""Reads reports of failures that are not in the form of RFC 3464, such as qmail's, Exim's and those
of Exchange, with flufl.bounce.

It finds whether a mail reports a failure, and for whom; the reason is in the report's text.
"""

import re
from email import message_from_bytes
from email.errors import MessageError

from flufl.bounce import all_failures

from secondpost.protocols.dsn.notification import Action, RecipientReport, Report, status_in
from secondpost.protocols.dsn.parts import header_of, leaves

OCTETS_MAX = 64 * 1024  # its patterns are slow on long texts, and each is tried on each line
LINES_MAX = 2_000
TEXT_CHARACTERS_MAX = 2_000  # of the text that gives the reason

# What its detectors and the parser of the standard library raise at malformed mail.
DETECTOR_SLIPS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError),
    MessageError,
)
# The mail that came back follows; its words are ours.
_ORIGINAL = re.compile(
    r"^.{0,80}(?:copy of (?:the|your) message|original message|message headers|returned message"
    r"|unsent message|text of message|message follows).{0,80}$",
    re.IGNORECASE | re.MULTILINE,
)


def read_old_form(message: bytes) -> Report | None:
    """Parse a report in an old form; None if the mail reports no failure. Never raises."""
    # RFC 3834 §5: an answer of a program for its user; a report has auto-generated, if any.
    if header_of(message).first("auto-submitted").lower().startswith("auto-replied"):
        return None
    beginning = b"".join(message[:OCTETS_MAX].splitlines(keepends=True)[:LINES_MAX])
    try:
        delayed, failed = all_failures(message_from_bytes(beginning))
    except DETECTOR_SLIPS:
        return None  # a detector that trips over a stranger's mail has found nothing
    found = sorted(failed) if len(failed) > 0 else sorted(delayed)
    if len(found) == 0:
        return None
    text = _reason(message)
    recipient = RecipientReport(
        recipient=found[0].decode("utf-8", "replace"),
        original_recipient="",
        action=Action.FAILED if len(failed) > 0 else Action.DELAYED,
        status=status_in(text),
        diagnostic=text,
        remote_host="",
    )
    return Report(reporting_host="", recipients=(recipient,), message_id="", list_id="", original_to="")


def _reason(message: bytes) -> str:
    """The first text, up to the mail that came back."""
    for leaf in leaves(message[:OCTETS_MAX]):
        if leaf.content_type == "text/plain":
            text = leaf.body.decode("utf-8", "replace").strip()
            return " ".join(_ORIGINAL.split(text, 1)[0].split())[:TEXT_CHARACTERS_MAX]
    return ""
