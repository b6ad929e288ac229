"""What every command shares: --config before or after its name, exit codes, and one clear sentence
on failure.

Exit codes: 0 done, 1 the answer is no or faults were found, 2 usage, 3 configuration, 4 the store
or the service cannot be reached.
"""

import importlib
import keyword
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import IO

import click

_CONFIG_KEY = "secondpost.config"
COUNTED = click.IntRange(1, 1_000_000_000)  # for --limit and the like
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document.")


@dataclass(frozen=True, slots=True)
class CommandWaits:
    """Seconds that a command waits for others; tests pass shorter ones as click's `obj`."""

    lead: float = 10.0  # the service may hold the lead this long; its turns are mostly shorter
    records: float = 5.0  # from one look at the DNS to the next


def command_waits() -> CommandWaits:
    given = click.get_current_context().find_object(CommandWaits)
    return CommandWaits() if given is None else given


class Exit(IntEnum):
    DONE = 0
    NO = 1
    USAGE = 2
    CONFIGURATION = 3
    UNREACHABLE = 4


class Ending(click.ClickException):
    """Ends the command with one clear sentence, including the remedy, and an exit code."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.code = code

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # click reads it, as an attribute of the class
        return self.code

    def show(self, file: IO[str] | None = None) -> None:
        from secondpost.cli.screen import printable_lines

        # Several lines are faults of a file: each begins with its position, as editors expect.
        text = self.message if "\n" in self.message else f"secondpost: {self.message}"
        print(printable_lines(text), file=sys.stderr if file is None else file)


def _config_option() -> click.Option:
    """The option --config, accepted before and after the command; the last one wins."""

    def remember(context: click.Context, _option: click.Parameter, value: str | None) -> None:
        if value is not None:
            context.find_root().meta[_CONFIG_KEY] = value

    return click.Option(
        ["--config"],
        metavar="PATH",
        callback=remember,
        expose_value=False,
        is_eager=True,
        help="The configuration file (else SECONDPOST_CONFIG, ./secondpost.toml, "
        "/etc/secondpost/secondpost.toml).",
    )


def config_option_of(context: click.Context) -> str | None:
    """The value of --config, or None."""
    value: str | None = context.find_root().meta.get(_CONFIG_KEY)
    return value


class Command(click.Command):
    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*self.params, _config_option(), *_help_of(self, ctx)]


class Group(click.Group):
    """A group of commands; `places` maps each sub-command to its module, imported when called.

    The module has it under its name, with an underscore appended if that is a Python keyword.
    """

    def __init__(self, *, places: Mapping[str, str] | None = None, **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]  # click's own keywords, handed through
        self.places = {} if places is None else dict(places)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*self.params, _config_option(), *_help_of(self, ctx)]

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.places, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = self.places.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(importlib.import_module(place), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As in click, but "did you mean" also knows commands not imported yet."""
        name = args[0]
        if name.startswith("-") or self.get_command(ctx, name) is not None:
            return super().resolve_command(ctx, args)
        raise click.NoSuchCommand(name, possibilities=self.list_commands(ctx), ctx=ctx)


def _help_of(command: click.Command, context: click.Context) -> list[click.Parameter]:
    option = command.get_help_option(context)
    return [] if option is None else [option]
