"""How one mail to a reader stands, in the words of lists."""

from zoneinfo import ZoneInfo

from secondpost.cli.screen import Column
from secondpost.mail.delivery import State
from secondpost.mail.moment import clock_text
from secondpost.store.newsletter_ports import ReaderDelivery


def stands_columns(zone: ZoneInfo) -> tuple[Column, ...]:
    """Of the tables in which each row is one mail; `zone`: the newsletter's."""
    return (
        Column("state"),
        Column("tries", right=True),
        Column(f"last ({zone.key})"),
        Column("next"),
        Column("last answer", folds=True),
    )


def stands_row(mail: ReaderDelivery, zone: ZoneInfo) -> tuple[str, ...]:
    last = "" if mail.last_ms is None else clock_text(mail.last_ms, zone)
    return (mail.state.value, f"{mail.attempts:,}", last, next_try_text(mail, zone), answer_text(mail))


def next_try_text(mail: ReaderDelivery, zone: ZoneInfo) -> str:
    """When it is tried next; empty for what is not tried again by itself."""
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
