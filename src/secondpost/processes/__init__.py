"""The processes: a small supervisor, and one process for each role (design §3).

supervisor opens the doors, becomes the user, starts the roles and starts them again; role runs one of
them, or all of them in one process; doors is what is handed from one to the other; user is how root
stops being root.
"""

from secondpost.config.records import Config


def serve(config: Config, *, role: str | None, single: bool) -> int:
    """Run until told to stop; the exit code."""
    if role is not None or single:
        from secondpost.processes.role import run_roles
        from secondpost.processes.roles import roles_of

        return run_roles(config, roles_of(config) if role is None else (role,))
    from secondpost.processes.supervisor import supervise

    return supervise(config)
