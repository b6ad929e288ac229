"""Words the mail about alarms: the worst in the subject, then each with its reason and remedy."""

from collections import Counter
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from secondpost.compose.own_mail import OwnHeading, paragraph
from secondpost.mail.alarm import AS_CLAIM_WAITS, AlarmKind, Severity
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.mail.moment import zoned_text
from secondpost.mail.owner_notice import AlarmRecord, News, Notice

IN_FULL_MAX = 24  # the rest is counted
_HEADINGS = {
    News.BEGAN: "New",
    News.WORSE: "Worse than before",
    News.LASTS: "Still so",
    News.ENDED: "Over",
}
_WEIGHT = {
    Severity.ACT: "Mail is delayed, or will be, until you act.",
    Severity.LOOK: "It is worth a look; mail that is on its way is not delayed.",
    Severity.PASSES: "It usually passes by itself; it has not yet.",
    Severity.NEWS: "",
}
_LEAD = {News.BEGAN: "", News.WORSE: "worse: ", News.LASTS: "still: ", News.ENDED: "over: "}


def alarm_subject(heading: OwnHeading, notices: Sequence[Notice]) -> str:
    """The first notice, which is the severest, and how many more there are."""
    first, *others = notices
    more = f" and {len(others)} more" if len(others) > 0 else ""
    return f"{heading.name}: {_LEAD[first.news]}{alarm_title(first.alarm)}{more}"


def alarm_text(notices: Sequence[Notice], zone: ZoneInfo) -> str:
    shown, counted = notices[:IN_FULL_MAX], notices[IN_FULL_MAX:]
    parts: list[str] = []
    for news in News:
        of_news = [one.alarm for one in shown if one.news is news]
        if len(of_news) > 0:
            parts.append(f"{_HEADINGS[news]}:")
            parts += [alarm_paragraphs(alarm, news, zone) for alarm in of_news]
    if len(counted) > 0:
        parts.append(paragraph(f"And {_counts(counted)}."))
    parts.append("`secondpost alarms list` shows what stands, and what lately ended.")
    return "\n\n".join(parts)


def alarm_paragraphs(alarm: AlarmRecord, news: News, zone: ZoneInfo) -> str:
    """What it is, since when, why, and the next step."""
    title = alarm_title(alarm)
    lines = [title[:1].upper() + title[1:]]
    if news is News.ENDED and alarm.ended_ms is not None:
        since, ended = zoned_text(alarm.since_ms, zone), zoned_text(alarm.ended_ms, zone)
        lines.append(f"It began at {since} and ended at {ended}, after {lasted_text(alarm)}.")
        lines += [f"{alarm.how[:1].upper()}{alarm.how[1:]}"] if len(alarm.how) > 0 else []
        return _indented(lines)
    lines.append(f"Since {zoned_text(alarm.since_ms, zone)}. {_WEIGHT[alarm.severity]}".rstrip())
    if len(alarm.detail) > 0:
        lines.append(f"Reason: {alarm.detail}")
    lines.append(f"What to do: {remedy(alarm.kind)}")
    return _indented(lines)


def alarm_title(alarm: AlarmRecord) -> str:
    """Such as "no route (example.net)"."""
    words = alarm.kind.word.replace("-", " ")
    return f"{words} ({alarm.subject})" if len(alarm.subject) > 0 else words


def remedy(kind: AlarmKind) -> str:
    return AlarmKind.CLAIM_WAITS.what_to_do if kind.what_to_do == AS_CLAIM_WAITS else kind.what_to_do


def lasted_text(alarm: AlarmRecord) -> str:
    """How long an alarm stood that has ended, in words."""
    lasted_ms = 0 if alarm.ended_ms is None else max(0, alarm.ended_ms - alarm.since_ms)
    for unit_ms, unit in ((DAY_MS, "day"), (HOUR_MS, "hour"), (MINUTE_MS, "minute")):
        if lasted_ms >= unit_ms:
            many = lasted_ms // unit_ms
            return f"{many} {unit}" if many == 1 else f"{many} {unit}s"
    return "less than a minute"


def _indented(lines: Sequence[str]) -> str:
    title, *others = lines
    return "\n".join([paragraph(title), *(paragraph(line, "  ") for line in others)])


def _counts(notices: Sequence[Notice]) -> str:
    """Such as "3 more new: 2 role died, 1 no route"."""
    parts = []
    for news in News:
        words = Counter(one.alarm.kind.word.replace("-", " ") for one in notices if one.news is news)
        if len(words) > 0:
            kinds = ", ".join(f"{many} {word}" for word, many in words.most_common())
            parts.append(f"{words.total()} more {_HEADINGS[news].lower()}: {kinds}")
    return "; ".join(parts)
