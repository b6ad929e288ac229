"""The processes: a small supervisor, and one process per role (design §3).

`supervisor` opens the listening sockets, drops root, starts the roles and restarts them; `role`
runs one role, or all of them in one process; `doors` hands sockets from one to the other; `user`
drops root's rights.
"""

from secondpost.config.records import Config


def serve(config: Config, *, role: str | None, single: bool) -> int:
    """Run until stopped; returns the exit code."""
    if role is not None or single:
        from secondpost.processes.role import run_roles
        from secondpost.processes.roles import roles_of

        return run_roles(config, roles_of(config) if role is None else (role,))
    from secondpost.processes.supervisor import supervise

    return supervise(config)
