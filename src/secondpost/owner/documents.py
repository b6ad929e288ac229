"""The JSON documents printed with --json, one per command. docs/commands.md lists every key; a test
compares.

Times are RFC 3339 in UTC with milliseconds, sizes are in octets, and what does not exist is null.
"""

from dataclasses import dataclass

from secondpost.mail.queue_id import queue_id_text
from secondpost.owner.figures import utc_time
from secondpost.owner.newsletter_documents import NextDocument
from secondpost.owner.provider_documents import PausedProviderDocument
from secondpost.spool.desk import standing
from secondpost.store.owner_ports import DeliveryEvent, DeliveryRow, MessageRow, SiteDown


@dataclass(frozen=True, slots=True)
class DeliveryDocument:
    """One message to one recipient."""

    id: str
    state: str
    standing: str
    lane: str
    sender: str
    recipient: str
    first_recipient: str | None
    site: str
    site_down: bool
    size: int
    arrived: str
    due: str | None
    attempts: int
    last: str | None
    kept_for: str | None
    cause: str
    host: str
    reply: str
    maybe_duplicate: bool


@dataclass(frozen=True, slots=True)
class ListDocument:
    """The document of `queue list` and `held list`."""

    deliveries: list[DeliveryDocument]
    next: str | None
    beside: str


@dataclass(frozen=True, slots=True)
class EventDocument:
    at: str
    delivery: str | None
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class MessageDocument:
    """The document of `queue show`."""

    id: str
    lane: str
    sender: str
    size: int
    peer: str
    helo: str
    protocol: str
    tls: str
    arrived: str
    content: bool
    deliveries: list[DeliveryDocument]
    events: list[EventDocument]


@dataclass(frozen=True, slots=True)
class VerbDocument:
    """The document of `queue hold`, `release`, `retry` and `drop`, and of `held redirect`."""

    verb: str
    deliveries: int


@dataclass(frozen=True, slots=True)
class StepDocument:
    at: str
    station: str
    delivery: str | None
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class WayDocument:
    id: str
    sender: str
    size: int
    steps: list[StepDocument]


@dataclass(frozen=True, slots=True)
class ReaderWayDocument:
    newsletter: str
    address: str
    state: str | None
    suppressed: bool
    older: int
    steps: list[StepDocument]


@dataclass(frozen=True, slots=True)
class TraceDocument:
    """The document of `trace`."""

    messages: list[WayDocument]
    older: int
    readers: list[ReaderWayDocument]


@dataclass(frozen=True, slots=True)
class ReadingDocument:
    """The document of `held show`."""

    id: str
    sender: str
    recipients: list[str]
    standing: str
    arrived: str
    size: int
    headers: dict[str, str]
    text: str
    attachments: list[str]
    complete: bool


@dataclass(frozen=True, slots=True)
class ExportDocument:
    """The document of `held export`."""

    format: str
    to: str
    messages: int
    octets: int


@dataclass(frozen=True, slots=True)
class SiteDocument:
    site: str
    since: str
    cause: str
    detail: str
    next_probe: str


@dataclass(frozen=True, slots=True)
class CountDocument:
    domain: str
    lane: str
    standing: str
    site: str
    deliveries: int
    octets: int
    oldest: str


@dataclass(frozen=True, slots=True)
class RefusedDocument:
    """Mail that the primary of a domain refused."""

    domain: str
    deliveries: int
    octets: int
    room: int
    oldest: str
    oldest_goes: str


@dataclass(frozen=True, slots=True)
class UnderWayDocument:
    """An issue that is made and not finished."""

    number: int
    state: str
    planned: int
    under_way: int
    deferred: int


@dataclass(frozen=True, slots=True)
class SignUpsDocument:
    """Today's sign-ups."""

    asked: int
    confirmed: int
    nothing_sent: dict[str, int]


@dataclass(frozen=True, slots=True)
class NewsletterStandingDocument:
    newsletter: str
    readers: int
    next: NextDocument
    under_way: UnderWayDocument | None
    sign_ups: SignUpsDocument


@dataclass(frozen=True, slots=True)
class ReadersMailDocument:
    """All mail to readers that has not ended."""

    waiting: int
    deferred: int
    frozen: int
    held: int
    unknown: int
    confirmations_waiting: int
    confirmations_deferred: int
    confirmations_failed: int
    sites_down: list[SiteDocument]


@dataclass(frozen=True, slots=True)
class UnnamedDocument:
    """A newsletter that the file does not name."""

    newsletter: str
    readers: int
    issues: int
    reason: str


