"""secondpost check: what is wrong, before it costs mail."""

import click

from secondpost.cli.command import Command, Group
from secondpost.cli.opening import configuration


@click.group(cls=Group)
def check() -> None:
    """Look for faults before they cost mail."""


@check.command("config", cls=Command)
def check_config() -> None:
    """Read the configuration and name every fault at once: key, line, reason, and what would be right."""
    config = configuration()
    from secondpost.config.reading import warnings

    for warning in warnings(config):
        click.echo(f"warning: {warning}")
    click.echo(f"{config.path}: no faults.")
