"""secondpost demo: a small internet on loopback that shows what Secondpost does."""

import click

from secondpost.cli.command import Command


@click.command(cls=Command)
@click.option("--fast", is_flag=True, help="Without pauses for reading.")
@click.pass_context
def demo(context: click.Context, fast: bool) -> None:
    """Watch a blocked primary being covered and a newsletter being sent, live on this machine.

    A small internet on loopback, with real sockets, told in under a minute. Needs no configuration, touches
    nothing, leaves nothing behind. Every claim it prints is checked; a false one ends it with exit code 1.
    On a terminal the newsletter's public pages stay open at the end, until Ctrl-C.
    """
    from secondpost.demo.story import play

    context.exit(play(fast))
