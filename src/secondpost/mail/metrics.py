"""The metrics that processes count: name, help, labels with their words, and the roles that count them.

The words of every label are a closed list, so that no stranger can make series: what is not in the
list counts as OTHER. Addresses, senders and recipients are never labels. docs/operations.md lists all
metrics.
"""

from dataclasses import dataclass
from enum import Enum

from secondpost.mail.delivery import State
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Level
from secondpost.mail.store_rooms import ROLES

OTHER = "other"
NO_LEVEL = "none"  # of a delivery, and of mail kept or ended by its age
NO_TLS = "none"
TLS_FAILED = "failed"
MICROSECONDS = 1_000_000

SUPERVISOR = "supervisor"

_RECEIVE = frozenset({"receive"})
_DELIVER = frozenset({"deliver"})
_WITH_STORE = frozenset({"receive", "deliver", "web", "publish"})

LANES = frozenset(lane.value for lane in Lane)
DATABASES = frozenset({"mail", "newsletter"})
STAGES = frozenset({"mail", "rcpt", "content"})
CLASSES = frozenset({"temporary", "permanent"})
TLS_VERSIONS = frozenset({"TLSv1.2", "TLSv1.3", NO_TLS, TLS_FAILED})
OUTCOMES = frozenset(state.value for state in State) | {"deferred"}
LEVELS = frozenset(level.value for level in Level) | {NO_LEVEL}
# Of policy's verdicts and of the store's refusals.
REASONS = frozenset(
    {
        "disk-reserve",
        "dmarc",
        "dmarc-unsure",
        "loop",
        "mixed-ways",
        "smtputf8",
        "not-ours",
        "quota",
        "recipient-unverified",
        "reloaded",
        "store-full",
        "store-unavailable",
        "too-large",
        "too-many-connections",
        "too-many-from-client",
        "too-many-from-network",
        "unknown-recipient",
        "unverified-rate",
        "unverified-recipients",
        "unverified-room",
    }
)

COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
DELAY_SECONDS = (1.0, 10.0, 60.0, 600.0, 3_600.0, 21_600.0, 86_400.0, 604_800.0)


class MetricType(Enum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    name: str  # without the prefix, and without _total
    text: str
    roles: frozenset[str]
    labels: tuple[str, ...] = ()
    words: tuple[frozenset[str], ...] = ()  # of each label
    type: MetricType = MetricType.COUNTER
    bounds: tuple[float, ...] = ()  # upper ends of a histogram's buckets, in seconds


class Metric(Enum):
    """What a process counts itself; the deliver role looks up the rest in the stores."""

    CONNECTIONS = MetricDefinition("smtp_connections", "SMTP connections admitted.", _RECEIVE)
    CONNECTIONS_REFUSED = MetricDefinition(
        "smtp_connections_refused",
        "SMTP connections refused at once, because places ran short.",
        _RECEIVE,
        ("reason",),
        (REASONS,),
    )
    CONNECTIONS_OPEN = MetricDefinition(
        "smtp_connections_open", "SMTP connections open now.", _RECEIVE, type=MetricType.GAUGE
    )
    LISTENING = MetricDefinition(
        "smtp_listening",
        "Addresses on which processes of the receive role accept SMTP.",
        _RECEIVE,
        type=MetricType.GAUGE,
    )
    ROOM = MetricDefinition(
        "receive_room_bytes",
        "Disk space that new mail may take; at 0 mail is refused for the time being.",
        _RECEIVE,
        type=MetricType.GAUGE,
    )
    HANDSHAKES = MetricDefinition(
        "smtp_tls_handshakes",
        "TLS handshakes of SMTP clients, by the version agreed on.",
        _RECEIVE,
        ("version",),
        (TLS_VERSIONS,),
    )
    ACCEPTED = MetricDefinition(
        "messages_accepted",
        "Messages accepted, by lane and by the TLS version of the connection.",
        _RECEIVE,
        ("lane", "tls"),
        (LANES, TLS_VERSIONS),
    )
    ACCEPTED_OCTETS = MetricDefinition(
        "accepted_bytes", "Size of the messages accepted.", _RECEIVE, ("lane",), (LANES,)
    )
    REFUSED = MetricDefinition(
        "refused",
        "Senders, recipients and messages refused, by the stage of the conversation.",
        _RECEIVE,
        ("stage", "class", "reason"),
        (STAGES, CLASSES, REASONS),
    )
    FAULTS = MetricDefinition("smtp_faults", "Violations of SMTP by clients.", _RECEIVE)
    LOST = MetricDefinition("smtp_connections_lost", "SMTP connections lost before QUIT.", _RECEIVE)
    ATTEMPTS = MetricDefinition(
        "attempts",
        "Attempts to deliver that came to an end, by what came of them and how far a fault reaches.",
        _DELIVER,
        ("lane", "outcome", "level"),
        (LANES, OUTCOMES, LEVELS),
    )
    DELAY = MetricDefinition(
        "delivery_delay_seconds",
        "Time from the arrival of a message to its delivery.",
        _DELIVER,
        ("lane",),
        (LANES,),
        MetricType.HISTOGRAM,
        DELAY_SECONDS,
    )
    DUPLICATES = MetricDefinition(
        "possible_duplicates", "Deliveries that may have been made twice.", _DELIVER
    )
    PROBES = MetricDefinition(
        "site_probes",
        "Looks at sites that are down, by whether they let us in.",
        _DELIVER,
        ("result",),
        (frozenset({"up", "down"}),),
    )
    SITES_DOWN = MetricDefinition("sites_went_down", "Times that a site went down.", _DELIVER)
    SIGNED = MetricDefinition("reader_mails_signed", "Mails to readers made and signed.", _DELIVER)
    COMMITS = MetricDefinition(
        "store_commit_seconds",
        "Time that a group of writes took until it was durable.",
        _WITH_STORE,
        ("database",),
        (DATABASES,),
        MetricType.HISTOGRAM,
        COMMIT_SECONDS,
    )
    CERTIFICATE_ENDS = MetricDefinition(
        "certificate_expiry_timestamp_seconds",
        "When the server's certificate ends.",
        _DELIVER,
        type=MetricType.GAUGE,
    )
    RESTARTS = MetricDefinition(
        "role_restarts",
        "Times that a role's process ended by itself and was started again.",
        frozenset({SUPERVISOR}),
        ("role",),
        (frozenset(ROLES),),
    )

    @property
    def labels(self) -> tuple[str, ...]:
        return self.value.labels

    def is_counted_by(self, role: str) -> bool:
        """`role`: of a process; several are joined by "+", and a supervisor may have a role's name before
        its own.
        """
        kind = SUPERVISOR if role.endswith(f"-{SUPERVISOR}") else role
        return not self.value.roles.isdisjoint(kind.split("+"))

    def bounded(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """The values of the labels, with OTHER for each that is not among the label's words."""
        words = self.value.words
        return tuple(value if value in known else OTHER for value, known in zip(values, words, strict=True))
