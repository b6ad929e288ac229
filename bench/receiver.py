"""`python -m bench.receiver CONFIG [--unwatched]`: the receive role alone in this process.

`--unwatched` builds it without the search for attacks, to measure what that costs.
"""

import sys
from functools import partial

from secondpost.config.reading import read_config
from secondpost.processes.accepted import Accepted
from secondpost.processes.role import run_roles
from secondpost.roles import receive


def main(path: str, *options: str) -> int:
    if "--unwatched" in options:
        # The builder of roles looks the class up when it builds.
        vars(receive)["ReceiveRole"] = partial(receive.ReceiveRole, watches_attacks=False)
    return run_roles(Accepted(read_config(path)), ("receive",))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
