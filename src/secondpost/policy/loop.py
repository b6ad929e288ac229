"""Refuses a message in a mail loop."""

from secondpost.mail.reply import Reply
from secondpost.mail.verdict import ACCEPT, Reject, Verdict
from secondpost.policy.known import AtContent

RECEIVED_FIELDS_MAX = 100  # RFC 5321 §6.3
LOOPING = Reject(
    Reply.of(554, "5.4.6", f"{RECEIVED_FIELDS_MAX} Received fields or more: a mail loop"), "loop"
)


def judge_loop(at: AtContent) -> Verdict:
    return LOOPING if at.received_fields >= RECEIVED_FIELDS_MAX else ACCEPT
