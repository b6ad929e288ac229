"""The numbers of a newsletter, and their picture: nothing is divided by zero, nothing counts twice."""

import re
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from secondpost.mail.delivery import State
from secondpost.mail.duration import DAY_MS
from secondpost.mail.issue import Issue, IssueId, IssueKind, IssueState
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import SubscriberState
from secondpost.owner.statistics import (
    Growth,
    GrowthCounts,
    NewsletterStatistics,
    months_from,
    statistics_of,
)
from secondpost.owner.statistics_picture import picture, scale_of
from secondpost.store.statistics_ports import IssueTally, ReaderChange

BEGIN = 1_798_761_600_000  # 2027-01-01 00:00 UTC
OSLO = ZoneInfo("Europe/Oslo")
NOTHING = IssueTally({}, 0, 0, 0)
PENDING, ACTIVE, LEFT = SubscriberState.PENDING, SubscriberState.ACTIVE, SubscriberState.LEFT
SUSPENDED, COMPLAINED = SubscriberState.SUSPENDED, SubscriberState.COMPLAINED


def issue(number: int, start_ms: int, planned: int = 10, subject: str = "News") -> Issue:
    return Issue(
        IssueId(number),
        "weekly",
        number,
        IssueKind.LETTER,
        IssueState.DONE,
        f"slot-{number}",
        QueueId(number),
        subject,
        "words",
        0,
        0,
        planned,
        start_ms,
        start_ms,
        start_ms + 1,
    )


