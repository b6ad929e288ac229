"""Alarms the owner when stored mail reaches 70 and 90 % of the disk or of a quota."""

from collections.abc import Mapping
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import KeptFor
from secondpost.mail.size import size_text
from secondpost.maillog import MailLog
from secondpost.store.owner_ports import Count

ALARM_PERCENTS = (90, 70)


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
    """Alarms once per step, and again only after the step was left."""

    def __init__(self, log: MailLog) -> None:
        self._log = log
        self._said: dict[str, int] = {}

    def look(self, found: list[Filling]) -> Mapping[str, int]:
        for filling in found:
            before, step = self._said.get(filling.name, 0), filling.step
            if step > before:
                text = f"{filling.name}: {size_text(filling.used)} of {size_text(filling.bound)}"
                self._log.alarm(AlarmKind.FILLING_UP, f"{text}, more than {step} %")
            self._said[filling.name] = step
        return self._said
