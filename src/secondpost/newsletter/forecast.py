"""How many days an issue will take, and what each provider gets today; said before it is frozen.

It follows the calendar of the warm-up, the rate of all mail and the pauses of providers, and takes for
granted that the days to come go well.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from secondpost.mail.daily import day_of
from secondpost.mail.duration import DAY_MS
from secondpost.mail.provider import OTHERS, provider_of_key
from secondpost.mail.warm_up import ProviderCount, day_bound

DAYS_MAX = 366  # looked ahead
NAMED_MAX = 5  # providers in the sentence


@dataclass(frozen=True, slots=True)
class ProviderPart:
    """What a provider gets of an issue."""

    provider: str  # key; mail/provider.OTHERS: all without a profile together
    readers: int
    today: int  # mails that it gets until the end of the UTC day
    bound: int | None  # mails that it may get today; None: any number
    is_paused: bool = False

    @property
    def name(self) -> str:
        return "other providers" if self.provider == OTHERS else provider_of_key(self.provider).name


@dataclass(frozen=True, slots=True)
class SlowedBy:
    """What slows an issue down, beside the readers' servers."""

    warm_up: bool
    mails_per_day: int | None = None  # to all providers together; None: any number
    paused: frozenset[str] = frozenset()  # keys of providers


@dataclass(frozen=True, slots=True)
class Forecast:
    readers: int
    days: int | None  # UTC days with mail, today included; None: more than DAYS_MAX
    today: tuple[ProviderPart, ...]  # by number of readers, most first; paused ones too

    def ends_ms(self, now_ms: int) -> int | None:
        """The end of the last UTC day with mail, at the latest."""
        return None if self.days is None else (day_of(now_ms) + max(self.days, 1)) * DAY_MS

    @property
    def is_plain(self) -> bool:
        """Whether all readers get it on the first day."""
        return self.days is not None and self.days <= 1 and not any(each.is_paused for each in self.today)

    def sentence(self) -> str:
        """How long it takes, and why, for the owner; empty if there are no readers."""
        if self.readers == 0:
            return ""
        parts = self.today_text()
        slow = [] if len(parts) == 0 else [f"Today it reaches {parts}."]
        return " ".join([self.duration(), *slow, *self._paused()])

    def duration(self) -> str:
        readers = f"{self.readers:,} {'reader' if self.readers == 1 else 'readers'}"
        if self.days is None:
            return f"An issue to {readers} would take more than {DAYS_MAX} days."
        if self.days <= 1:
            return f"An issue to {readers} takes a day at most."
        return f"An issue to {readers} takes about {self.days} days."

    def today_text(self) -> str:
        """What those providers get today that do not get all of it; empty if each does."""
        slow = [each for each in self.today if not each.is_paused and each.today < each.readers]
        parts = [f"{each.today:,} of {each.readers:,} at {each.name}" for each in slow[:NAMED_MAX]]
        if len(slow) > NAMED_MAX:
            parts.append(f"and so on for {len(slow) - NAMED_MAX} more")
        return ", ".join(parts)

    def _paused(self) -> list[str]:
        return [
            f"Mail to {each.name} is paused, and its {each.readers:,} readers wait."
            for each in self.today
            if each.is_paused
        ]


@dataclass(frozen=True, slots=True)
class _Sent:
    """A day to come that went well, for the calendar (mail/warm_up.ProviderCount)."""

    provider: str
    day: int
    delivered: int
    sender_fault: int = 0

    @property
    def attempts(self) -> int:
        return self.delivered


def forecast(
    audience: Mapping[str, int], counts: Sequence[ProviderCount], limits: SlowedBy, now_ms: int
) -> Forecast:
    """`audience`: readers by provider, as counted (mail/provider.counted_as); `counts`: the days lately,
    today included.
    """
    today = day_of(now_ms)
    shares = [_share(provider, readers, counts, limits, today) for provider, readers in audience.items()]
    shares = sorted(
        (each for each in shares if each.readers > 0), key=lambda each: (-each.readers, each.provider)
    )
    left = {each.provider: each.readers for each in shares if not each.is_paused}
    known: list[ProviderCount] = list(counts)
    first: Mapping[str, int] = {}
    days = 0
    while any(readers > 0 for readers in left.values()) and days < DAYS_MAX:
        day = today + days
        wholeness = 1.0 if days > 0 else 1 - now_ms % DAY_MS / DAY_MS
        sent = _day(left, _room(left, known, limits, day), limits.mails_per_day, wholeness)
        first = sent if days == 0 else first
        left = {provider: readers - sent[provider] for provider, readers in left.items()}
        known = _after(known, sent, day)
        days += 1
    is_over = all(readers == 0 for readers in left.values())
    return Forecast(
        readers=sum(each.readers for each in shares),
        days=days if is_over else None,
        today=tuple(replace(each, today=first.get(each.provider, 0)) for each in shares),
    )


def _share(
    provider: str, readers: int, counts: Iterable[ProviderCount], limits: SlowedBy, today: int
) -> ProviderPart:
    bound = day_bound(counts, provider, today) if limits.warm_up else None
    return ProviderPart(provider, readers, 0, bound, provider in limits.paused)


def _room(
    left: Mapping[str, int], counts: Sequence[ProviderCount], limits: SlowedBy, day: int
) -> dict[str, int | None]:
    """How many more mails each provider may get on a day."""
    had = {each.provider: each.attempts for each in counts if each.day == day}
    bounds = {provider: day_bound(counts, provider, day) if limits.warm_up else None for provider in left}
    return {
        provider: None if bound is None else max(bound - had.get(provider, 0), 0)
        for provider, bound in bounds.items()
    }


def _day(
    left: Mapping[str, int], room: Mapping[str, int | None], mails_per_day: int | None, wholeness: float
) -> dict[str, int]:
    """What goes to each provider on a day; `wholeness`: how much of the day there is."""
    sent = {}
    for provider, readers in left.items():
        most = room[provider]
        sent[provider] = readers if most is None else min(readers, most)
    wanted = sum(sent.values())
    most_of_all = wanted if mails_per_day is None else int(mails_per_day * wholeness)
    if wanted <= most_of_all:
        return sent
    # The rate is shared as the mails wait. What rounding leaves goes to the first ones.
    shared = {provider: mails * most_of_all // wanted for provider, mails in sent.items()}
    rest = most_of_all - sum(shared.values())
    for provider, mails in sent.items():
        if rest > 0 and shared[provider] < mails:
            shared[provider] += 1
            rest -= 1
    return shared


def _after(counts: Sequence[ProviderCount], sent: Mapping[str, int], day: int) -> list[ProviderCount]:
    """The counts with those of a day to come, which go beside what the day had before."""
    had = {each.provider: each for each in counts if each.day == day and each.provider in sent}
    new: list[ProviderCount] = []
    for provider, mails in sent.items():
        before = had.get(provider)
        delivered, fault = (0, 0) if before is None else (before.delivered, before.sender_fault)
        new.append(_Sent(provider, day, delivered + mails, fault))
    return [each for each in counts if not (each.day == day and each.provider in sent)] + new
