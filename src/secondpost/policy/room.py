"""Is there room for one more message? The disk's reserve, and the quota of the domain."""

from secondpost.config.records import Backup
from secondpost.mail.reply import Reply
from secondpost.mail.size import size_text
from secondpost.mail.verdict import ACCEPT, Defer, Reject, Verdict

DISK_FULL = Defer(Reply.of(452, "4.3.1", "Not enough disk space here now; try again later"), "disk-reserve")
OVER_QUOTA = Defer(
    Reply.of(452, "4.2.2", "As much mail as may wait here for that domain is waiting; try again later"),
    "quota",
)

EXPECTED_PART = 4  # of a room: a quarter; who only declares a size, or never ends, takes no more from others

UNVERIFIED_SHARE = 0.25  # of a domain's room, for addresses of which nothing is known
UNVERIFIED_FULL = Defer(
    Reply.of(452, "4.2.2", "Enough mail for unverified addresses of that domain is waiting; try again later"),
    "unverified-room",
)
UNVERIFIED_TOO_OFTEN = Defer(
    Reply.of(451, "4.7.1", "Too much mail for unverified addresses from your network; try again later"),
    "unverified-rate",
)


def spoken_for(certain: int, expected: int, room: int) -> int:
    """How much of a room what is coming in takes. Of what is `expected` only a part counts: a connection
    that never ends may not close the room to all others.
    """
    most = room // EXPECTED_PART if room > 0 else 0
    return certain + (expected if expected < most else most)


def judge_size(size: int, free: int, coming: int = 0) -> Verdict:
    """At MAIL with SIZE, and again while the body comes in. `size` is 0 when nobody said; `free` is what
    the disk has beyond the reserve, and may be negative; `coming`: what other mail speaks for.
    """
    return ACCEPT if free - coming > size else DISK_FULL


def judge_quota(backup: Backup, size: int, stored: int, coming: int = 0) -> Verdict:
    """At RCPT, and when the body is whole: the domain's own bounds. `coming`: what other mail
    speaks for.
    """
    if size > backup.max_size:
        text = f"Messages for that domain may have {size_text(backup.max_size)}"
        return Reject(Reply.of(552, "5.3.4", text), "too-large")
    if backup.quota is not None and stored + coming + size > backup.quota:
        return OVER_QUOTA
    return ACCEPT


def judge_unverified(room: int, size: int, stored: int, coming: int = 0) -> Verdict:
    """`room`: octets that may wait for the domain; `stored`: those that do for its unverified addresses;
    `coming`: what other mail for such speaks for.
    """
    return ACCEPT if stored + coming + size <= room * UNVERIFIED_SHARE else UNVERIFIED_FULL
