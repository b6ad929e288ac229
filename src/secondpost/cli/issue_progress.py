"""The providers of an issue's readers, as `issue status` shows them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from secondpost.cli.providers import say_paused
from secondpost.cli.screen import Column, say, say_table, say_wrapped
from secondpost.mail.moment import clock_text
from secondpost.mail.printable import printable

if TYPE_CHECKING:
    from secondpost.owner.issue_progress import ProviderProgress

COLUMNS = (
    Column("provider"),
    Column("accepted", right=True),
    Column("waiting", right=True),
    Column("deferred", right=True),
    Column("failed", right=True),
    Column("unknown", right=True),
    Column("5 min", right=True),
    Column("hour", right=True),
)


def say_progress(providers: Sequence["ProviderProgress"], zone: ZoneInfo, now_ms: int) -> None:
    """Print a table of the providers, their pauses, and what each said last; nothing without any."""
    if len(providers) == 0:
        return
    say("")
    say_table(COLUMNS, [_row(each) for each in providers])
    say_paused([pause for each in providers for pause in each.pauses], now_ms)
    answered = [(each.name, each.last) for each in providers if each.last is not None]
    if len(answered) > 0:
        say("")
        say(f"Last answers ({zone.key}):")
    for name, last in answered:
        host = f"{printable(last.host)}: " if len(last.host) > 0 else ""
        say_wrapped(f"{name}, {clock_text(last.at_ms, zone)}, {host}{printable(last.reply)}", "  ", "    ")


def _row(each: "ProviderProgress") -> tuple[str, ...]:
    failed = each.failed + each.expired
    figures = (each.accepted, each.waiting, each.deferred, failed, each.unknown, each.minutes, each.hour)
    return (each.name, *(f"{figure:,}" for figure in figures))
