"""secondpost watch: what was seen of attackers, of callers, of advisories, and from other countries."""

import click

from secondpost.cli.command import Group

PLACES = {
    "attacks": "secondpost.cli.watch_attacks",
    "advisories": "secondpost.cli.watch_advisories",
    "arrivals": "secondpost.cli.watch_arrivals",
    "reach": "secondpost.cli.watch_reach",
}


@click.group(cls=Group, places=PLACES)
def watch() -> None:
    """See who tries to break in, what is vulnerable, and who cannot reach your primary."""
