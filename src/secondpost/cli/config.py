"""secondpost config: the configuration as a whole, and what each key of it says."""

import click

from secondpost.cli.command import Group

PLACES = {
    "explain": "secondpost.cli.config_explain",
    "show": "secondpost.cli.config_show",
    "migrate": "secondpost.cli.config_migrate",
    "import": "secondpost.cli.config_import",
}


@click.group(cls=Group, places=PLACES)
def config() -> None:
    """Look at the configuration as a whole, bring it to today's form, or carry another server's over."""
