"""The manual pages, made from the commands themselves and from docs/settings.md.

`python -m release.man_pages FOLDER` writes secondpost.1, a page for each command or group of
commands, and secondpost.toml.5.
"""

import inspect
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from release.roff import bold, escaped, filled, roff
from secondpost import __version__
from secondpost.cli.main import secondpost

SETTINGS = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
PROGRAM = "secondpost"
FILES = (
    ("/etc/secondpost/secondpost.toml", "The configuration."),
    ("/var/lib/secondpost", "The store: mail, keys, sockets; the configuration may name another folder."),
)


def pages() -> dict[str, str]:
    """File name to text."""
    root = click.Context(secondpost, info_name=PROGRAM)
    made = {f"{PROGRAM}.1": _program_page(root), f"{PROGRAM}.toml.5": _settings_page()}
    for context in _children(root):
        made[f"{PROGRAM}-{context.info_name}.1"] = _command_page(context)
    return made


def _children(context: click.Context) -> Iterator[click.Context]:
    group = context.command
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield click.Context(command, info_name=name, parent=context)


def _program_page(root: click.Context) -> str:
    children = list(_children(root))
    lines = [
        *_beginning(PROGRAM, "1", _summary(root.command)),
        ".SH SYNOPSIS",
        *_synopsis(root),
        ".SH DESCRIPTION",
        *_description(root.command),
        ".SH COMMANDS",
        *(
            line
            for child in children
            for line in _entry(
                f"{bold(f'{PROGRAM}-{child.info_name}')}(1)", _sentence(_summary(child.command))
            )
        ),
        *_options(root, ".SH OPTIONS"),
        ".SH EXIT STATUS",
        *(line for code, meaning in _exit_codes() for line in _entry(bold(code), meaning)),
        ".SH ENVIRONMENT",
        *_entry(bold("SECONDPOST_CONFIG"), "The configuration file, if --config does not name one."),
        ".SH FILES",
        *(line for path, meaning in FILES for line in _entry(bold(path), meaning)),
        *_see_also([f"{PROGRAM}-{child.info_name}" for child in children]),
    ]
    return _text(lines)


def _below(context: click.Context) -> Iterator[click.Context]:
    """The commands of a group, and those of the groups in it."""
    for child in _children(context):
        yield child
        yield from _below(child)


def _command_page(context: click.Context) -> str:
    children = list(_below(context))
    lines = [
        *_beginning(f"{PROGRAM}-{context.info_name}", "1", _summary(context.command)),
        ".SH SYNOPSIS",
        *_synopses(children or [context]),
        ".SH DESCRIPTION",
        *_description(context.command),
    ]
    if len(children) == 0:
        lines += _options(context, ".SH OPTIONS")
    else:
        lines.append(".SH COMMANDS")
    for child in children:
        lines += [f".SS {escaped(child.command_path)}", *_description(child.command), *_options(child)]
    return _text([*lines, *_see_also([PROGRAM])])


def _settings_page() -> str:
    beginning = _beginning(f"{PROGRAM}.toml", "5", "the configuration of Secondpost")
    markdown = SETTINGS.read_text(encoding="utf-8").replace("# Settings\n", "## DESCRIPTION\n", 1)
    body = roff(markdown, ("Default:", "Example:")).splitlines()
    return _text([*beginning, *body, *_see_also([PROGRAM])])


def _beginning(name: str, section: str, summary: str) -> list[str]:
    title = f'.TH "{escaped(name.upper())}" "{section}" "{_day()}" "{PROGRAM} {__version__}" "Secondpost"'
    return [title, ".nh", ".ad l", ".SH NAME", f"{escaped(name)} \\- {escaped(summary)}"]


def _day() -> str:
    """The day of the commit in a build, else the day of the settings' last change."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    seconds = float(given) if given is not None else SETTINGS.stat().st_mtime
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _summary(command: click.Command) -> str:
    """The first line of its help, as a phrase."""
    first = inspect.cleandoc(command.help or "").partition("\n")[0].rstrip(".")
    return first[:1].lower() + first[1:]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _description(command: click.Command) -> list[str]:
    return roff(inspect.cleandoc(command.help or "")).splitlines()


def _synopsis(context: click.Context) -> list[str]:
    words = context.command.collect_usage_pieces(context)
    return filled(" ".join([bold(context.command_path), *(escaped(word) for word in words)]))


def _synopses(contexts: list[click.Context]) -> Iterator[str]:
    for number, context in enumerate(contexts):
        if number > 0:
            yield ".br"
        yield from _synopsis(context)


def _exit_codes() -> list[tuple[str, str]]:
    """Code and meaning, from the last sentence of the help."""
    found = re.findall(r"(\d) (.+?)(?=, \d|\.$)", secondpost.epilog or "")
    return [(code, _sentence(meaning)) for code, meaning in found]


def _options(context: click.Context, heading: str | None = None) -> Iterator[str]:
    records = [
        record
        for parameter in context.command.get_params(context)
        if (record := parameter.get_help_record(context)) is not None and len(record[1]) > 0
    ]
    if heading is not None:
        yield heading
    for names, text in records:
        yield from _entry(bold(names), text)


def _entry(term: str, text: str) -> list[str]:
    return [".TP", term, *filled(escaped(text).replace("`", ""))]


def _see_also(names: list[str]) -> list[str]:
    refer = [f"{bold(name)}(1)" for name in names]
    if f"{PROGRAM}-check" in names or names == [PROGRAM]:
        refer.append(f"{bold(f'{PROGRAM}.toml')}(5)")
    return [".SH SEE ALSO", *filled(", ".join(refer))]


def _text(lines: list[str]) -> str:
    text = "".join(f"{line}\n" for line in lines)
    return re.sub(r"(?m)^(\.S[HS] .*\n)\.PP\n", r"\1", text)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
