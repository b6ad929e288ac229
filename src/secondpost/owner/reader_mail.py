"""One mail to a reader: when it is tried next, and the last reply."""

from zoneinfo import ZoneInfo

from secondpost.mail.delivery import State
from secondpost.mail.moment import clock_text
from secondpost.store.newsletter_ports import ReaderDelivery


def next_try_text(mail: ReaderDelivery, zone: ZoneInfo) -> str:
    """When a mail is tried next; "" if it is not retried automatically."""
    match mail.state:
        case State.WAITING:
            return f"when {mail.site} is up again" if mail.site_down else clock_text(mail.due_ms, zone)
        case State.CLAIMED | State.COMMITTING:
            return "now"
        case State.FROZEN:
            return "when the issue is sent"
        case _:
            return ""


def answer_text(mail: ReaderDelivery) -> str:
    return f"{mail.host}: {mail.reply}" if len(mail.host) > 0 else mail.reply
