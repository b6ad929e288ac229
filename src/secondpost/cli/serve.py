"""secondpost serve: run the service until it is stopped."""

import os

import click

from secondpost.cli.command import Command
from secondpost.cli.opening import configuration
from secondpost.config.warnings import warnings


@click.command(cls=Command)
@click.option(
    "--role",
    metavar="NAME",
    help="Run this one role in this process: receive, deliver, web, publish or fetch.",
)
@click.option("--single", is_flag=True, help="Run all roles in one process, without a supervisor.")
@click.pass_context
def serve(context: click.Context, role: str | None, single: bool) -> None:
    """Run the service, until SIGTERM or Ctrl-C.

    Receives mail, passes it on, and holds what cannot be delivered. Without options a supervisor
    opens the ports and runs every role in its own process.
    """
    if role is not None and single:
        raise click.UsageError("Use only one of --role and --single.")
    from secondpost.processes import serve as serve_until_stopped
    from secondpost.processes.accepted import Accepted, inherited_configuration

    accepted = inherited_configuration(os.environ)
    if accepted is None:
        accepted = Accepted(configuration())
    if role is None:  # a role's supervisor has already printed it
        for warning in warnings(accepted.config):
            if warning.is_idle:
                click.echo(f"warning: {warning}", err=True)
    context.exit(serve_until_stopped(accepted, role=role, single=single))
