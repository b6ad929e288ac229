"""The processes: a small supervisor, and one process per role (design §3).

`supervisor` opens the listening sockets, drops root and starts the roles: `crew` has a `keeper` for
each, who starts its `role_process` again when it dies, and what the two say to each other goes over
a `tether`. `role` runs one role, or all of them in one process. `reload` replaces all processes by
successors that read a changed configuration, and `reload_desk` is where that is asked for. `doors`
hands sockets from one process to the other; `user` drops root's rights.
"""

from secondpost.processes.accepted import Accepted


def serve(accepted: Accepted, *, role: str | None, single: bool) -> int:
    """Run until stopped; returns the exit code."""
    if role is not None or single:
        from secondpost.processes.role import run_roles
        from secondpost.processes.roles import roles_of

        return run_roles(accepted, roles_of(accepted.config) if role is None else (role,))
    from secondpost.processes.supervisor import supervise

    return supervise(accepted.config)
