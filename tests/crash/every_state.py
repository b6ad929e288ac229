"""The long form of test_crash_states: every position of the log, every tear, more random subsets.

python -m tests.crash.every_state
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from simulation.crash import WHOLE, Model
from tests.crash.playing import play
from tests.crash.scenarios import SCENARIOS


def main() -> int:
    faults = 0
    for model in Model:
        for name, scenario in SCENARIOS.items():
            with TemporaryDirectory(dir="/dev/shm") as path:
                verdict = play(scenario, Path(path), model=model, depth=WHOLE)
            faults += len(verdict.faults)
            print(
                json.dumps(
                    {
                        "model": model.value,
                        "scenario": name,
                        "states": verdict.states,
                        "faults": verdict.faults,
                    }
                ),
                flush=True,
            )
    return 0 if faults == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
