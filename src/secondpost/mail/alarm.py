"""Alarms: events that the owner must know of, their severity, and what to do about them.

docs/log.md lists every kind. Some alarms are single events, others begin and end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum


class Severity(StrEnum):
    PASSES = "passes"  # needs the owner only if it goes on
    LOOK = "look"  # something is wrong, but it delays no mail
    ACT = "act"  # mail is delayed, or will be, until the owner acts


AS_CLAIM_WAITS = "As `claim-waits`."


class AlarmKind(Enum):
    """The word in the log, severity and remedy. A word ending in `waits`: work that is retried."""

    ARTICLES_HELD = (
        "articles-held",
        Severity.LOOK,
        "`issue next` lists them; `issue take` takes them into the next issue, `issue skip` leaves them out.",
    )
    CANNOT_START = (
        "cannot-start",
        Severity.ACT,
        "Correct what `detail` names; the role tries again by itself, unless its disk failed.",
    )
    CLAIM_WAITS = (
        "claim-waits",
        Severity.PASSES,
        "Nothing, unless it continues: then find what locks or fills the store.",
    )
    CLOCK_SET_BACK = (
        "clock-set-back",
        Severity.PASSES,
        "Check the machine's clock (NTP).",
    )
    CONTENT_UNREADABLE = (
        "content-unreadable",
        Severity.ACT,
        "Check the disk; the message waits.",
    )
    DISK_FAILED = (
        "disk-failed",
        Severity.ACT,
        "Check the kernel's log; start the service again once the disk works.",
    )
    DOMAIN_PAUSED = (
        "domain-paused",
        Severity.ACT,
        "Ask the provider: a block list, or a rule against the backup. It is tried again after a "
        "quarter of an hour.",
    )
    FEED_IN_DOUBT = (
        "feed-in-doubt",
        Severity.LOOK,
        "Check the address that `detail` names, and see `issue next`.",
    )
    FENCE_FELL = (
        "fence-fell",
        Severity.PASSES,
        "Nothing; each is a possible duplicate, and logged as one.",
    )
    FILLING_UP = (
        "filling-up",
        Severity.ACT,
        "Free disk space, or drop mail.",
    )
    HOUSEKEEPING_WAITS = (
        "housekeeping-waits",
        Severity.PASSES,
        AS_CLAIM_WAITS,
    )
    ISSUE_HELD = (
        "issue-held",
        Severity.ACT,
        "Correct what `detail` says; it is tried again every hour, until it goes out or you type "
        "`issue stop`.",
    )
    LEASE_WAITS = (
        "lease-waits",
        Severity.PASSES,
        AS_CLAIM_WAITS,
    )
    MAIL_NOT_UNDERSTOOD = (
        "mail-not-understood",
        Severity.ACT,
        "Send us the line; the mail waits and is tried again.",
    )
    MAKER_LOST = (
        "maker-lost",
        Severity.PASSES,
        "Nothing, unless it keeps happening: then send us the line.",
    )
    NEWSLETTER_UNNAMED = (
        "newsletter-unnamed",
        Severity.ACT,
        "Type what `detail` says: `newsletter rename`, or `newsletter retire`.",
    )
    NO_ROUTE = (
        "no-route",
        Severity.ACT,
        "Look at the domain's MX records, or name its `primary`.",
    )
    NOT_LEARNED = (
        "not-learned",
        Severity.PASSES,
        AS_CLAIM_WAITS,
    )
    NOT_RELOADED = (
        "not-reloaded",
        Severity.LOOK,
        "Restart it: `systemctl restart secondpost`.",
    )
    PROBE_WAITS = (
        "probe-waits",
        Severity.PASSES,
        AS_CLAIM_WAITS,
    )
    PUBLISH_WAITS = (
        "publish-waits",
        Severity.PASSES,
        AS_CLAIM_WAITS,
    )
    RECIPIENTS_FILE = (
        "recipients-file",
        Severity.LOOK,
        "Correct the line that `detail` names.",
    )
    ROLE_DIED = (
        "role-died",
        Severity.ACT,
        "If it continues, send us the lines before it.",
    )
    ROLE_FAILED = (
        "role-failed",
        Severity.ACT,
        "Send us the line, unless it says `DiskFailed`: then see `disk-failed`.",
    )
    ROUND_WAITS = (
        "round-waits",
        Severity.PASSES,
        AS_CLAIM_WAITS,
    )
    RUNS_AS_ROOT = (
        "runs-as-root",
        Severity.LOOK,
        "Make a user for the service, and name it with `user`.",
    )
    STORE_WAITS = (
        "store-waits",
        Severity.PASSES,
        "Free disk space; as `claim-waits`.",
    )

    def __init__(self, word: str, severity: Severity, what_to_do: str) -> None:
        self.word = word
        self.severity = severity
        self.what_to_do = what_to_do


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that has begun and not ended."""

    kind: AlarmKind
    subject: str  # the site, domain or feed concerned
    detail: str
    since_ms: int


class StandingAlarms:
    """Reports an alarm once when it begins, and again only after it ended. `say` writes the log."""

    def __init__(self, say: Callable[[AlarmKind, str], None]) -> None:
        self._say = say
        self._standing: dict[tuple[AlarmKind, str], Alarm] = {}

    def begin(self, kind: AlarmKind, subject: str, detail: str, now_ms: int) -> None:
        if (kind, subject) not in self._standing:
            self._standing[kind, subject] = Alarm(kind, subject, detail, now_ms)
            self._say(kind, f"{subject}: {detail}")

    def end(self, kind: AlarmKind, subject: str) -> Alarm | None:
        """End an alarm; return it if it had begun."""
        return self._standing.pop((kind, subject), None)
