"""Reads feedback reports (ARF, RFC 5965; and those of Microsoft's JMRP in its own form): which mail a
reader complained of, and what about.

Lenient and bounded like the reports of failures. A report's content is only a claim: that it is
about a mail of ours is proven by a token, in its recipient address (protocols/verp) or in the copy
of the mail (bounce/named_reader).
"""

from dataclasses import dataclass
from enum import StrEnum

from secondpost.protocols.dsn.parts import FieldGroup, block_of, header_of, leaves, original_header

_REPORT_PART = "message/feedback-report"
# Microsoft puts this before the header of the mail that its user called junk, and states no type.
_OF_MICROSOFT = "x-hmxmroriginalrecipient"


class FeedbackType(StrEnum):
    """RFC 5965 §7.3 and RFC 6430; an unknown type is read as OTHER (RFC 5965 §3.1)."""

    ABUSE = "abuse"
    FRAUD = "fraud"
    VIRUS = "virus"
    NOT_SPAM = "not-spam"
    OPT_OUT = "opt-out"  # in drafts of the RFC, and in use
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Feedback:
    type: FeedbackType
    reporter: str  # its User-Agent; "" if it does not say
    mail_from: str  # Original-Mail-From (§3.2): the envelope sender of the mail; "" if it does not say
    original: FieldGroup  # header of the mail, as far as it is attached


def read_feedback(message: bytes) -> Feedback | None:
    """Parse a feedback report; None if the mail is none. Never raises."""
    # RFC 5965 §2: multipart/report. A person who forwards such a report sends another type.
    whole = header_of(message).first("content-type").partition(";")[0].strip().lower()
    if whole not in ("multipart/report", "multipart/mixed"):
        return None
    found = list(leaves(message))
    original = original_header(found)
    if whole == "multipart/mixed":
        return _of_microsoft(original)
    part = next((leaf for leaf in found if leaf.content_type == _REPORT_PART), None)
    return None if part is None else _feedback(block_of(part.body.strip()), original)


def _of_microsoft(original: FieldGroup) -> Feedback | None:
    """A report of the Junk Mail Reporting Program in its own form: the mail alone, in a multipart/mixed."""
    if len(original.fields) == 0 or original.fields[0][0] != _OF_MICROSOFT:
        return None
    return Feedback(FeedbackType.ABUSE, "Microsoft JMRP", "", original)


def _feedback(block: FieldGroup, original: FieldGroup) -> Feedback | None:
    named = block.first("feedback-type").strip().lower()
    if len(named) == 0:  # a required field (§3.1)
        return None
    known = {each.value: each for each in FeedbackType} | {"opt-out-list": FeedbackType.OPT_OUT}
    return Feedback(
        type=known.get(named, FeedbackType.OTHER),
        reporter=block.first("user-agent"),
        mail_from=block.first("original-mail-from"),
        original=original,
    )
