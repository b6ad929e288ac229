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
from secondpost.processes import serve, serve_role
from secondpost.processes.accepted import inherited_configuration
from secondpost.processes.exits import ProcessExit


def main(arguments: Sequence[str]) -> int:
    """A supervisor hands its role what it accepted; without that, this is a supervisor of one role."""
    match arguments:
        case ["--config", path, "serve", "--role", role]:
            accepted = inherited_configuration(os.environ)
            return _supervise(path, role) if accepted is None else serve_role(accepted, role)
        case _:
            sys.stderr.write("secondpost: this is started by systemd's units; type: secondpost serve\n")
            return ProcessExit.USAGE


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
