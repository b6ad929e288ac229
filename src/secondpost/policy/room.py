"""Decides whether there is room for one more message: the disk's reserve and the domain's quota."""

from secondpost.config.records import Backup
from secondpost.mail.questions import AskingPolicy, DomainOctets
from secondpost.mail.reply import Reply
from secondpost.mail.size import size_text
from secondpost.mail.verdict import ACCEPT, Defer, Reject, Verdict
from secondpost.policy.known import AtContent, AtMail, AtRcpt, Judgement

DISK_FULL = Defer(Reply.of(452, "4.3.1", "Not enough disk space here now; try again later"), "disk-reserve")
OVER_QUOTA = Defer(
    Reply.of(452, "4.2.2", "The room for mail to that domain is full here; try again later"),
    "quota",
)

# Octets that are only declared, or of bodies that may never end, take at most 1/4 of a room.
EXPECTED_PART = 4


def judge_disk(at: AtMail) -> Verdict:
    return judge_size(at.size, at.free, at.coming)


def judge_declared_room(at: AtRcpt) -> Judgement:
    if at.recipients is None:
        return ACCEPT
    backup = at.recipients.backup
    if backup.quota is None or at.mail.size > backup.max_size:
        return judge_quota(backup, at.mail.size)
    return _declared_room(at, backup, backup.quota)


def _declared_room(at: AtRcpt, backup: Backup, quota: int) -> AskingPolicy[Verdict]:
    octets = yield from DomainOctets(backup.domain).ask()
    # Room reserved by this message for an earlier recipient of the domain does not count again.
    coming = spoken_for(octets.certain, octets.expected, quota) if at.is_first_of_domain else 0
    return judge_quota(backup, at.mail.size, octets.stored, coming)


def judge_whole_room(at: AtContent) -> Judgement:
    for backup in at.backups:
        if backup.quota is not None or at.size > backup.max_size:
            return _whole_room(at)
    return ACCEPT


def _whole_room(at: AtContent) -> AskingPolicy[Verdict]:
    for backup in at.backups:
        stored = coming = 0
        if backup.quota is not None:
            octets = yield from DomainOctets(backup.domain).ask()
            # Only other messages that are complete count: a body still coming may never end.
            stored, coming = octets.stored, octets.certain
        verdict = judge_quota(backup, at.size, stored, coming)
        if verdict is not ACCEPT:
            return verdict
    return ACCEPT


def spoken_for(certain: int, expected: int, room: int) -> int:
    """Octets of a room that messages under way take. `expected` counts only up to a part of the
    room: a connection that never ends must not close the room to others.
    """
    most = room // EXPECTED_PART if room > 0 else 0
    return certain + (expected if expected < most else most)


def judge_size(size: int, free: int, coming: int = 0) -> Verdict:
    """Judge at MAIL with SIZE, and again while the body comes in. `size`: 0 if not declared;
    `free`: octets of the disk beyond the reserve, may be negative; `coming`: octets reserved by
    other messages.
    """
    return ACCEPT if free - coming > size else DISK_FULL


def judge_quota(backup: Backup, size: int, stored: int = 0, coming: int = 0) -> Verdict:
    """Judge against max_size and quota. `coming`: octets reserved by other messages."""
    if size > backup.max_size:
        text = f"Messages for that domain may have {size_text(backup.max_size)}"
        return Reject(Reply.of(552, "5.3.4", text), "too-large")
    if backup.quota is not None and stored + coming + size > backup.quota:
        return OVER_QUOTA
    return ACCEPT
