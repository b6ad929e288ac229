"""A new server's first thirty days, with three blackouts and spam: `python -m tests.days.month`.

No sender gets a bounce, all real mail arrives once, the primary sees no dictionary attack, and
refused mail is gone after `keep_refused`.
"""

import sys
import tempfile
from pathlib import Path

from secondpost.deliver.refusal_budget import REFUSALS_PER_CONNECTION_MAX, REFUSALS_PER_MINUTE_MAX
from secondpost.mail.delivery import KeptFor, State
from secondpost.store.owner_ports import Selection
from secondpost.store.sqlite import SqliteStore
from simulation.clock import fence
from simulation.looking import looked_at
from tests.days.calm import CALM_RHYTHMS
from tests.days.test_unverified import DAY, INVENTED, PEOPLE, give, kept_as_refused, most_within, newcomer
from tests.days.town import MINUTE, Primary, Town

DAYS = 30
BLACKOUTS = ((0, 1), (9, 11), (20, 23))  # from the first day to the last but one
SPAM_DAYS = (9, 10, 21)
SPAM = 60  # invented recipients on each of these days
KEEP_DAYS = 7  # keep_refused, by default


def live(town: Town) -> list[str]:
    """Run the month; return the broken promises."""
    primary = newcomer(town)
    give(town, *INVENTED)
    faults: list[str] = []
    for day in range(DAYS):
        if any(day == first for first, _ in BLACKOUTS):
            primary.shut()
        if any(day == last for _, last in BLACKOUTS):
            primary.open()
        give(town, *PEOPLE)
        if day in SPAM_DAYS:
            give(town, *(f"spam{day}x{number}" for number in range(SPAM)))
        town.pass_by(DAY)
        if day == KEEP_DAYS and lying(town) != [KeptFor.REFUSED] * len(INVENTED):
            faults.append("what the primary refused is there before its time is over")
        if day == KEEP_DAYS + 1 and lying(town) != []:
            faults.append("what the primary refused is there when its time is over")
    return faults + faults_of(town, primary)


def lying(town: Town) -> list[KeptFor | None]:
    """What each delivery that has not ended is kept for."""
    process = town.machine.process("desk")
    with process.in_loop():
        desk = SqliteStore.open_desk(process.disk, process.work, town.machine.clock, failed=print)
        states = (State.WAITING, State.CLAIMED, State.HELD, State.KEPT)
        found = [row.kept_for for row in looked_at(desk.listed(Selection(states=states), None, 1000))]
    process.kill()
    return found


def faults_of(town: Town, primary: Primary) -> list[str]:
    arrived = sorted(sender for sender, _, _ in primary.taken)
    most = most_within(primary.refused_at, MINUTE)
    checks = {
        "all mail of people arrives once": arrived == sorted(PEOPLE * DAYS),
        # The town's DNS does not know the owner, who is mailed about each blackout.
        "no own mail of ours fails": all("to=owner@" in line.text for line in town.log.of("failed")),
        "no mail of ours goes to a sender": not any("lane=own" in line.text for line in town.log.lines),
        "what the primary refuses is kept": kept_as_refused(town) == len(INVENTED) + SPAM * len(SPAM_DAYS),
        f"{most} refusals in a minute": most <= REFUSALS_PER_MINUTE_MAX + REFUSALS_PER_CONNECTION_MAX,
    }
    return [what for what, holds in checks.items() if not holds]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="month-") as folder:
        town = Town(Path(folder) / "store")
        town.rhythms = CALM_RHYTHMS
        with fence(town.timeline):
            faults = live(town)
            arrived, kept = len(town.log.of("delivered")), kept_as_refused(town)
            town.machine.scrap()
            town.timeline.end()
    print(
        f"{DAYS} days: {arrived} delivered, {kept} refused by the primary; {'; '.join(faults) or 'no fault'}"
    )
    return 1 if len(faults) > 0 else 0


if __name__ == "__main__":
    sys.exit(main())
