"""The primaries' part of `status`: their state, and what became of mail for them."""

from secondpost.cli.screen import Column, say, say_table
from secondpost.mail.duration import age_text
from secondpost.mail.size import size_text
from secondpost.owner.figures import counted
from secondpost.owner.primaries import (
    DAYS_SHOWN,
    SHOWN_COUNTS,
    PrimaryStands,
    counted_all_days,
    counted_today,
)

COLUMNS = (
    Column("domain"),
    Column("primary"),
    Column("looked at", right=True),
    *(Column(what.value, right=True) for what in SHOWN_COUNTS),
    Column("offers", folds=True),
)


def say_primaries(primaries: list[PrimaryStands], now_ms: int) -> None:
    if len(primaries) == 0:
        return
    say_table(COLUMNS, [_row(one, now_ms) for one in primaries])
    say(f"Deliveries are counted today (in UTC) / in the last {DAYS_SHOWN} days.")
    for one in primaries:
        if one.kept_smtputf8 > 0:
            what = counted(one.kept_smtputf8, "delivery is", "deliveries are")
            say(f"{what} kept because the primary of {one.domain} does not offer SMTPUTF8.")


def _row(one: PrimaryStands, now_ms: int) -> tuple[str, ...]:
    counts = [f"{counted_today(one, what):,} / {counted_all_days(one, what):,}" for what in SHOWN_COUNTS]
    return (str(one.domain), *_state(one, now_ms), *counts, _offers(one))


def _state(one: PrimaryStands, now_ms: int) -> tuple[str, str]:
    if one.down is not None:
        return f"DOWN for {age_text(now_ms - one.down.since_ms)}", _ago(one.down.looked_ms, now_ms)
    if one.up is not None:
        return f"up for {age_text(now_ms - one.up.since_ms)}", _ago(one.up.looked_ms, now_ms)
    return "not known yet", ""


def _ago(at_ms: int, now_ms: int) -> str:
    return f"{age_text(now_ms - at_ms)} ago"


def _offers(one: PrimaryStands) -> str:
    if one.up is None:
        return ""
    offered = one.up.offered
    size = "any size" if offered.size_max is None else f"up to {size_text(offered.size_max)}"
    return f"{size}, {'SMTPUTF8' if offered.smtputf8 else 'no SMTPUTF8'}"
