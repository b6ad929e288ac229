"""secondpost queue show for mail to readers: an issue as a whole, a confirmation, or one reader's
mail.
"""

from zoneinfo import ZoneInfo

from secondpost.cli.screen import say, say_field, say_json
from secondpost.config.records import Config
from secondpost.mail.delivery import DeliveryId
from secondpost.mail.issue import Issue
from secondpost.mail.moment import zoned_text
from secondpost.mail.queue_id import QueueId, queue_id_text
from secondpost.mail.size import size_text
from secondpost.mail.subscriber import NO_SUBSCRIBER
from secondpost.owner.documents import message_document
from secondpost.owner.figures import counted
from secondpost.owner.issue_words import reckoning_text, standing_text
from secondpost.owner.reader_mail import answer_text, next_try_text
from secondpost.owner.reader_way import newsletter_of
from secondpost.owner.zones import zone_of
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.newsletter_store_ports import NewsletterDesk
from secondpost.store.owner_ports import MessageRow, Selection

SHOWN_MAX = 1_000  # readers of an issue per document


async def show_reader_mail(
    store: NewsletterDesk, config: Config, id: QueueId, number: int | None, as_json: bool
) -> bool:
    """Show a mail to a reader; False if there is no such mail."""
    message, issue = await store.message(id), await store.issue_of_message(id)
    if message is None:
        return False
    mail = await _meant(store, id, number, issue)
    if mail is None and (issue is None or number is not None):
        return False
    if as_json:
        await _say_document(store, message, mail)
        return True
    say_field("message", f"{queue_id_text(id)}, {size_text(message.size)}, {_what(issue, mail)}")
    if mail is not None:
        zone = zone_of(config, await newsletter_of(store, issue, mail) or "")
        say(f"{mail.id} to {mail.recipient}: {sentence(mail, zone)}")
        for event in await store.events_of_delivery(mail.id):
            say(f"{zoned_text(event.at_ms, zone)}  {event.what} {event.detail}".rstrip())
    elif issue is not None:
        say_field("state", standing_text(issue, zone_of(config, issue.newsletter)))
        say_field("readers", reckoning_text(await store.reckoning(issue.id)))
        listed = f"secondpost issue status {issue.newsletter} {issue.number}"
        say_field("each", f"{listed} --waiting, --failed or --unknown")
    return True


async def _meant(
    store: NewsletterDesk, id: QueueId, number: int | None, issue: Issue | None
) -> ReaderDelivery | None:
    """The mail of one reader; None for an issue as a whole, or if the reader has none."""
    if number is None:
        return None if issue is not None else await store.delivery(DeliveryId(id, 1))
    return await store.delivery(DeliveryId(id, number))


def _what(issue: Issue | None, mail: ReaderDelivery | None) -> str:
    if issue is not None:
        return f"issue {issue.number} of {issue.newsletter}"
    return "a test copy" if mail is not None and mail.subscriber == NO_SUBSCRIBER else "a confirmation"


def sentence(mail: ReaderDelivery, zone: ZoneInfo) -> str:
    """The state of one mail to a reader."""
    parts = [mail.state.value]
    if mail.attempts > 0:
        parts.append(counted(mail.attempts, "try", "tries"))
    if mail.last_ms is not None:
        parts.append(f"last {zoned_text(mail.last_ms, zone)}")
    if len(next_try_text(mail, zone)) > 0:
        parts.append(f"next {next_try_text(mail, zone)}")
    if len(mail.reply) > 0:
        parts.append(answer_text(mail))
    return "; ".join(parts)


async def _say_document(store: NewsletterDesk, message: MessageRow, mail: ReaderDelivery | None) -> None:
    chosen = Selection(ids=(message.queue_id,)) if mail is None else Selection(deliveries=(mail.id,))
    deliveries = await store.listed(chosen, None, SHOWN_MAX)
    events = [] if mail is None else await store.events_of_delivery(mail.id)
    say_json(message_document(message, deliveries, events))
