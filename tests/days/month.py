"""A new server's first thirty days, with three blackouts and a wave of spam: `python -m tests.days.month`.

Nobody gets a bounce, everybody's mail arrives once, and the primary sees no dictionary attack.
"""

import sys
import tempfile
from pathlib import Path

from secondpost.deliver.refusal_budget import REFUSALS_PER_CONNECTION_MAX, REFUSALS_PER_MINUTE_MAX
from simulation.clock import fence
from simulation.day import calm_housekeeping
from tests.days.test_hostile_primary import MINUTE, Primary, Town
from tests.days.test_unverified import DAY, PEOPLE, give, kept_as_refused, most_within, newcomer

DAYS = 30
BLACKOUTS = ((0, 1), (9, 11), (20, 23))  # from the first day to the last but one
SPAM_DAYS = (9, 10, 21)
SPAM = 60  # invented recipients on each of them


def live(town: Town) -> Primary:
    primary = newcomer(town)
    for day in range(DAYS):
        if any(day == first for first, _ in BLACKOUTS):
            primary.shut()
        if any(day == last for _, last in BLACKOUTS):
            primary.open()
        give(town, *PEOPLE)
        if day in SPAM_DAYS:
            give(town, *(f"spam{day}x{number}" for number in range(SPAM)))
        town.pass_by(DAY)
    return primary


def faults_of(town: Town, primary: Primary) -> list[str]:
    arrived = sorted(sender for sender, _, _ in primary.taken)
    most = most_within(primary.refused_at, MINUTE)
    checks = {
        "everybody's mail arrives once": arrived == sorted(PEOPLE * DAYS),
        "no own mail of ours fails": len(town.log.of("failed")) == 0,
        "no mail of ours goes to anybody else": not any("lane=own" in line.text for line in town.log.lines),
        "what the primary refuses is kept": kept_as_refused(town) > SPAM,
        f"{most} refusals in a minute": most <= REFUSALS_PER_MINUTE_MAX + REFUSALS_PER_CONNECTION_MAX,
    }
    return [what for what, holds in checks.items() if not holds]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="month-") as folder:
        town = Town(Path(folder) / "store")
        with fence(town.timeline), calm_housekeeping():
            primary = live(town)
            town.machine.scrap()
            town.timeline.end()
    faults = faults_of(town, primary)
    print(
        f"{DAYS} days: {len(primary.taken)} arrived, {kept_as_refused(town)} kept as refused, "
        f"{len(town.log.of('site-down'))} times down; {'; '.join(faults) if faults else 'no fault'}"
    )
    return 1 if len(faults) > 0 else 0


if __name__ == "__main__":
    sys.exit(main())
