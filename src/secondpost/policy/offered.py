"""Refuses a message that the domain's primary would refuse, judged by the primary's last EHLO.

The sender then gets the error in the dialogue, as it would from the primary, instead of a bounce
later. Nothing is refused for a primary whose EHLO is unknown.
"""

from secondpost.mail.envelope import Utf8
from secondpost.mail.offered import Offered
from secondpost.mail.reply import Reply
from secondpost.mail.size import size_text
from secondpost.mail.verdict import ACCEPT, Reject, Verdict
from secondpost.policy.known import AtContent, AtRcpt

# RFC 6531 §3.5: the codes for an address and for a header.
NO_UTF8_ADDRESS = Reject(
    Reply.of(550, "5.6.7", "The mail server of that domain does not take addresses in UTF-8"), "smtputf8"
)
NO_UTF8_HEADER = Reject(
    Reply.of(554, "5.6.9", "The mail server of a recipient's domain does not take headers in UTF-8"),
    "smtputf8",
)


def judge_envelope(at: AtRcpt) -> Verdict:
    """Judge the envelope before any question about the mailbox is asked."""
    offered = at.offered
    if offered is None:
        return ACCEPT
    if not offered.smtputf8 and (at.mail.sender.needs_utf8 or at.mailbox.needs_utf8):
        return NO_UTF8_ADDRESS
    return judge_primary_size(offered, at.mail.size)


def judge_content(at: AtContent) -> Verdict:
    for offered in at.offered:
        if offered is None:
            continue
        if at.utf8 is Utf8.NEEDED and not offered.smtputf8:
            return NO_UTF8_HEADER
        verdict = judge_primary_size(offered, at.size_passed_on)
        if verdict is not ACCEPT:
            return verdict
    return ACCEPT


def judge_primary_size(offered: Offered, size: int) -> Verdict:
    if offered.size_max is None or size <= offered.size_max:
        return ACCEPT
    text = f"The mail server of that domain takes messages of up to {size_text(offered.size_max)}"
    return Reject(Reply.of(552, "5.3.4", text), "too-large")
