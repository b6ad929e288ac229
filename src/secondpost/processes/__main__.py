"""The service as units and supervisors start it: without the modules of the command line, which every
process would hold in memory.

    python -P -m secondpost.processes --config PATH serve --role ROLE
"""

import os
import sys
from collections.abc import Sequence

from secondpost.config.faults import ConfigFaults
from secondpost.config.reading import read_config
from secondpost.config.warnings import warnings
from secondpost.processes import serve, serve_role, succeed, try_to_succeed
from secondpost.processes.accepted import inherited_configuration
from secondpost.processes.exits import ProcessExit
from secondpost.processes.handed_over import HANDED_OVER, HandedOver, NotUnderstood, inherited


def main(arguments: Sequence[str]) -> int:
    """A supervisor hands its role what it accepted, and another program that takes its place all that
    it has; without these, this is a supervisor of one role. `try`: whether that can be read.
    """
    match arguments:
        case ["--config", path, "serve", "--role", role]:
            accepted = inherited_configuration(os.environ)
            if accepted is not None:
                return serve_role(accepted, role)
            handed = _handed_over()
            return _supervise(path, role) if handed is None else succeed(handed)
        case ["--config", _, "serve"] if (handed := _handed_over()) is not None:
            return succeed(handed)
        case ["--config", _, "try"]:
            return _try()
        case _:
            sys.stderr.write("secondpost: this is started by systemd's units; type: secondpost serve\n")
            return ProcessExit.USAGE


def _try() -> int:
    try:
        return try_to_succeed(inherited(os.environ))
    except NotUnderstood as why:
        sys.stderr.write(f"{why}\n")
        return ProcessExit.UNREACHABLE


def _handed_over() -> HandedOver | None:
    handed = inherited(os.environ)
    os.environ.pop(HANDED_OVER, None)  # it is for this process alone
    return handed


def _supervise(path: str, role: str) -> int:
    try:
        config = read_config(path, role)
    except ConfigFaults as faults:
        sys.stderr.write("".join(f"{text}\n" for text in faults.texts()))
        return ProcessExit.CONFIGURATION
    for warning in warnings(config):
        if warning.is_idle:
            sys.stderr.write(f"warning: {warning}\n")
    return serve(config, only=role)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
