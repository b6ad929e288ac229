"""The statistics of a newsletter as an SVG picture of three bar charts.

Text and bars are readable in light and dark (WCAG 2.2, 1.4.3 and 1.4.11). Each bar has a title with
its numbers, for screen readers and as a tooltip. The same numbers give the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from zoneinfo import ZoneInfo

from secondpost.mail.moment import day_text
from secondpost.mail.printable import printable
from secondpost.owner.figures import counted
from secondpost.owner.statistics import IssueStatistics, MonthStatistics, NewsletterStatistics

WIDTH = 760  # all lengths are in CSS pixels
MARGIN = 24
LEFT = 88  # where bars begin, behind the numbers of the scale
TOP = 72  # where the first chart begins
CHART = 150  # height of the bars of a chart
CHART_APART = 92  # from the bars of a chart to those of the next one: axis, heading and legend
BAR_MAX = 36.0  # width
LABELS_MAX = 8  # below the bars

# Contrast of each with its ground: text at least 12:1, quiet text 5.7:1, bars 3.2:1.
_STYLE = """\
.ground{fill:#fff}.axis{stroke:#767676}text{fill:#1a1a1a;font:14px system-ui,sans-serif}
.head{font-size:20px;font-weight:600}.sub{font-weight:600}.quiet{fill:#595959;font-size:12px}
.p0{fill:#0067a3}.p1{fill:#c25700}.p2{fill:#8a3d86}
@media (prefers-color-scheme:dark){.ground{fill:#16181c}.axis{stroke:#8f959e}text{fill:#f0f0f0}
.quiet{fill:#b3b8c0}.p0{fill:#56b4e9}.p1{fill:#e69f00}.p2{fill:#d98ad3}}"""


@dataclass(frozen=True, slots=True)
class Bar:
    label: str  # below it
    title: str  # its numbers, in words
    parts: tuple[int, ...]  # from below, one per series


@dataclass(frozen=True, slots=True)
class Chart:
    heading: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]
    nothing: str  # instead of bars where there are none


def picture(found: NewsletterStatistics, zone: ZoneInfo) -> str:
    """An SVG document that stands alone; days are those of the newsletter's zone."""
    charts = (_mails(found.issues, zone), _losses(found.issues, zone), _months(found.months))
    height = TOP + len(charts) * (CHART + CHART_APART)
    title = escape(f"{found.newsletter}: issues and readers")
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{title}</title>',
        f'<desc id="desc">{escape(_summary(found, zone))}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        f'<text class="head" x="{MARGIN}" y="38">{title}</text>',
    ]
    for nth, chart in enumerate(charts):
        lines += _drawn(chart, TOP + nth * (CHART + CHART_APART))
    return "\n".join([*lines, "</svg>", ""])


def _summary(found: NewsletterStatistics, zone: ZoneInfo) -> str:
    readers = counted(found.readers, "reader", "readers")
    if len(found.issues) == 0:
        return f"{readers} now. No issue was sent yet."
    last = found.issues[-1]
    return (
        f"{readers} now. {counted(len(found.issues), 'issue is', 'issues are')} shown. The newest is "
        f"{_mails_title(last, zone)}; {_losses_title(last, zone)}."
    )


def _mails(issues: Sequence[IssueStatistics], zone: ZoneInfo) -> Chart:
    bars = tuple(
        Bar(
            str(each.issue.number),
            _mails_title(each, zone),
            (each.delivered, max(each.issue.planned - each.stopped - each.delivered, 0)),
        )
        for each in issues
    )
    return Chart("Mails of each issue", ("delivered", "not delivered"), bars, "No issue was sent yet.")


def _losses(issues: Sequence[IssueStatistics], zone: ZoneInfo) -> Chart:
    bars = tuple(
        Bar(
            str(each.issue.number),
            _losses_title(each, zone),
            (each.bounced, each.after.left, each.after.complaints),
        )
        for each in issues
    )
    series = ("bounced", "left", "complained")
    return Chart("After each issue, until the next one", series, bars, "No issue was sent yet.")


def _months(months: Sequence[MonthStatistics]) -> Chart:
    bars = tuple(
        Bar(
            each.month,
            f"{each.month}: {each.growth.joined:,} joined, {_gone(each):,} gone, "
            f"{counted(each.readers, 'reader', 'readers')} at the end",
            (each.growth.joined, _gone(each)),
        )
        for each in months
    )
    return Chart("Readers by month", ("joined", "gone"), bars, "There were no readers yet.")


def _gone(each: MonthStatistics) -> int:
    return each.growth.joined - each.growth.net


def _mails_title(each: IssueStatistics, zone: ZoneInfo) -> str:
    stopped = f", {each.stopped:,} stopped" if each.stopped > 0 else ""
    return (
        f"issue {each.issue.number} of {day_text(each.start_ms, zone)}, {printable(each.issue.subject)}: "
        f"{each.delivered:,} of {each.issue.planned:,} delivered{stopped}"
    )


def _losses_title(each: IssueStatistics, zone: ZoneInfo) -> str:
    return (
        f"issue {each.issue.number} of {day_text(each.start_ms, zone)}: {each.bounced:,} bounced, "
        f"{each.after.left:,} left, {each.after.complaints:,} complained"
    )


def _drawn(chart: Chart, top: int) -> list[str]:
    """The lines of a chart whose heading begins at `top`."""
    floor = top + 44 + CHART
    lines = [f'<text class="sub" x="{MARGIN}" y="{top}">{escape(chart.heading)}</text>']
    if len(chart.bars) == 0:
        return [*lines, f'<text class="quiet" x="{MARGIN}" y="{top + 24}">{escape(chart.nothing)}</text>']
    lines += _legend(chart.series, top)
    most = scale_of(max(sum(bar.parts) for bar in chart.bars))
    for value, y in ((most, floor - CHART), (0, floor)):
        lines.append(f'<line class="axis" x1="{LEFT}" y1="{y}" x2="{WIDTH - MARGIN}" y2="{y}"/>')
        lines.append(f'<text class="quiet" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{value:,}</text>')
    room = (WIDTH - MARGIN - LEFT) / len(chart.bars)
    labelled_each = -(-len(chart.bars) // LABELS_MAX)
    for nth, bar in enumerate(chart.bars):
        middle = LEFT + (nth + 0.5) * room
        lines.append(_bar(bar, middle, floor, min(room * 0.8, BAR_MAX), most))
        if nth % labelled_each == 0:
            label = f'<text class="quiet" x="{middle:.1f}" y="{floor + 18}" text-anchor="middle">'
            lines.append(f"{label}{escape(bar.label)}</text>")
    return lines


def _legend(series: Sequence[str], top: int) -> list[str]:
    lines = []
    x = MARGIN
    for nth, word in enumerate(series):
        lines.append(f'<rect class="p{nth}" x="{x}" y="{top + 13}" width="12" height="12"/>')
        lines.append(f'<text class="quiet" x="{x + 18}" y="{top + 24}">{escape(word)}</text>')
        x += 18 + 8 * len(word) + 20
    return lines


def _bar(bar: Bar, middle: float, floor: int, width: float, most: int) -> str:
    drawn = [f"<g><title>{escape(bar.title)}</title>"]
    y = float(floor)
    for nth, part in enumerate(bar.parts):
        height = part / most * CHART
        y -= height
        if part > 0:
            drawn.append(
                f'<rect class="p{nth}" x="{middle - width / 2:.2f}" y="{y:.2f}" width="{width:.2f}" '
                f'height="{height:.2f}"/>'
            )
    return "".join([*drawn, "</g>"])


def scale_of(most: int) -> int:
    """The end of a scale: at least `most`, a round number, and never 0."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if most <= factor * step:
                return factor * step
        step *= 10
