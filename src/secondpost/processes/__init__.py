"""The processes: a small supervisor, and one process per role (design §3).

`supervisor` opens the listening sockets, drops root and starts the roles: `crew` has a `keeper` for
each, who starts its `role_process` again when it dies, and what the two say to each other goes over
a `tether`. `role` runs one role, or all of them in one process. `reload` replaces all processes by
successors that read a changed configuration, and `reload_desk` is where that is asked for;
`succession` changes the program itself, with what `handed_over` has, as `upgrading` asks for it;
`watchdog` tells the service manager that the roles answer. `doors`
hands sockets from one process to the other; `user` drops root's rights.
"""

from importlib import import_module

from secondpost.config.records import Config
from secondpost.processes.accepted import Accepted
from secondpost.processes.exits import ProcessExit
from secondpost.processes.handed_over import HandedOver


def serve(config: Config, *, only: str | None) -> int:
    """Run a supervisor with all roles, or one, until stopped; returns the exit code."""
    from secondpost.processes.supervisor import supervise

    return supervise(config, only)


def succeed(handed: HandedOver) -> int:
    """Go on in the place of the program that handed over."""
    from secondpost.processes import supervisor

    return supervisor.succeed(handed)


def try_to_succeed(handed: HandedOver | None) -> int:
    """Whether this program could: it has read what it would be handed, and its own modules."""
    import_module("secondpost.processes.supervisor")
    return ProcessExit.USAGE if handed is None else ProcessExit.DONE


def serve_role(accepted: Accepted, role: str) -> int:
    """Run as the process of a role, which its supervisor started."""
    from secondpost.processes.role import run_roles

    return run_roles(accepted, (role,))


def serve_single(config: Config) -> int:
    """Run all roles in this process."""
    from secondpost.processes.role import run_roles
    from secondpost.processes.roles import roles_of

    return run_roles(Accepted(config), roles_of(config), is_supervised=False)
