"""The kinds of alarms: what the owner must know of, how severe it is, and what to do about it.

docs/log.md lists every kind.
"""

from enum import Enum, StrEnum


class Severity(StrEnum):
    NEWS = "news"  # nothing is wrong
    PASSES = "passes"  # needs the owner only if it goes on
    LOOK = "look"  # worth a look of the owner; mail that is on its way is not delayed
    ACT = "act"  # mail is delayed, or will be, until the owner acts


class AlarmEnds(StrEnum):
    """How an alarm ends."""

    BY_ITSELF = "by itself"  # a single event; it stands for EVENT_MS after it last occurred
    WHEN_MENDED = "when mended"  # a condition: the code that began it ends it


AS_CLAIM_WAITS = "As `claim-waits`."
BY_STRANGERS = True


class AlarmKind(Enum):
    """The word in the log, severity and remedy. A word ending in `waits`: work that is retried."""

    ADVISORIES_SILENT = (
        "advisories-silent",
        Severity.LOOK,
        "See why the service does not answer; meanwhile `check security --advisories` reads a file.",
        AlarmEnds.WHEN_MENDED,
    )
    ARTICLES_HELD = (
        "articles-held",
        Severity.LOOK,
        "`issue next` lists them; `issue take` takes them into the next issue, `issue skip` leaves them out.",
        AlarmEnds.WHEN_MENDED,
        BY_STRANGERS,
    )
    ATTACKED = (
        "attacked",
        Severity.LOOK,
        "Nothing: they are refused, and `watch attacks` lists them. If one network goes on, your firewall "
        "can block it.",
        AlarmEnds.WHEN_MENDED,
        BY_STRANGERS,
    )
    BLOCKED_ABROAD = (
        "blocked-abroad",
        Severity.ACT,
        "Ask the provider whose address it is. Lower the TTL of your MX records, and add an MX host at "
        "another address or provider; `watch reach` shows what each network sees.",
        AlarmEnds.WHEN_MENDED,
    )
    CANNOT_START = (
        "cannot-start",
        Severity.ACT,
        "Correct what `detail` names; the role tries again by itself, unless its disk failed.",
    )
    CERTIFICATE_ENDS = (
        "certificate-ends",
        Severity.LOOK,
        "Renew it, and see why that did not happen by itself; the new files are used without a restart.",
        AlarmEnds.WHEN_MENDED,
        False,
        2,
    )
    CERTIFICATE_REFUSED = (
        "certificate-refused",
        Severity.LOOK,
        "Correct what `detail` says, then type `secondpost tls renew`; it is tried again by itself as well.",
        AlarmEnds.WHEN_MENDED,
        False,
        1,
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
        AlarmEnds.WHEN_MENDED,
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
        AlarmEnds.WHEN_MENDED,
        BY_STRANGERS,
    )
    FEED_IN_DOUBT = (
        "feed-in-doubt",
        Severity.LOOK,
        "Check the address that `detail` names, and see `issue next`.",
        AlarmEnds.WHEN_MENDED,
        BY_STRANGERS,
    )
    FENCE_FELL = (
        "fence-fell",
        Severity.PASSES,
        "Nothing; each is a possible duplicate, and logged as one.",
    )
    FILLING_UP = (
        "filling-up",
        Severity.LOOK,
        "Free disk space, or drop mail.",
        AlarmEnds.WHEN_MENDED,
        BY_STRANGERS,
        90,
    )
    HOUSEKEEPING_WAITS = (
        "housekeeping-waits",
        Severity.PASSES,
        AS_CLAIM_WAITS,
    )
    IMPORT_FINISHED = (
        "import-finished",
        Severity.NEWS,
        "Nothing.",
    )
    ISSUE_HELD = (
        "issue-held",
        Severity.ACT,
        "Correct what `detail` says; it is tried again every hour, until it goes out or you type "
        "`issue stop`.",
        AlarmEnds.WHEN_MENDED,
        BY_STRANGERS,
    )
    ISSUE_LATE = (
        "issue-late",
        Severity.LOOK,
        "Nothing, if the issue before it may take so long; `issue status` says how far it is, `issue resume` "
        "lets it go on if it is held, and `issue stop` ends it.",
        AlarmEnds.WHEN_MENDED,
    )
    ISSUE_WAITS = (
        "issue-waits",
        Severity.LOOK,
        "Press the button on the page that the mail about it leads to, or type `issue approve`.",
        AlarmEnds.WHEN_MENDED,
    )
    KEEP_RUNS_OUT = (
        "keep-runs-out",
        Severity.ACT,
        "Raise `keep` (it counts for mail already held), or export or redirect the mail: see `held`.",
        AlarmEnds.WHEN_MENDED,
    )
    KEY_CHANGE = (
        "key-change",
        Severity.LOOK,
        "Change the record in DNS as `detail` says; `secondpost tls show` says how far it is.",
        AlarmEnds.WHEN_MENDED,
    )
    LEASE_WAITS = (
        "lease-waits",
        Severity.PASSES,
        AS_CLAIM_WAITS,
    )
    LOGIN_REFUSED = (
        "login-refused",
        Severity.ACT,
        "Correct the password in its file: it is tried within a minute. After a change of `username` "
        "type `secondpost reload`.",
        AlarmEnds.WHEN_MENDED,
    )
    MAIL_HELD = (
        "mail-held",
        Severity.ACT,
        "Ask the provider of the primary; read the mail meanwhile with `held list`, or redirect it with "
        "`held redirect`.",
        AlarmEnds.WHEN_MENDED,
    )
    MAIL_NOT_UNDERSTOOD = (
        "mail-not-understood",
        Severity.ACT,
        "Send us the line; the mail waits and is tried again.",
        AlarmEnds.WHEN_MENDED,
        BY_STRANGERS,
    )
    MANY_BOUNCES = (
        "many-bounces",
        Severity.ACT,
        "See them with `subscribers bounces`; then let them be suspended (`--suspend`), or forgive them "
        "(`--forgive`) if something was wrong between the provider and us.",
        AlarmEnds.WHEN_MENDED,
        BY_STRANGERS,
    )
    MAKER_LOST = (
        "maker-lost",
        Severity.PASSES,
        "Nothing, unless it keeps happening: then send us the line.",
    )
    NETWORKS_FILE = (
        "networks-file",
        Severity.LOOK,
        "Fetch the table again; it is read as soon as it changes.",
        AlarmEnds.WHEN_MENDED,
    )
    NEWSLETTER_UNNAMED = (
        "newsletter-unnamed",
        Severity.ACT,
        "Type what `detail` says: `newsletter rename`, or `newsletter retire`.",
        AlarmEnds.WHEN_MENDED,
    )
    NO_ROOM = (
        "no-room",
        Severity.ACT,
        "Free disk space, drop mail, or raise the quota that `detail` names; senders try again meanwhile.",
        AlarmEnds.WHEN_MENDED,
        BY_STRANGERS,
    )
    NO_ROUTE = (
        "no-route",
        Severity.ACT,
        "Look at the domain's MX records, or name its `primary`.",
        AlarmEnds.WHEN_MENDED,
    )
    NOT_LEARNED = (
        "not-learned",
        Severity.PASSES,
        AS_CLAIM_WAITS,
    )
    NOT_RELOADED = (
        "not-reloaded",
        Severity.LOOK,
        "Correct what `detail` names, and reload again; or restart, where it says so.",
        AlarmEnds.WHEN_MENDED,
    )
    PRIMARY_BLOCKED = (
        "primary-blocked",
        Severity.LOOK,
        "Mail from there arrives by this backup. Lower the TTL of the MX records, and prepare another road "
        "before more networks follow: a second backup elsewhere, or a primary at other addresses. "
        "`watch arrivals` has the figures.",
        AlarmEnds.WHEN_MENDED,
        BY_STRANGERS,
    )
    PROBE_WAITS = (
        "probe-waits",
        Severity.PASSES,
        AS_CLAIM_WAITS,
    )
    PROVIDER_PAUSED = (
        "provider-paused",
        Severity.ACT,
        "Read the provider's words, mend what they name (`check dns` sees SPF, DKIM, DMARC and PTR), and ask "
        "its postmaster if it is your reputation. It gets a trial mail each hour, and the rest once one is "
        "accepted; `providers resume` sends on at once.",
        AlarmEnds.WHEN_MENDED,
        BY_STRANGERS,
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
        AlarmEnds.WHEN_MENDED,
    )
    ROLE_DIED = (
        "role-died",
        Severity.ACT,
        "If it continues, send us the lines before it.",
        AlarmEnds.WHEN_MENDED,
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
        AlarmEnds.WHEN_MENDED,
    )
    SENDING_HELD = (
        "sending-held",
        Severity.ACT,
        "Type `secondpost snapshot accept`: it shows what waits, and asks what is to go out.",
        AlarmEnds.WHEN_MENDED,
    )
    STORE_WAITS = (
        "store-waits",
        Severity.PASSES,
        "Free disk space; as `claim-waits`.",
    )
    VULNERABLE = (
        "vulnerable",
        Severity.LOOK,
        "`watch advisories` says what each hole is, why it applies here, and what mends it.",
        AlarmEnds.WHEN_MENDED,
    )
    WEBHOOK_FAILS = (
        "webhook-fails",
        Severity.LOOK,
        "Check `webhook` in `[alarms]`, then type `alarms test`; mail is sent all the same.",
        AlarmEnds.WHEN_MENDED,
    )

    def __init__(
        self,
        word: str,
        severity: Severity,
        what_to_do: str,
        ends: AlarmEnds = AlarmEnds.BY_ITSELF,
        by_strangers: bool = False,
        act_step: int | None = None,
    ) -> None:
        """`by_strangers`: senders, readers or the authors of feeds can cause it as often as they
        like. `act_step`: the step of the alarm from which on its severity is ACT.
        """
        self.word = word
        self.severity = severity
        self.what_to_do = what_to_do
        self.ends = ends
        self.by_strangers = by_strangers
        self._act_step = act_step

    def severity_at(self, step: int) -> Severity:
        return Severity.ACT if self._act_step is not None and step >= self._act_step else self.severity
