"""The way of a message, or of an address: its messages, and its part in newsletters."""

from collections import deque
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.mail.delivery import DeliveryId
from secondpost.mail.issue import Issue
from secondpost.mail.queue_id import QueueId, queue_id_text
from secondpost.mail.subscriber import NO_SUBSCRIBER
from secondpost.owner.documents import ReaderWayDocument, StepDocument, TraceDocument, WayDocument
from secondpost.owner.figures import utc_time
from secondpost.owner.reader_way import (
    ReaderWay,
    copies_to,
    newsletter_of,
    steps_of_issue,
    steps_of_mail,
    way_of_reader,
)
from secondpost.owner.way import Step, steps_of
from secondpost.owner.zones import zone_of
from secondpost.spool.desk import OwnersDesk
from secondpost.store.newsletter_store_ports import NewsletterDesk
from secondpost.store.owner_ports import MessageRow, Selection
from secondpost.subscribers.typed import typed_mailbox

MESSAGES_MAX = 10  # the latest messages of an address


@dataclass(frozen=True, slots=True)
class MessageWay:
    message: MessageRow
    of: str  # sender, issue, "a confirmation" or "a test copy"
    steps: list[Step]
    newsletter: str | None = None  # the newsletter of an issue or confirmation; None for other mail


@dataclass(frozen=True, slots=True)
class Traced:
    ways: list[MessageWay]
    older: int  # number of messages older than those in `ways`
    readers: list[ReaderWay]


async def way_of_id(
    desk: OwnersDesk, readers: NewsletterDesk | None, id: DeliveryId, config: Config
) -> Traced:
    way = await _way(desk, id.queue_id, config)
    if way is None and readers is not None:
        way = await _way_to_readers(readers, id, config)
    return Traced([] if way is None else [way], 0, [])


async def ways_of_address(
    desk: OwnersDesk, readers: NewsletterDesk | None, address: str, config: Config
) -> Traced:
    ids, older = await _latest(desk, address)
    ways = [way for each in ids if (way := await _way(desk, each, config)) is not None]
    if readers is None:
        return Traced(ways, older, [])
    try:
        mailbox = typed_mailbox(address)
    except ValueError:
        return Traced(ways, older, [])
    copies = [await _way_to_readers(readers, copy.id, config) for copy in await copies_to(readers, mailbox)]
    named = [newsletter.name for newsletter in config.newsletters]
    others = [name for name in await readers.known_newsletters() if name not in named]
    found = [await way_of_reader(readers, name, mailbox, zone_of(config, name)) for name in (*named, *others)]
    ways += [way for way in copies if way is not None]
    return Traced(ways, older, [way for way in found if way is not None])


async def _latest(desk: OwnersDesk, address: str) -> tuple[list[QueueId], int]:
    """The ids of the latest messages, oldest first, and the number of older ones."""
    latest: deque[QueueId] = deque(maxlen=MESSAGES_MAX)
    messages = 0
    async for listed in desk.found(Selection(address=address)):
        if len(latest) == 0 or latest[-1] != listed.id.queue_id:
            latest.append(listed.id.queue_id)
            messages += 1
    return list(latest), messages - len(latest)


async def _way(desk: OwnersDesk, id: QueueId, config: Config) -> MessageWay | None:
    message = await desk.desk.message(id)
    if message is None:
        return None
    deliveries = [listed async for listed in desk.found(Selection(ids=(id,)))]
    steps = steps_of(message, deliveries, await desk.desk.events(id), config)
    return MessageWay(message, f"from <{message.sender}>", steps)


async def _way_to_readers(readers: NewsletterDesk, id: DeliveryId, config: Config) -> MessageWay | None:
    """The way of an issue as a whole, or of the mail to one reader."""
    message, issue = await readers.message(id.queue_id), await readers.issue_of_message(id.queue_id)
    if message is None:
        return None
    if issue is not None and id.number == 0:
        zone = zone_of(config, issue.newsletter)
        return MessageWay(
            message, _issue_text(issue), await steps_of_issue(readers, issue, zone), issue.newsletter
        )
    mail = await readers.delivery(id if issue is not None else DeliveryId(id.queue_id, 1))
    if mail is None:
        return None
    own = "a test copy" if mail.subscriber == NO_SUBSCRIBER else "a confirmation"
    of = own if issue is None else _issue_text(issue)
    newsletter = await newsletter_of(readers, issue, mail)
    zone = zone_of(config, newsletter or "")
    return MessageWay(message, of, await steps_of_mail(readers, mail, zone), newsletter)


def _issue_text(issue: Issue) -> str:
    return f"issue {issue.number} of {issue.newsletter}"


def trace_document(found: Traced) -> TraceDocument:
    return TraceDocument(
        [
            WayDocument(
                queue_id_text(way.message.queue_id), way.message.sender, way.message.size, _steps(way.steps)
            )
            for way in found.ways
        ],
        found.older,
        [
            ReaderWayDocument(
                newsletter=way.newsletter,
                address=way.address,
                state=None if way.reader is None else way.reader.state.value,
                suppressed=way.is_suppressed,
                older=way.older,
                steps=_steps(way.steps),
            )
            for way in found.readers
        ],
    )


def _steps(steps: list[Step]) -> list[StepDocument]:
    return [
        StepDocument(
            utc_time(step.at_ms),
            step.station.value,
            None if step.delivery is None else str(step.delivery),
            step.what,
            step.detail,
        )
        for step in steps
    ]
