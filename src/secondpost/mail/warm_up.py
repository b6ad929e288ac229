"""Warm-up: how many mails of issues a provider gets on a day from an address that is new to it.

Providers put off or refuse the mail of an address that sends much more than it did before: Google
asks to begin with little and to grow slowly (https://support.google.com/mail/answer/81126), and so
do Microsoft and Yahoo; none of them publishes numbers. Ghost begins with 200 mails and multiplies
them by 1.18 a day, without looking at the replies. This calendar begins with as many; it grows
faster, but only on what the provider took: half more than on the best of the days lately. A day
without mail grows nothing, and weeks without mail let the provider forget, and the calendar with it.
Days are UTC, as the counts are: no change of the clocks makes one longer.
"""

from collections.abc import Iterable
from typing import Protocol

from secondpost.mail.provider import OTHERS

FIRST_DAY_MAILS = 200
REMEMBERED_DAYS = 60  # a monthly newsletter must not begin anew with every issue
SENDER_FAULT_PERCENT_MAX = 5  # of a day's attempts; above it the day went badly


class ProviderCount(Protocol):
    """What became of mails of issues to a provider on a UTC day (store/provider_ports.ProviderDay)."""

    @property
    def provider(self) -> str: ...

    @property
    def day(self) -> int: ...

    @property
    def delivered(self) -> int: ...

    @property
    def attempts(self) -> int: ...

    @property
    def sender_fault(self) -> int: ...


def day_bound(days: Iterable[ProviderCount], provider: str, today: int) -> int | None:
    """The most mails that a provider gets on a day, by its counts of the days before.

    None: any number, as for providers without a profile, whose mails are few.
    """
    if provider == OTHERS:
        return None
    past = [
        each
        for each in days
        if each.provider == provider and today - REMEMBERED_DAYS <= each.day < today and each.attempts > 0
    ]
    best = max((each.delivered for each in past if went_well(each)), default=0)
    # After a bad day the amount stands still, until a day goes well.
    last = max(past, key=lambda each: each.day, default=None)
    grown = best + best // 2 if last is not None and went_well(last) else best
    return max(FIRST_DAY_MAILS, grown)


def went_well(count: ProviderCount) -> bool:
    return count.sender_fault * 100 <= count.attempts * SENDER_FAULT_PERCENT_MAX
