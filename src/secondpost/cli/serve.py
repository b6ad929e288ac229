"""secondpost serve: run the service until it is stopped."""

import click

from secondpost.cli.command import Command
from secondpost.cli.opening import configuration
from secondpost.config.warnings import warnings


@click.command(cls=Command)
@click.option(
    "--role",
    metavar="NAME",
    help="Run this one role: receive, deliver, web, publish or fetch.",
)
@click.option("--single", is_flag=True, help="Run all roles in one process, without a supervisor.")
@click.pass_context
def serve(context: click.Context, role: str | None, single: bool) -> None:
    """Run the service, until SIGTERM or Ctrl-C.

    Receives mail, passes it on, and holds what cannot be delivered. A supervisor opens the ports and
    runs every role in its own process.
    """
    if role is not None and single:
        raise click.UsageError("Use only one of --role and --single.")
    from secondpost import processes

    config = configuration(role)
    for warning in warnings(config):
        if warning.is_idle:
            click.echo(f"warning: {warning}", err=True)
    context.exit(processes.serve_single(config) if single else processes.serve(config, only=role))
