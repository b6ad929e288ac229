"""secondpost demo: a small internet on loopback that shows what Secondpost is for."""

import click

from secondpost.cli.command import Command


@click.command(cls=Command)
@click.option("--fast", is_flag=True, help="Without pauses between the acts.")
@click.pass_context
def demo(context: click.Context, fast: bool) -> None:
    """Watch a blocked primary being covered, live on this machine.

    A small internet on loopback, with real sockets. Needs no configuration, touches nothing, leaves
    nothing behind. Every claim it prints is checked; a false one ends it with exit code 1.
    """
    from secondpost.demo.story import play

    context.exit(play(fast))
