"""secondpost watch: what was seen of attackers, of callers, of advisories, and from other countries."""

import click

from secondpost.cli.command import Group

PLACES: dict[str, str] = {
    "attacks": "secondpost.cli.watch_attacks",
}  # a command's name, and the module that has it


@click.group(cls=Group, places=PLACES)
def watch() -> None:
    """See who tries to break in, what is vulnerable, and who cannot reach your primary."""
