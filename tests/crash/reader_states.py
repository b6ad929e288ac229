"""More crash states of an issue than the fast suite has time for: from its freeze to steps at random.

python -m tests.crash.reader_states

For each: no reader is planned twice or forgotten, no issue is accepted twice for one reader, all
promises are kept, and the next processes can finish the issue. Half a minute; every_state tests
every position and tear.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from simulation.disk.crash import Depth
from tests.crash.reader_judging import play_readers

NAMES = (
    "freeze",
    "claim",
    "committing",
    "outcome",
    "hold",
    "held dies",
    "held stop",
    "at random, one",
    "at random, two",
)
DEPTH = Depth(tears=2, subsets=2, stride=3)
STATES_MIN = 2_000  # of all together


def main() -> int:
    total, faults = 0, list[str]()
    for name in NAMES:
        with TemporaryDirectory(dir="/dev/shm") as path:
            verdict = play_readers(name, Path(path), depth=DEPTH)
        total += verdict.states
        faults += verdict.faults
        told = {"scenario": name, "states": verdict.states, "faults": verdict.faults}
        print(json.dumps(told), flush=True)
    print(json.dumps({"states": total, "faults": len(faults)}))
    return 0 if len(faults) == 0 and total >= STATES_MIN else 1


if __name__ == "__main__":
    sys.exit(main())
