"""The way of a reader and of the mail to them, station by station.

Consent, the issues planned for them, replies of their servers, bounces, and how they left.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import State
from secondpost.mail.issue import Issue, IssueState
from secondpost.mail.moment import zoned_text
from secondpost.mail.queue_id import queue_id_ms, queue_id_text
from secondpost.mail.subscriber import NO_SUBSCRIBER, Subscriber
from secondpost.owner.figures import counted
from secondpost.owner.reader_mail import answer_text, next_try_text
from secondpost.owner.reader_words import outcome_text, suppression_text
from secondpost.owner.way import Station, Step
from secondpost.store.newsletter_ports import IssueLookup, ReaderDelivery
from secondpost.store.newsletter_store_ports import NewsletterLookup
from secondpost.store.owner_ports import DeliveryEvent
from secondpost.store.subscriber_ports import (
    Bounce,
    ReaderEvent,
    ReaderLookup,
    SignedUp,
    SignUpOutcome,
    Suppression,
)
from secondpost.subscribers.reader_desk import SIGN_UPS_SHOWN_MAX

MAILS_MAX = 10  # the latest mails of a reader
MAILS_COUNTED_MAX = 1_000
BOUNCES_MAX = 100
COPIES_MAX = 1_000  # test copies searched for those to one address

_AT_DELIVER = frozenset((State.CLAIMED, State.COMMITTING, State.DELIVERED, State.FAILED, State.UNKNOWN))
_AT_NEWSLETTER = frozenset((State.FROZEN, State.STOPPED))


@dataclass(frozen=True, slots=True)
class ReaderWay:
    """The way of one address in one newsletter."""

    newsletter: str
    address: str
    reader: Subscriber | None  # None: suppressed, or a sign-up without effect
    is_suppressed: bool
    older: int  # mails that are not shown
    steps: list[Step]


async def way_of_reader(
    store: NewsletterLookup, newsletter: str, mailbox: Mailbox, zone: ZoneInfo
) -> ReaderWay | None:
    """The way of an address; None if it is unknown in this newsletter. `zone` is the newsletter's."""
    reader, suppression = await store.find(newsletter, mailbox), await store.suppression(newsletter, mailbox)
    sign_ups = await store.sign_ups_of(newsletter, mailbox, SIGN_UPS_SHOWN_MAX)
    if reader is None and suppression is None and len(sign_ups) == 0:
        return None
    steps: list[Step] = [] if suppression is None else [_suppressed(suppression)]
    # Confirmation mails to a reader are among the reader's events.
    steps += [_asked(each) for each in sign_ups if reader is None or each.outcome is not SignedUp.CONFIRM]
    mails: list[ReaderDelivery] = []
    if reader is not None:
        bounces = await store.bounces_of(reader.id, BOUNCES_MAX)
        steps += [await _bounced(store, each) for each in bounces]
        bounced_at = {each.at_ms for each in bounces}
        steps += [
            _happened(event)
            for event in await store.events_of(reader.id)
            if event.what != "bounced" or event.at_ms not in bounced_at
        ]
        mails = await store.deliveries_of(reader.id, MAILS_COUNTED_MAX)
        for mail in mails[:MAILS_MAX]:
            steps += await steps_of_mail(store, mail, zone)
    steps.sort(key=lambda step: step.at_ms)
    return ReaderWay(
        newsletter=newsletter,
        address=str(mailbox if reader is None else reader.mailbox),
        reader=reader,
        is_suppressed=suppression is not None,
        older=max(0, len(mails) - MAILS_MAX),
        steps=steps,
    )


async def copies_to(store: ReaderLookup, mailbox: Mailbox) -> list[ReaderDelivery]:
    """The latest test copies to an address, oldest first."""
    copies = await store.deliveries_of(NO_SUBSCRIBER, COPIES_MAX)
    return [each for each in copies if each.recipient == str(mailbox)][MAILS_MAX - 1 :: -1]


def _suppressed(found: Suppression) -> Step:
    return Step(found.at_ms, Station.SUBSCRIBERS, None, "suppressed", suppression_text(found))


def _asked(one: SignUpOutcome) -> Step:
    return Step(one.at_ms, Station.SUBSCRIBERS, None, "asked to sign up", outcome_text(one))


async def _bounced(store: IssueLookup, bounce: Bounce) -> Step:
    issue = None if bounce.issue is None else await store.issue(bounce.issue)
    of = "the confirmation" if issue is None else f"issue {issue.number}"
    said = " ".join(part for part in (bounce.kind.value, bounce.status, bounce.text) if len(part) > 0)
    how = "refused" if bounce.evidence is None else f"report {queue_id_text(bounce.evidence)}"
    detail = f"{of}: {said} ({how})"
    return Step(bounce.at_ms, Station.BOUNCE, None, "bounced", detail)


