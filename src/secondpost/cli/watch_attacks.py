"""secondpost watch attacks."""

import click

from secondpost.cli.command import Group

PLACES = {"scan": "secondpost.cli.watch_attacks_scan"}


@click.group(cls=Group, places=PLACES)
def attacks() -> None:
    """See who tries to break in."""
