"""The command `secondpost`: the list of commands and their modules."""

import click

from secondpost.cli.command import Group
from secondpost.cli.version import VERSION

PLACES = {
    "demo": "secondpost.cli.demo",
    "init": "secondpost.cli.init",
    "serve": "secondpost.cli.serve",
    "systemd": "secondpost.cli.systemd",
    "reload": "secondpost.cli.reload",
    "upgrade": "secondpost.cli.upgrade",
    "status": "secondpost.cli.status",
    "alarms": "secondpost.cli.alarms",
    "config": "secondpost.cli.config",
    "check": "secondpost.cli.check",
    "watch": "secondpost.cli.watch",
    "tls": "secondpost.cli.tls",
    "trace": "secondpost.cli.trace",
    "queue": "secondpost.cli.queue",
    "held": "secondpost.cli.held",
    "issue": "secondpost.cli.issue",
    "stats": "secondpost.cli.stats",
    "subscribers": "secondpost.cli.subscribers",
    "providers": "secondpost.cli.providers",
    "newsletter": "secondpost.cli.newsletter",
    "snapshot": "secondpost.cli.snapshot",
}

EPILOG = (
    "Exit codes: 0 done, 1 the answer is no or faults were found, 2 usage, 3 configuration, "
    "4 the store or the service cannot be reached, 5 the disk failed."
)


@click.group(
    cls=Group,
    places=PLACES,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@VERSION
def secondpost() -> None:
    """Your domain's second post office.

    Takes your domain's mail while the primary cannot be reached, keeps it safe, and hands it over when
    the primary is back. And sends your newsletter: issues made from your blog's feeds, straight to every
    reader.
    """


def main() -> None:
    secondpost(prog_name="secondpost")
