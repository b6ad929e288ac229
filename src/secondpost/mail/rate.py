"""Rates of mails, as configured: "20000 an hour"."""

import re
from dataclasses import dataclass

from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

_WRITTEN = re.compile(r"([0-9]{1,9}) ?(?:an? |per |/ ?)(second|minute|hour|day)")
_UNITS = {"second": SECOND_MS, "minute": MINUTE_MS, "hour": HOUR_MS, "day": DAY_MS}


@dataclass(frozen=True, slots=True)
class MailRate:
    mails: int  # at least one
    within_ms: int  # a second, a minute, an hour or a day

    @property
    def per_second(self) -> float:
        return self.mails * SECOND_MS / self.within_ms

    def __str__(self) -> str:
        unit = next(word for word, ms in _UNITS.items() if ms == self.within_ms)
        return f"{self.mails} {'an' if unit == 'hour' else 'a'} {unit}"


def parse_rate(text: str) -> MailRate:
    """Raises ValueError with what is wrong."""
    found = _WRITTEN.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError('it is no rate; write one such as "20000 an hour"')
    mails = int(found[1])
    if mails == 0:
        raise ValueError("a rate of 0 would never send anything; hold an issue with `issue hold` instead")
    return MailRate(mails, _UNITS[found[2]])
