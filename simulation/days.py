"""Run many days: `python -m simulation.days --seeds 200`. A failing seed prints its replay."""

import argparse
import gc
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from simulation.day import live
from simulation.planted import PLANTED
from simulation.service import Wiring, as_built

ALL = "all"
PROCESSES = 2
VIOLATIONS_SHOWN = 3
GARBAGE_THRESHOLD = 100_000  # a day is short, so its garbage is collected after several days instead
COLLECTED_EVERY = 10  # days: each leaves about 20 MB of reference cycles


@dataclass(frozen=True, slots=True)
class DayVerdict:
    seed: int
    violations: tuple[str, ...]


def judge(seed: int, planted: str | None) -> DayVerdict:
    """Run one day; an exception is a violation. With a planted bug only its own finder counts."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    if seed % COLLECTED_EVERY == 0:
        gc.collect()
    try:
        violations = live(seed, _wiring(planted)).violations
    except Exception as fault:  # noqa: BLE001
        return DayVerdict(seed, (f"the day came to no end: {type(fault).__name__}: {fault}",))
    if planted is not None:
        violations = tuple(what for what in violations if what.startswith(PLANTED[planted].found_by))
    return DayVerdict(seed, violations)


def find(bug: str, seeds: range) -> int | None:
    """Return the seed of a day in which the planted bug is found, or None."""
    first = PLANTED[bug].seed
    order = (first, *(seed for seed in seeds if seed != first))
    return next((seed for seed in order if len(judge(seed, bug).violations) > 0), None)


def find_all(seeds: range) -> int:
    with ProcessPoolExecutor(PROCESSES) as pool:
        found = dict(zip(PLANTED, pool.map(partial(find, seeds=seeds), PLANTED), strict=True))
    for bug, seed in found.items():
        result = "NOT FOUND" if seed is None else f"found by {replay_command(seed, bug)}"
        print(f"{bug}: {result}")
    return 1 if None in found.values() else 0


def verdicts(seeds: range, planted: str | None) -> Iterator[DayVerdict]:
    if len(seeds) == 1:
        yield judge(seeds[0], planted)
        return
    with ProcessPoolExecutor(PROCESSES) as pool:
        # In small batches when searching for a planted bug, since the first find ends the search.
        step = PROCESSES if planted is not None else len(seeds)
        for start in range(0, len(seeds), step):
            yield from pool.map(partial(judge, planted=planted), seeds[start : start + step])


def _wiring(planted: str | None) -> Wiring:
    return PLANTED[planted].wiring if planted is not None else as_built


def replay_command(seed: int, planted: str | None) -> str:
    also = f" --planted {planted}" if planted is not None else ""
    return f"python -m simulation.days --seeds 1 --from {seed}{also}"


def show(seed: int, planted: str | None) -> None:
    """Print one day in full: its trace, its planned faults and its violations."""
    report = live(seed, _wiring(planted), keep_trace=True)
    sys.stdout.writelines(report.trace)
    print(
        f"seed {seed}: {report.letters} letters, {report.relayed} copies relayed, "
        f"{report.issues} issues in {report.mailed} mailboxes, trace {report.digest}"
    )
    for fault in report.scenario.faults:
        print(f"  {fault}")
    for violation in report.violations:
        print(f"VIOLATION {violation}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simulation.days", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many days")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument(
        "--planted", choices=(ALL, *sorted(PLANTED)), help="a bug to find, or all; ends at the first find"
    )
    parser.add_argument("--trace", action="store_true", help="print the first seed's day event by event")
    chosen = parser.parse_args()
    if chosen.planted == ALL:
        return find_all(range(chosen.first, chosen.first + chosen.seeds))
    if chosen.trace:
        show(chosen.first, chosen.planted)
        return 0
    failed = passed = 0
    for verdict in verdicts(range(chosen.first, chosen.first + chosen.seeds), chosen.planted):
        if len(verdict.violations) == 0:
            passed += 1
            continue
        failed += 1
        more = len(verdict.violations) - VIOLATIONS_SHOWN
        shown = "; ".join(verdict.violations[:VIOLATIONS_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        print(
            f"seed {verdict.seed}: {shown}; replay: {replay_command(verdict.seed, chosen.planted)}",
            flush=True,
        )
        if chosen.planted is not None:
            break
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