@dataclass(frozen=True, slots=True)
class DaysDocument:
    """Counts of deliveries for a backup domain over some days, by what became of them."""

    held: int
    kept: int
    refused_for_now: int
    refused: int
    passed_on: int


@dataclass(frozen=True, slots=True)
class PrimaryDocument:
    """The primary of a backup domain."""

    domain: str
    site: str | None
    reachable: bool | None
    since: str | None
    looked: str | None
    size_max: int | None
    smtputf8: bool | None
    kept_smtputf8: int
    today: DaysDocument
    week: DaysDocument


@dataclass(frozen=True, slots=True)
class AlarmDocument:
    kind: str
    subject: str
    role: str
    severity: str
    detail: str
    since: str
    ended: str | None
    how: str
    what_to_do: str
    mailed: bool


@dataclass(frozen=True, slots=True)
class AlarmsDocument:
    """The document of `alarms list`."""

    standing: list[AlarmDocument]
    ended: list[AlarmDocument]


@dataclass(frozen=True, slots=True)
class ArrivalNetworkDocument:
    """One network that mail for a backup domain came from."""

    domain: str
    network: str
    name: str
    country: str
    good_day: int
    good_week: int
    usual_week: float | None
    other_week: int
    blocked: "BlockedDocument | None"


@dataclass(frozen=True, slots=True)
class BlockedDocument:
    """What is known of a network that cannot reach a primary."""

    since: str
    found: str
    last: str
    good: int
    authors: int


@dataclass(frozen=True, slots=True)
class ArrivalsDocument:
    """The document of `watch arrivals`."""

    hours: int
    networks: list[ArrivalNetworkDocument]


@dataclass(frozen=True, slots=True)
class StatusDocument:
    """The document of `status`."""

    version: str
    hostname: str
    config: str
    store: str
    running: bool
    copy: str | None
    waiting: int
    held_primary: int
    held_owner: int
    kept: int
    octets: int
    alarms: list[AlarmDocument]
    counts: list[CountDocument]
    sites_down: list[SiteDocument]
    refused: list[RefusedDocument]
    primaries: list[PrimaryDocument]
    blocked: list[str]
    newsletters: list[NewsletterStandingDocument]
    readers_mail: ReadersMailDocument | None
    paused_providers: list[PausedProviderDocument]
    unnamed: list[UnnamedDocument]


def delivery_document(listed: DeliveryRow) -> DeliveryDocument:
    return DeliveryDocument(
        id=str(listed.id),
        state=listed.state.value,
        standing=standing(listed).value,
        lane=listed.lane.value,
        sender=listed.sender,
        recipient=listed.recipient,
        first_recipient=listed.first_recipient,
        site=listed.site,
        site_down=listed.site_down,
        size=listed.size,
        arrived=utc_time(listed.arrived_ms),
        due=utc_time(listed.due_ms) if listed.state.value == "waiting" else None,
        attempts=listed.attempts,
        last=None if listed.last_ms is None else utc_time(listed.last_ms),
        kept_for=None if listed.kept_for is None else listed.kept_for.value,
        cause=listed.cause,
        host=listed.host,
        reply=listed.reply,
        maybe_duplicate=listed.maybe_duplicate,
    )


def list_document(deliveries: list[DeliveryRow], more: bool, beside: str) -> ListDocument:
    """`next` is the value of --after for the next page; `beside` says what is not in the list."""
    last = str(deliveries[-1].id) if more and len(deliveries) > 0 else None
    return ListDocument([delivery_document(one) for one in deliveries], last, beside)


def message_document(
    row: MessageRow, deliveries: list[DeliveryRow], events: list[DeliveryEvent]
) -> MessageDocument:
    id = queue_id_text(row.queue_id)
    return MessageDocument(
        id=id,
        lane=row.lane.value,
        sender=row.sender,
        size=row.size,
        peer=row.peer_address,
        helo=row.helo,
        protocol=row.protocol,
        tls=row.tls,
        arrived=utc_time(row.arrived_ms),
        content=row.has_content,
        deliveries=[delivery_document(one) for one in deliveries],
        events=[
            EventDocument(
                utc_time(one.at_ms), None if one.number == 0 else f"{id}/{one.number}", one.what, one.detail
            )
            for one in events
        ],
    )


def site_document(site: SiteDown) -> SiteDocument:
    return SiteDocument(
        site.site, utc_time(site.since_ms), site.cause, site.detail, utc_time(site.next_probe_ms)
    )
