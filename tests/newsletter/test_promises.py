"""What `issue next` says happens, with random calendars, zones, restarts, changes and clocks.

PROMISES is the number of runs, each with several questions; `make long` does 10,000.
"""

import os
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from tests.newsletter.blog import WEEKLY
from tests.newsletter.conftest import Ground
from tests.newsletter.promised import Ask, Change, Doubt, Leap, Life, Pass, Read, Send, Step, Stop, Write

LIVES = int(os.environ.get("PROMISES", "150"))
ZONES = ("UTC", "Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
         "Pacific/Kiritimati", "America/Los_Angeles", "Africa/Casablanca")  # fmt: skip
EVERY = ("daily 02:30", "daily 09:00", "friday 09:00", "saturday 23:30", "monday,friday 00:00", "tuesday",
         "wednesday, friday 09:00", "monday,tuesday,wednesday,thursday,friday,saturday,sunday 02:15",
         "first monday 23:59", "last sunday 02:30", "day 31 09:00", "day 1", "every 2 weeks friday 01:30",
         "when ready")  # fmt: skip
# Around these days clocks change in some zone, or the year ends, with and without a 53rd week.
DAYS = ("2029-03-25", "2029-10-28", "2029-03-11", "2029-11-04", "2029-04-01", "2029-10-07", "2028-12-31",
        "2026-12-31", "2028-02-29", "2029-06-15")  # fmt: skip

spans = st.one_of(
    st.integers(0, 3 * HOUR_MS),
    st.integers(0, 20).map(lambda hours: hours * HOUR_MS),
    st.integers(0, 40 * DAY_MS),
)
changes = st.builds(
    Change,
    every=st.sampled_from(EVERY),
    timezone=st.sampled_from(ZONES),
    min_articles=st.integers(1, 3),
    approve=st.booleans(),
    settle_ms=st.sampled_from((0, MINUTE_MS, 10 * MINUTE_MS, 7 * HOUR_MS, DAY_MS)),
    undo_ms=st.sampled_from((0, 15 * MINUTE_MS)),
)
steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(Pass, spans, st.booleans()),
    st.builds(Pass, spans),
    st.builds(Write, st.integers(1, 3)),
    st.builds(Leap, st.one_of(spans, spans.map(lambda ms: -ms))),
    changes,
    st.builds(Doubt, st.booleans()),
    st.builds(Read, st.booleans()),
    st.sampled_from((Send(), Stop(), Ask(), Ask())),
)
starts = st.builds(
    lambda day, ms: int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000) + ms,
    st.sampled_from(DAYS),
    st.integers(-5 * DAY_MS, 3 * DAY_MS),
)


@settings(max_examples=LIVES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(starts, changes, st.lists(steps, max_size=10))
def test_what_is_promised_is_what_happens(
    ground: Ground, at_ms: int, first: Change, lived: list[Step]
) -> None:
    life = Life(ground.blog(first.applied(WEEKLY), at_ms))

    async def story() -> None:
        try:
            await life.live(Read(True))
            for step in (*lived, Ask()):
                await life.live(step)
        finally:
            await life.live(Stop())

    ground.bench.run(story())
