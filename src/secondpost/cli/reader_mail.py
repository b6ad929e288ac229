"""The state of one mail to a reader, as in lists."""

from zoneinfo import ZoneInfo

from secondpost.cli.screen import Column
from secondpost.mail.moment import clock_text
from secondpost.owner.reader_mail import answer_text, next_try_text
from secondpost.store.newsletter_ports import ReaderDelivery


def stands_columns(zone: ZoneInfo) -> tuple[Column, ...]:
    """Columns of tables with one mail per row; `zone` is the newsletter's."""
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
