"""The lines of `status --watch`, for a width and a height.

What matters most comes first: the service, the queues and the issues. Primaries and alarms share what is
left of the height: whole if there is room for that, else a line each, and what has no room is counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from rich.cells import cell_len, set_cell_size

from secondpost.cli.screen import style_of
from secondpost.compose.alarm_mail import alarm_title
from secondpost.config.records import Config
from secondpost.mail.alarm import Severity
from secondpost.mail.duration import SECOND_MS, age_text
from secondpost.mail.moment import utc_text
from secondpost.mail.owner_notice import AlarmRecord
from secondpost.mail.printable import printable
from secondpost.mail.size import size_text
from secondpost.owner.live import HELD_OWNER, HELD_PRIMARY, KEPT, QUEUE_COLUMNS, IssueProgress, LiveLook
from secondpost.owner.primaries import PrimaryStands

BAR_CHARACTERS = 24
# Of the lane, the columns of QUEUE_COLUMNS, the size and the oldest: 79 together.
QUEUE_WIDTHS = (10, 10, 16, 14, 8, 9, 12)
DOWN_STYLE, WARN_STYLE, GOOD_STYLE, HEAD_STYLE = "bold red", "yellow", "green", "bold"
_QUEUE_STYLES = {HELD_PRIMARY: WARN_STYLE, HELD_OWNER: WARN_STYLE, KEPT: "red"}
_ALARM_STYLES = {Severity.ACT: DOWN_STYLE, Severity.LOOK: WARN_STYLE}


@dataclass(frozen=True, slots=True)
class LiveLine:
    text: str
    style: str = ""


def live_lines(
    look: LiveLook, before: LiveLook | None, config: Config, width: int, height: int
) -> list[LiveLine]:
    """At most `height` lines of at most `width` characters. `before`: the look before this one."""
    fixed = [
        *_heading(look, config),
        *_queues(look),
        *_rates(look, before),
        *(line for one in look.issues for line in _issue(one)),
    ]
    primaries = [_primary(one, look.at_ms) for one in _worst_first(look.primaries)]
    alarms = [_alarm(one, look.at_ms) for one in look.alarms]
    if len(alarms) == 0:
        alarms = [LiveLine("No alarm stands.", GOOD_STYLE)]
    room = max(2, height - len(fixed))
    whole = [piece for line in (*primaries, *alarms) for piece in _wrapped(line, width)]
    if len(whole) <= room:
        return [LiveLine(cut(line.text, width), line.style) for line in (*fixed, *whole)]
    for_alarms = min(len(alarms), max(1, room - min(len(primaries), max(1, room // 2))))
    shown = [
        *fixed,
        *_within(primaries, room - for_alarms, "primaries", "`secondpost status` lists them"),
        *_within(alarms, for_alarms, "alarms", "`secondpost alarms list` shows them"),
    ]
    return [LiveLine(cut(line.text, width), line.style) for line in shown[:height]]


def _wrapped(line: LiveLine, width: int) -> list[LiveLine]:
    pieces = wrap(line.text, width, subsequent_indent="  ", break_on_hyphens=False)
    return [LiveLine(piece, line.style) for piece in pieces]


def _heading(look: LiveLook, config: Config) -> Iterator[LiveLine]:
    yield LiveLine(f"{config.hostname}  {utc_text(look.at_ms)}  (q ends)", HEAD_STYLE)
    if len(look.served_by) == 0:
        yield LiveLine("The service is NOT RUNNING: nothing is accepted, and nothing goes out.", DOWN_STYLE)
    else:
        yield LiveLine(f"The service runs: {', '.join(sorted(look.served_by))}.", GOOD_STYLE)


def _queues(look: LiveLook) -> Iterator[LiveLine]:
    titles = ("lane", *QUEUE_COLUMNS, "size", "oldest")
    yield LiveLine(_row(titles), HEAD_STYLE)
    for lane, queue in look.lanes.items():
        counts = (f"{queue.deliveries[column]:,}" for column in QUEUE_COLUMNS)
        oldest = "" if queue.oldest_ms is None else age_text(look.at_ms - queue.oldest_ms)
        style = next((_QUEUE_STYLES[one] for one in _QUEUE_STYLES if queue.deliveries[one] > 0), "")
        yield LiveLine(_row((lane, *counts, size_text(queue.octets), oldest)), style)
    if look.reader_mails is not None:
        yield LiveLine(_row(("to readers", f"{look.reader_mails:,}")))


def _row(cells: Sequence[str]) -> str:
    first, *others = zip(cells, QUEUE_WIDTHS, strict=False)
    return f"{first[0]:<{first[1]}}" + "".join(f"{cell:>{width}}" for cell, width in others)


def _rates(look: LiveLook, before: LiveLook | None) -> Iterator[LiveLine]:
    octets = size_text(sum(queue.octets for queue in look.lanes.values()))
    stored = f"{octets} stored"
    if before is None or look.at_ms <= before.at_ms:
        yield LiveLine(f"{stored}; rates come with the next look")
        return
    seconds = (look.at_ms - before.at_ms) / SECOND_MS
    passed_on = max(0, look.passed_on - before.passed_on) / seconds
    issue_mails = max(0, look.issue_mails - before.issue_mails) / seconds
    rates = f"{passed_on:,.1f}/s passed on"
    if look.reader_mails is not None:
        rates += f", {issue_mails:,.1f}/s of issues"
    yield LiveLine(f"{stored}; {rates}")


def _issue(one: IssueProgress) -> Iterator[LiveLine]:
    issue, mails = one.issue, one.reckoning
    done = mails.accounted / mails.planned if mails.planned > 0 else 0.0
    bar = ("#" * int(done * BAR_CHARACTERS)).ljust(BAR_CHARACTERS, "-")
    yield LiveLine(
        f"Issue {issue.number} of {issue.newsletter} {issue.state}: [{bar}] {done:.0%}, "
        f"{mails.accounted:,} of {mails.planned:,}",
        HEAD_STYLE,
    )
    troubles = {"deferred": one.deferred, "failed": mails.failed, "unknown": mails.unknown}
    said = ", ".join(f"{many:,} {word}" for word, many in troubles.items() if many > 0)
    if len(said) > 0:
        yield LiveLine(f"  {said}", WARN_STYLE)


def _worst_first(primaries: Sequence[PrimaryStands]) -> list[PrimaryStands]:
    return sorted(primaries, key=lambda one: one.down is None)


def _primary(one: PrimaryStands, now_ms: int) -> LiveLine:
    name = f"Primary of {one.domain}"
    if one.down is not None:
        age = age_text(now_ms - one.down.since_ms)
        return LiveLine(f"{name} DOWN for {age}: {printable(one.down.detail)}", DOWN_STYLE)
    if one.up is not None:
        return LiveLine(f"{name} up for {age_text(now_ms - one.up.since_ms)}", style_of("delivered"))
    return LiveLine(f"{name} not known yet")


def _alarm(one: AlarmRecord, now_ms: int) -> LiveLine:
    said = "" if len(one.detail) == 0 else f": {printable(one.detail)}"
    text = f"ALARM for {age_text(now_ms - one.since_ms)}: {printable(alarm_title(one))}{said}"
    return LiveLine(text, _ALARM_STYLES.get(one.severity, ""))


def _within(lines: Sequence[LiveLine], room: int, what: str, where: str) -> list[LiveLine]:
    """The lines, or as many as there is room for with a last one that counts the others."""
    if len(lines) <= room:
        return list(lines)
    shown = max(0, room - 1)
    return [*lines[:shown], LiveLine(f"… {len(lines) - shown} more {what}: {where}", WARN_STYLE)]


def cut(text: str, width: int) -> str:
    """The text in at most `width` columns; wide characters count as two."""
    if cell_len(text) <= width:
        return text
    return f"{set_cell_size(text, max(0, width - 1)).rstrip()}…"
