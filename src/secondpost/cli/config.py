"""secondpost config: change the configuration as a whole."""

import click

from secondpost.cli.command import Group

PLACES = {
    "migrate": "secondpost.cli.config_migrate",
}


@click.group(cls=Group, places=PLACES)
def config() -> None:
    """Change the configuration as a whole."""