def _happened(event: ReaderEvent) -> Step:
    detail = event.detail
    if event.consent is not None and event.consent.how not in detail:
        detail = f"{detail} ({event.consent.how})".strip()
    return Step(event.at_ms, Station.SUBSCRIBERS, None, event.what, detail)


# ---------------------------------------------------------------- one mail


async def steps_of_mail(store: IssueLookup, mail: ReaderDelivery, zone: ZoneInfo) -> list[Step]:
    """How a mail was planned, what failed on its way, and its state now."""
    planned = await _planned(store, mail)
    events = [_event_step(mail, one) for one in await store.events_of_delivery(mail.id)]
    words = {step.what for step in events}
    stands = [] if mail.state.value in words else [_stands(mail, planned.at_ms, zone)]
    return [planned, *events, *stands]


async def _planned(store: IssueLookup, mail: ReaderDelivery) -> Step:
    if mail.issue is None:
        at_ms = queue_id_ms(mail.id.queue_id)
        if mail.subscriber == NO_SUBSCRIBER:
            detail = f"a test copy for {mail.recipient}"
            return Step(at_ms, Station.NEWSLETTER, mail.id, "copied", detail)
        detail = f"{mail.recipient} is asked to confirm"
        return Step(at_ms, Station.SUBSCRIBERS, mail.id, "asked", detail)
    issue = await store.issue(mail.issue)
    if issue is None:
        return Step(queue_id_ms(mail.id.queue_id), Station.NEWSLETTER, mail.id, "planned", "an issue")
    detail = f"issue {issue.number}, {issue.subject}, for {mail.recipient}"
    return Step(issue.created_ms, Station.NEWSLETTER, mail.id, "planned", detail)


def _event_step(mail: ReaderDelivery, one: DeliveryEvent) -> Step:
    station = Station.SPOOL if one.what in ("maybe-duplicate", "held", "released") else Station.DELIVER
    return Step(one.at_ms, station, mail.id, one.what, one.detail)


def _stands(mail: ReaderDelivery, planned_ms: int, zone: ZoneInfo) -> Step:
    at_ms = planned_ms if mail.last_ms is None else max(planned_ms, mail.last_ms)
    station = Station.SPOOL
    if mail.state in _AT_DELIVER:
        station = Station.DELIVER
    elif mail.state in _AT_NEWSLETTER:
        station = Station.NEWSLETTER
    return Step(at_ms, station, mail.id, mail.state.value, _standing(mail, zone))


def _standing(mail: ReaderDelivery, zone: ZoneInfo) -> str:
    match mail.state:
        case State.WAITING:
            tried = "for its first try" if mail.attempts == 0 else f"for try {mail.attempts + 1}"
            return f"{tried}, {_next_text(mail, zone)}"
        case State.CLAIMED | State.COMMITTING:
            return "is being delivered now"
        case State.FROZEN:
            return "until the issue is sent"
        case State.STOPPED:
            return "the issue was stopped first"
        case State.SUPPRESSED if len(mail.reply) == 0:
            return "its reader left or was suppressed first"
        case _:
            return answer_text(mail)


def _next_text(mail: ReaderDelivery, zone: ZoneInfo) -> str:
    return next_try_text(mail, zone) if mail.site_down else f"due {next_try_text(mail, zone)}"


# ---------------------------------------------------------------- one issue


async def newsletter_of(store: ReaderLookup, issue: Issue | None, mail: ReaderDelivery) -> str | None:
    """The newsletter of a mail; None for a test copy or an erased reader."""
    if issue is not None:
        return issue.newsletter
    reader = await store.subscriber(mail.subscriber)
    return None if reader is None else reader.newsletter


async def steps_of_issue(store: IssueLookup, issue: Issue, zone: ZoneInfo) -> list[Step]:
    """The way of an issue's message as a whole; single readers are shown by ID/N."""
    articles = counted(issue.article_count, "article", "articles")
    steps = [Step(issue.created_ms, Station.NEWSLETTER, None, "made", f"{articles}, slot {issue.slot}")]
    if issue.start_ms is not None:
        readers = counted(issue.planned, "reader", "readers")
        starts = f"for {readers}; its first mail goes out {zoned_text(issue.start_ms, zone)}"
        steps.append(Step(issue.created_ms, Station.NEWSLETTER, None, "frozen", starts))
    counts = await store.reckoning(issue.id)
    detail = (
        f"{counts.delivered:,} delivered, {counts.under_way:,} still to be sent, {counts.planned:,} planned"
    )
    if issue.state in (IssueState.DONE, IssueState.STOPPED) and issue.finished_ms is not None:
        steps.append(Step(issue.finished_ms, Station.NEWSLETTER, None, issue.state.value, detail))
    elif issue.state is IssueState.SENDING and issue.start_ms is not None:
        steps.append(Step(issue.start_ms, Station.DELIVER, None, "sending", detail))
    return steps
