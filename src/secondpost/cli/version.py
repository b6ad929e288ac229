"""secondpost --version: the version in the first line, then what it is made of."""

import click

from secondpost.cli.command import Exit


def show_version(context: click.Context, _option: click.Parameter, is_asked: bool) -> None:
    if not is_asked or context.resilient_parsing:
        return
    from secondpost.roles.installation import this_installation

    here = this_installation()
    click.echo(f"secondpost {here.version}")
    click.echo(f"commit     {here.commit if here.commit is not None else 'not known'}")
    click.echo(f"installed  as {here.installed_as}, in {here.folder}")
    for name, version in here.libraries.items():
        click.echo(f"{name:<10} {version}")
    context.exit(Exit.DONE)


VERSION = click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_version,
    help="Show the version, and what it is made of.",
)
