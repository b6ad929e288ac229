"""How one mail to a reader stands, in the words of lists."""

from secondpost.cli.screen import local_time
from secondpost.mail.delivery import State
from secondpost.store.newsletter_ports import ReaderDelivery


def next_try_text(mail: ReaderDelivery) -> str:
    """When it is tried next; empty for what is not tried again by itself."""
    match mail.state:
        case State.WAITING:
            return f"when {mail.site} is up again" if mail.site_down else local_time(mail.due_ms)
        case State.CLAIMED | State.COMMITTING:
            return "now"
        case State.FROZEN:
            return "when the issue is sent"
        case _:
            return ""


def answer_text(mail: ReaderDelivery) -> str:
    return f"{mail.host}: {mail.reply}" if len(mail.host) > 0 else mail.reply
