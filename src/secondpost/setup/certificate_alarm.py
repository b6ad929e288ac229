"""The alarm about our certificate: it ends soon, or its files cannot be read.

A certificate of a few days is renewed late in its life by design, so its steps are parts of its own
time.
"""

from dataclasses import dataclass

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import DAY_MS, age_text
from secondpost.mail.moment import utc_text
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.world.ports import Clock

SOON_MS, NOW_MS = 21 * DAY_MS, 3 * DAY_MS
SOON_PART, NOW_PART = 4, 28  # of its whole time, where that is less
SOON_STEP, NOW_STEP = 1, 2


@dataclass(frozen=True, slots=True)
class Validity:
    """When a certificate begins and ends."""

    begins_ms: int
    ends_ms: int

    def step(self, now_ms: int) -> int:
        """How close its end is: NOW_STEP, SOON_STEP or 0."""
        whole_ms, left_ms = self.ends_ms - self.begins_ms, self.ends_ms - now_ms
        if left_ms < min(NOW_MS, whole_ms // NOW_PART):
            return NOW_STEP
        return SOON_STEP if left_ms < min(SOON_MS, whole_ms // SOON_PART) else 0


class CertificateAlarm:
    """`path`: of the certificate."""

    def __init__(self, path: str, clock: Clock, alarms: StandingAlarms) -> None:
        self._path = path
        self._clock = clock
        self._alarms = alarms
        self._last: Validity | None = None  # of the files when they were last good

    def look(self, found: Validity | None, why: str = "") -> None:
        """`found`: None if the files cannot be used, `why`: the reason. The certificate that was read
        before stays in use.
        """
        now_ms = self._clock.now_ms()
        self._last = self._last if found is None else found
        step = SOON_STEP if self._last is None else self._last.step(now_ms)
        if found is None:
            in_use = "" if self._last is None else f"; the one in use {_end_text(self._last, now_ms)}"
            detail = f"it cannot be used: {why}{in_use}"
            self._alarms.begin(AlarmKind.CERTIFICATE_ENDS, self._path, detail, max(step, SOON_STEP))
        elif step > 0:
            self._alarms.begin(AlarmKind.CERTIFICATE_ENDS, self._path, _end_text(found, now_ms), step)
        else:
            how = f"the one in use now {_end_text(found, now_ms)}"
            self._alarms.end(AlarmKind.CERTIFICATE_ENDS, self._path, how)


def _end_text(validity: Validity, now_ms: int) -> str:
    if validity.ends_ms <= now_ms:
        return f"ended at {utc_text(validity.ends_ms)}"
    return f"ends at {utc_text(validity.ends_ms)}, in {age_text(validity.ends_ms - now_ms)}"
