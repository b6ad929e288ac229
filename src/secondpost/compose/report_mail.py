"""Words the mails to the owner at fixed times: the digest, and that all is well."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from secondpost.compose.alarm_mail import alarm_paragraphs
from secondpost.compose.own_mail import OwnHeading, paragraph
from secondpost.mail.attack import AttackCount
from secondpost.mail.daily import DailyCount
from secondpost.mail.delivery import State
from secondpost.mail.duration import DAY_MS
from secondpost.mail.moment import utc_text
from secondpost.mail.owner_notice import AlarmRecord, News, ReportKind
from secondpost.mail.size import size_text
from secondpost.protocols.attacks.rule import AttackGrade
from secondpost.protocols.attacks.rules import RULES
from secondpost.store.owner_ports import Count
from secondpost.store.primary_ports import DayCount

STANDING_SHOWN = 20
RULES_SHOWN = 3
_WORDS = {
    DailyCount.PASSED_ON: "delivered",
    DailyCount.HELD: "held while a primary was down",
    DailyCount.KEPT: "kept for you to decide",
    DailyCount.REFUSED: "refused",
    DailyCount.REFUSED_FOR_NOW: "refused for now",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What a report says besides the alarms. `newsletters`: a line for each."""

    counts: Sequence[Count]
    days: int  # whole days (UTC), the last of which was yesterday
    day_counts: Sequence[DayCount]
    newsletters: Sequence[str]
    attacks: Sequence[AttackCount] = ()  # of the same days


def report_subject(kind: ReportKind, standing: Sequence[AlarmRecord], heading: OwnHeading) -> str:
    if kind is ReportKind.DIGEST:
        return f"{heading.name}: digest"
    if len(standing) == 0:
        return f"{heading.name}: all is well"
    return f"{heading.name}: {_alarms_stand(len(standing))}"


def report_text(
    kind: ReportKind, standing: Sequence[AlarmRecord], figures: Figures, zone: ZoneInfo, now_ms: int
) -> str:
    parts = ["No alarm stands: all is well." if len(standing) == 0 else f"{_alarms_stand(len(standing))}:"]
    parts += [alarm_paragraphs(alarm, News.LASTS, zone) for alarm in standing[:STANDING_SHOWN]]
    if len(standing) > STANDING_SHOWN:
        parts.append(f"And {len(standing) - STANDING_SHOWN} more: `secondpost alarms list` shows them.")
    parts.append(paragraph(_passed(figures, now_ms)))
    attacked = _attacked(figures.attacks)
    if len(attacked) > 0:
        parts.append(paragraph(attacked))
    parts.append(paragraph(_present(figures.counts)))
    if len(figures.newsletters) > 0:
        parts.append("\n".join(figures.newsletters))
    key = "digest" if kind is ReportKind.DIGEST else "all_is_well"
    parts.append(f"When this mail comes is set by `{key}` in [alarms].")
    return "\n\n".join(parts)


def _alarms_stand(many: int) -> str:
    return "1 alarm stands" if many == 1 else f"{many} alarms stand"


def _passed(figures: Figures, now_ms: int) -> str:
    """What became of the mail for backup domains in the last days."""
    sums: Counter[DailyCount] = Counter()
    for one in figures.day_counts:
        sums[one.what] += one.all_days
    first, last = (utc_text(now_ms - back * DAY_MS)[:10] for back in (figures.days, 1))
    when = f"On {last}" if figures.days == 1 else f"From {first} to {last}"
    said = ", ".join(f"{sums[what]:,} {words}" for what, words in _WORDS.items())
    return f"{when} (UTC), deliveries for the backup domains: {said}."


def _attacked(counts: Sequence[AttackCount]) -> str:
    """How often attackers tried in those days; empty if there was nothing but noise."""
    exploits, probes = _times(counts, AttackGrade.EXPLOIT), _times(counts, AttackGrade.PROBE)
    if exploits.total() + probes.total() == 0:
        return ""
    worst = exploits if exploits.total() > 0 else probes
    most = ", ".join(f"{rule} ({many:,})" for rule, many in worst.most_common(RULES_SHOWN))
    return (
        f"In the same days attackers tried {exploits.total():,} times to break in, and {probes.total():,} "
        f"times to find a weakness, most often {most}. None of it could affect this server: "
        "`secondpost watch attacks` says why, and who it was."
    )


def _times(counts: Sequence[AttackCount], grade: AttackGrade) -> Counter[str]:
    rules = {rule.id for rule in RULES if rule.grade is grade}
    times: Counter[str] = Counter()
    for count in counts:
        if count.rule in rules:
            times[count.rule] += count.times
    return times


def _present(counts: Sequence[Count]) -> str:
    waiting = sum(count.deliveries for count in counts if count.state is not State.KEPT)
    kept = sum(count.deliveries for count in counts if count.state is State.KEPT)
    octets = size_text(sum(count.octets for count in counts))
    return f"Now {waiting:,} deliveries wait or are held, and {kept:,} are kept: {octets} in all."