def numbers(issues: int, planned: int = 10) -> NewsletterStatistics:
    sent = [issue(n + 1, BEGIN + n * 7 * DAY_MS, planned) for n in range(issues)]
    counts = GrowthCounts([BEGIN + n * 7 * DAY_MS for n in range(issues)], OSLO)
    counts.add([ReaderChange(BEGIN - DAY_MS, None, ACTIVE, 10)] if issues > 0 else [])
    tallies = {each.id: IssueTally({State.DELIVERED: planned * 9 // 10}, 2, 1, 1) for each in sent}
    return NewsletterStatistics(
        "weekly", 10, statistics_of(sent, tallies, counts), False, tuple(counts.months())
    )


def test_a_reader_counts_with_the_issue_that_was_the_newest_at_the_time() -> None:
    first, second = BEGIN, BEGIN + 7 * DAY_MS
    counts = GrowthCounts([first, second], OSLO)
    counts.add(
        [
            ReaderChange(first - 1, None, ACTIVE, 100),
            ReaderChange(first, ACTIVE, LEFT, 3),
            ReaderChange(second - 1, PENDING, ACTIVE, 5),
            ReaderChange(second, ACTIVE, COMPLAINED, 1),
            ReaderChange(second + 1, ACTIVE, SUSPENDED, 2),
            ReaderChange(second + 2, LEFT, COMPLAINED, 7),  # an older issue, by readers who had left
            ReaderChange(second + 3, None, PENDING, 9),
            ReaderChange(second + 4, PENDING, LEFT, 9),
        ]
    )
    one, two = statistics_of(
        [issue(1, first), issue(2, second)], {IssueId(1): NOTHING, IssueId(2): NOTHING}, counts
    )
    assert (one.joined, one.after) == (100, Growth(joined=5, left=3))
    assert (two.joined, two.after) == (5, Growth(suspended=2, complained=1, complaints=8))
    [month] = counts.months()
    assert (month.month, month.growth.net, month.readers) == ("2027-01", 99, 99)
    assert month.growth == Growth(joined=105, left=3, suspended=2, complained=1, complaints=8)


def test_months_are_those_of_the_zone_and_have_no_gaps() -> None:
    counts = GrowthCounts([], OSLO)
    new_year_in_oslo = BEGIN - 3_600_000
    counts.add(
        [ReaderChange(new_year_in_oslo - 1, None, ACTIVE, 4), ReaderChange(new_year_in_oslo, None, ACTIVE, 2)]
    )
    counts.add([ReaderChange(BEGIN + 62 * DAY_MS, ACTIVE, LEFT, 1)])
    assert [(each.month, each.growth.net, each.readers) for each in counts.months()] == [
        ("2026-12", 4, 4),
        ("2027-01", 2, 6),
        ("2027-02", 0, 6),
        ("2027-03", -1, 5),
    ]
    assert GrowthCounts([], OSLO).months() == []
    assert months_from("2026-11", "2027-01") == ["2026-11", "2026-12", "2027-01"]


def test_what_came_back_later_counts_as_bounced() -> None:
    tally = IssueTally({State.DELIVERED: 7, State.FAILED: 2, State.EXPIRED: 1, State.UNKNOWN: 1}, 0, 3, 0)
    [found] = statistics_of([issue(1, BEGIN)], {IssueId(1): tally}, GrowthCounts([BEGIN], OSLO))
    assert (found.delivered, found.bounced, found.expired, found.unknown) == (7, 5, 1, 1)


def test_mails_that_were_stopped_are_counted_and_have_no_part_in_the_bar() -> None:
    tallies = {
        IssueId(1): IssueTally({State.STOPPED: 10}, 0, 0, 0),
        IssueId(2): IssueTally({State.DELIVERED: 6, State.FAILED: 1, State.STOPPED: 3}, 0, 0, 0),
    }
    counts = GrowthCounts([BEGIN, BEGIN + DAY_MS], OSLO)
    found = statistics_of([issue(1, BEGIN), issue(2, BEGIN + DAY_MS)], tallies, counts)
    assert [(each.delivered, each.bounced, each.stopped) for each in found] == [(0, 0, 10), (6, 1, 3)]
    drawn = picture(NewsletterStatistics("weekly", 10, found, False, ()), OSLO)
    [never] = re.findall(r"<g><title>issue 1 [^<]*delivered[^<]*</title>(.*)</g>", drawn)
    assert never == ""
    [half] = re.findall(r"<g><title>issue 2 [^<]*6 of 10 delivered, 3 stopped</title>(.*)</g>", drawn)
    heights = [float(each) for each in re.findall(r' height="([0-9.]+)"', half)]
    assert heights[0] == 6 * heights[1]


@pytest.mark.parametrize(("issues", "planned"), [(0, 10), (1, 10), (1, 0), (500, 1_000_000)])
def test_the_picture_is_whole_whatever_the_numbers(issues: int, planned: int) -> None:
    found = numbers(issues, planned)
    drawn = picture(found, OSLO)
    assert drawn == picture(found, OSLO)
    root = ElementTree.fromstring(drawn)  # our own text
    named = {child.get("id") for child in root}
    assert {"title", "desc"} <= named
    heights = [float(each) for each in re.findall(r'height="([0-9.]+)"', drawn)]
    assert len(heights) > 0
    groups = [child for child in root if child.tag.endswith("}g")]
    assert len(groups) == 2 * issues + len(found.months)
    top = float(root.attrib["height"])
    for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
        y = float(rect.get("y", "0"))
        assert 0 <= y <= y + float(rect.attrib["height"]) <= top
    assert ("No issue was sent yet." in drawn) == (issues == 0)


def test_a_subject_cannot_end_an_element_of_the_picture() -> None:
    sent = [issue(1, BEGIN, subject="</title><script>alert('\x07&')</script>")]
    found = statistics_of(sent, {IssueId(1): NOTHING}, GrowthCounts([BEGIN], OSLO))
    drawn = picture(NewsletterStatistics("weekly", 1, found, False, ()), OSLO)
    root = ElementTree.fromstring(drawn)  # our own text
    assert "<script" not in drawn
    assert any("alert" in (each.text or "") for each in root.iter())


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    text = colour if len(colour) == 6 else "".join(digit * 2 for digit in colour)
    channels = [int(text[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_and_bars_stand_out_in_light_and_dark() -> None:
    [styles] = re.findall(r"<style>(.*)</style>", picture(numbers(1), OSLO), re.DOTALL)
    light, dark = styles.split("@media")
    for style in (light, dark):
        colours = {
            name: _luminance(colour) for name, colour in re.findall(r"\.?(\w+)\{fill:#([0-9a-f]+)", style)
        }
        ground = colours.pop("ground")
        for name, shade in colours.items():
            bright, dim = max(shade, ground), min(shade, ground)
            least = 4.5 if name in ("text", "quiet") else 3
            assert (bright + 0.05) / (dim + 0.05) >= least, (name, style)


def test_a_scale_ends_at_a_round_number_and_never_at_zero() -> None:
    assert [scale_of(most) for most in (0, 1, 2, 3, 7, 10, 11, 1_000_000, 1_000_001)] == [
        1, 1, 2, 5, 10, 10, 20, 1_000_000, 2_000_000,
    ]  # fmt: skip
