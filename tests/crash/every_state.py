"""The long form of test_crash_states: every position of the log, every tear, more random subsets.

python -m tests.crash.every_state
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from simulation.disk.crash import WHOLE, Model
from tests.crash.judging import Verdict
from tests.crash.playing import play
from tests.crash.reader_judging import play_readers
from tests.crash.reader_scenarios import READER_SCENARIOS
from tests.crash.scenarios import SCENARIOS


def main() -> int:
    faults = 0
    for model in Model:
        for name, scenario in SCENARIOS.items():
            with TemporaryDirectory(dir="/dev/shm") as path:
                faults += tell(model, name, play(scenario, Path(path), model=model, depth=WHOLE))
        for name in READER_SCENARIOS:
            with TemporaryDirectory(dir="/dev/shm") as path:
                verdict = play_readers(name, Path(path), model=model, depth=WHOLE)
            faults += tell(model, f"readers: {name}", verdict)
    return 0 if faults == 0 else 1


def tell(model: Model, scenario: str, verdict: Verdict) -> int:
    told = {
        "model": model.value,
        "scenario": scenario,
        "states": verdict.states,
        "faults": verdict.faults,
    }
    print(json.dumps(told), flush=True)
    return len(verdict.faults)


if __name__ == "__main__":
    sys.exit(main())
