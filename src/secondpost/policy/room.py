"""Is there room for one more message? The disk's reserve, and the quota of the domain."""

from dataclasses import dataclass

from secondpost.config.records import Backup
from secondpost.mail.reply import Reply
from secondpost.mail.size import size_text
from secondpost.mail.verdict import ACCEPT, Defer, Reject, Verdict

DISK_FULL = Defer(Reply.of(452, "4.3.1", "Not enough disk space here now; try again later"), "disk-reserve")
OVER_QUOTA = Defer(
    Reply.of(452, "4.2.2", "As much mail as may wait here for that domain is waiting; try again later"),
    "quota",
)

EXPECTED_SHARE = 0.25  # of a room: who only declares a size, or never ends, takes no more of it from others

UNVERIFIED_SHARE = 0.25  # of a domain's room, for addresses of which nothing is known
UNVERIFIED_FULL = Defer(
    Reply.of(452, "4.2.2", "Enough mail for unverified addresses of that domain is waiting; try again later"),
    "unverified-room",
)
UNVERIFIED_TOO_OFTEN = Defer(
    Reply.of(451, "4.7.1", "Too much mail for unverified addresses from your network; try again later"),
    "unverified-rate",
)


@dataclass(frozen=True, slots=True)
class Coming:
    """Octets of mail that is coming in for one place. `certain` comes into it whatever happens; `expected` is
    what was declared, and bodies that are not whole.
    """

    certain: int = 0
    expected: int = 0

    def spoken_for(self, room: int) -> int:
        """How much of a room it takes: a connection that never ends may not close it to all others."""
        return self.certain + min(self.expected, int(max(room, 0) * EXPECTED_SHARE))


NOTHING_COMING = Coming()


def judge_size(size: int, free: int, coming: Coming = NOTHING_COMING) -> Verdict:
    """At MAIL with SIZE, and again while the body comes in. `size` is 0 when nobody said; `free` is what
    the disk has beyond the reserve, and may be negative; `coming` is other mail.
    """
    return ACCEPT if free - coming.spoken_for(free) > size else DISK_FULL


def judge_quota(backup: Backup, size: int, stored: int, coming: Coming = NOTHING_COMING) -> Verdict:
    """At RCPT, and when the body is whole: the domain's own bounds. `coming` is other mail."""
    if size > backup.max_size:
        text = f"Messages for that domain may have {size_text(backup.max_size)}"
        return Reject(Reply.of(552, "5.3.4", text), "too-large")
    if backup.quota is not None and stored + coming.spoken_for(backup.quota) + size > backup.quota:
        return OVER_QUOTA
    return ACCEPT


def judge_unverified(room: int, size: int, stored: int, coming: Coming = NOTHING_COMING) -> Verdict:
    """`room`: octets that may wait for the domain; `stored`: those that do for its unverified addresses;
    `coming`: other mail for such.
    """
    share = int(room * UNVERIFIED_SHARE)
    return ACCEPT if stored + coming.spoken_for(share) + size <= share else UNVERIFIED_FULL
