"""Decides whether a recipient can share a message with the recipients before it."""

from secondpost.mail.reply import Reply
from secondpost.mail.verdict import ACCEPT, Destination, Reject, Verdict
from secondpost.policy.known import AtRcpt

ONE_WAY = Reject(Reply.of(452, "4.5.3", "Send this recipient a copy of its own"), "mixed-ways")


def judge_company(at: AtRcpt) -> Verdict:
    way = at.accepted.way.road
    # A mail to ourselves has one recipient: what it changes is recorded under its queue id.
    return ACCEPT if at.way is None or (at.way is way and way is not Destination.INSIDE) else ONE_WAY
