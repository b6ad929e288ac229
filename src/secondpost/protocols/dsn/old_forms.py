"""Reads reports of failures that are not in the form of RFC 3464, such as qmail's, Exim's and those
of Exchange, with flufl.bounce.

It finds whether a mail reports a failure, and for whom; the reason is in the report's text.

Some of its patterns take time in the cube of a line's length, and hold the interpreter meanwhile. So
lines are shortened and thinned here, and a role has another process read (processes/report_reader).
"""

import re
from email import message_from_bytes
from email.errors import MessageError

from flufl.bounce import all_failures

from secondpost.protocols.dsn.automatic import author_of
from secondpost.protocols.dsn.notification import RECIPIENTS_MAX, Action, RecipientReport, Report, status_in
from secondpost.protocols.dsn.parts import FieldGroup, first_text, header_of, leaves

OCTETS_MAX = 64 * 1024  # of a mail: each pattern is tried on each line
LINES_MAX = 2_000
LINE_OCTETS_MAX = 400  # reports name an address in the first columns
MARKS_MAX = 10  # of each of "<", "@" and "," in a line
_MARKS = (b"<", b"@", b",")

# What its detectors and the parser of the standard library raise at malformed mail.
DETECTOR_SLIPS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError),
    MessageError,
)
# Several detectors of flufl.bounce 6.0.0 know no domain with a hyphen. They get it with an underscore,
# which no domain of mail has (RFC 5321 §4.1.2).
_DOMAIN = re.compile(rb"@[A-Za-z0-9._-]{1,255}")


def read_old_form(message: bytes) -> Report | None:
    """Parse a report in an old form; None if the mail reports no failure. Never raises."""
    if _is_answer(header_of(message)):
        return None
    lines = message[:OCTETS_MAX].splitlines()[:LINES_MAX]
    beginning = b"".join(_thinned(line) + b"\n" for line in lines)
    try:
        delayed, failed = all_failures(message_from_bytes(_DOMAIN.sub(_without_hyphen, beginning)))
    except DETECTOR_SLIPS:
        return None  # a detector that trips over a stranger's mail has found nothing
    found = sorted(failed) if len(failed) > 0 else sorted(delayed)
    if len(found) == 0:
        return None
    text = first_text(leaves(message[:OCTETS_MAX]))
    action = Action.FAILED if len(failed) > 0 else Action.DELAYED
    recipients = tuple(
        RecipientReport(
            recipient=_address(each),
            original_recipient="",
            action=action,
            status=status_in(text),
            diagnostic=text,
            remote_host="",
        )
        for each in found[:RECIPIENTS_MAX]
    )
    return Report(
        reporting_host="", recipients=recipients, message_id="", list_id="", original_to="", text=text
    )


def _thinned(line: bytes) -> bytes:
    """The beginning of a line; marks that are many are no address's, and blanks take their place."""
    beginning = line[:LINE_OCTETS_MAX]
    for mark in _MARKS:
        if beginning.count(mark) > MARKS_MAX:
            beginning = beginning.replace(mark, b" ")
    return beginning


def _without_hyphen(found: re.Match[bytes]) -> bytes:
    return found[0].replace(b"-", b"_")


def _address(found: bytes) -> str:
    local, at, domain = found.decode("utf-8", "replace").rpartition("@")
    return local + at + domain.replace("_", "-")


def _is_answer(header: FieldGroup) -> bool:
    """Whether a program answers for its user (RFC 3834 §5).

    Reports of Exim, GMX and IONOS call themselves auto-replied too; but no user is called
    mailer-daemon, nor does an answer name recipients that failed.
    """
    if not header.first("auto-submitted").lower().startswith("auto-replied"):
        return False
    author = author_of(header)
    is_report = author is not None and author.local.lower() == "mailer-daemon"
    return not is_report and len(header.first("x-failed-recipients")) == 0
