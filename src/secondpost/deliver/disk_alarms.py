"""Alarms the owner when stored mail reaches 70 and 90 % of the disk or of a quota, and when new mail
is refused.
"""

from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import KeptFor
from secondpost.mail.size import size_text
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.store.owner_ports import Count

ALARM_PERCENTS = (90, 70)
# Below both, new mail has no room: a message of a usual size, and this part of the whole.
USUAL_OCTETS = 100_000
FULL_PART = 100


@dataclass(frozen=True, slots=True)
class Filling:
    """Something that fills up. `used` and `bound` are octets."""

    name: str
    used: int
    bound: int

    @property
    def step(self) -> int:
        """The highest percentage of ALARM_PERCENTS reached; 0: none."""
        percent = 100 * self.used / self.bound if self.bound > 0 else 100
        return next((step for step in ALARM_PERCENTS if percent >= step), 0)

    @property
    def is_full(self) -> bool:
        return self.bound - self.used <= min(USUAL_OCTETS, self.bound // FULL_PART)


def fillings(config: Config, counts: list[Count], free: int) -> list[Filling]:
    """The disk and each quota. `free`: octets on the disk beyond the reserve."""
    stored: dict[str, int] = {}
    for count in counts:
        if count.kept_for is not KeptFor.REFUSED:  # refused mail does not count in the quota
            stored[count.domain] = stored.get(count.domain, 0) + count.octets
    used = sum(count.octets for count in counts)
    found = [Filling("disk", used, used + max(free, 0))] if used > 0 or free <= 0 else []
    for backup in config.backups:
        if backup.quota is not None:
            found.append(Filling(backup.domain.name, stored.get(backup.domain.name, 0), backup.quota))
    return found


class DiskAlarms:
    def __init__(self, alarms: StandingAlarms) -> None:
        self._alarms = alarms

    def look(self, found: list[Filling]) -> None:
        """Begin and end the alarms. What is no longer `found` is empty."""
        names = {filling.name for filling in found}
        for alarm in self._alarms.standing():
            if alarm.kind in (AlarmKind.FILLING_UP, AlarmKind.NO_ROOM) and alarm.subject not in names:
                self._alarms.end(alarm.kind, alarm.subject)
        for filling in found:
            self._look_at(filling)

    def _look_at(self, filling: Filling) -> None:
        name, amounts = filling.name, f"{size_text(filling.used)} of {size_text(filling.bound)}"
        if filling.step > 0:
            detail = f"{amounts}, more than {filling.step} %"
            self._alarms.begin(AlarmKind.FILLING_UP, name, detail, filling.step)
        else:
            self._alarms.end(AlarmKind.FILLING_UP, name)
        if filling.is_full:
            self._alarms.begin(AlarmKind.NO_ROOM, name, f"{amounts}: new mail is refused for now")
        else:
            self._alarms.end(AlarmKind.NO_ROOM, name)
