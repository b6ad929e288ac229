"""secondpost config explain: what a key of the configuration says, and its value here."""

import os
from collections.abc import Iterator, Sequence

import click
from click.shell_completion import CompletionItem

from secondpost.cli.command import JSON, Command, Ending, Exit, config_option_of
from secondpost.cli.config_show import value_document
from secondpost.cli.screen import Column, say, say_json, say_table, say_wrapped
from secondpost.config.faults import cut, quoted
from secondpost.config.finding import CONFIG_VARIABLE, ConfigNotFound, find_config
from secondpost.config.keys import DESCRIBED, TABLES, TOP, header
from secondpost.config.syntax import FILE_OCTETS_MAX
from secondpost.owner.figures import counted
from secondpost.owner.setting_documents import ExplainDocument, KeyDocument
from secondpost.setup.effective import EffectiveValue
from secondpost.setup.explaining import Explanation, explain_key, plain
from secondpost.setup.setting_places import KeyMeant, MeantPlace, NothingMeant, TableMeant, what_is_meant
from secondpost.setup.setting_words import REQUIRED, default_shown, place_text
from secondpost.setup.settings_here import FileSettings, file_settings

FIELD_INDENT = " " * 10
VALUE_CHARACTERS_MAX = 300  # of a value of the file, as shown; all of it is in the document
EXAMPLE_KEYS = 'such as backup.keep, "[[backup]] keep", keep, or backup for all keys of [[backup]]'


def key_names(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Names of tables and keys that begin so, for the shell's completion."""
    names = [name for name in DESCRIBED if name != TOP]
    names += [
        name if table == TOP else f"{table}.{name}" for table, keys in DESCRIBED.items() for name in keys
    ]
    return [CompletionItem(name) for name in names if name.startswith(begun)]


@click.command("explain", cls=Command)
@click.argument("key", nargs=-1, shell_complete=key_names)
@JSON
def explain(key: tuple[str, ...], as_json: bool) -> None:
    """Say what a key of the configuration means, and its value here.

    KEY is a name such as backup.keep, "[[backup]] keep" or keep; the name of a table lists its keys, and
    without KEY all are listed.
    """
    path = _path()
    settings = None if path is None else _settings(path)
    meant = _meant(" ".join(key)) if len(key) > 0 else tuple(TableMeant(table) for table in TABLES)
    if as_json:
        explained = [explain_key(one, settings) for one in _keys_of(meant)]
        say_json(ExplainDocument(path, [_document(one) for one in explained]))
        return
    for number, one in enumerate(meant):
        if number > 0:
            say("")
        if isinstance(one, TableMeant):
            _say_table(one.table)
        else:
            _say_key(explain_key(one, settings), path)


def _path() -> str | None:
    """The configuration; None if there is none, and none was named."""
    option = config_option_of(click.get_current_context())
    try:
        return find_config(option, os.environ, os.getcwd())
    except ConfigNotFound as missing:
        if option is not None or len(os.environ.get(CONFIG_VARIABLE, "")) > 0:
            raise Ending(str(missing), Exit.CONFIGURATION) from None
        return None


def _settings(path: str) -> FileSettings | None:
    """What the file has, if it can be read; `check config` says why not."""
    try:
        with open(path, "rb") as file:
            return file_settings(file.read(FILE_OCTETS_MAX + 1))
    except OSError:
        return None


def _meant(typed: str) -> tuple[MeantPlace, ...]:
    found = what_is_meant(typed)
    if isinstance(found, NothingMeant):
        near = (
            f"did you mean {' or '.join(found.near)}?" if len(found.near) > 0 else f"write one {EXAMPLE_KEYS}"
        )
        raise Ending(f"there is no key or table {quoted(typed)}; {near}", Exit.NO)
    return found


def _keys_of(meant: Sequence[MeantPlace]) -> Iterator[KeyMeant]:
    for one in meant:
        if isinstance(one, TableMeant):
            yield from (KeyMeant(one.table, name) for name in DESCRIBED[one.table])
        else:
            yield one


def _say_table(table: str) -> None:
    say("The top of the file" if table == TOP else header(table))
    say_wrapped(plain(TABLES[table].says))
    rows = [
        (name, default_shown(table, name, key), _first_sentence(plain(key.says)))
        for name, key in DESCRIBED[table].items()
    ]
    say_table([Column("key"), Column("default", folds=True), Column("what it says", folds=True)], rows)


def _first_sentence(text: str) -> str:
    sentence, stop, _ = text.partition(". ")
    return f"{sentence}." if len(stop) > 0 else text


def _say_key(one: Explanation, path: str | None) -> None:
    meant = one.meant
    if meant.old is not None:
        say(f"{meant.old} is now {place_text(meant.table, meant.name)}.")
        say("")
    say(place_text(meant.table, meant.name))
    say_wrapped(one.says)
    _say_field("form", one.form)
    _say_field("default", one.default)
    if one.example is not None:
        _say_field("example", f"{meant.name} = {one.example}")
    for before in one.before:
        _say_field("before", before)
    for line in _here(one, path):
        _say_field("here", line)


def _say_field(label: str, text: str) -> None:
    say_wrapped(text, f"{label:<{len(FIELD_INDENT)}}", FIELD_INDENT)


def _here(one: Explanation, path: str | None) -> Iterator[str]:
    """What the file says of the key."""
    if path is None:
        return
    for value in one.values:
        yield f"{_value_text(value)}, in line {value.line} of {path}{_of_which(value)}"
    if one.without > 0 and len(one.values) > 0:
        yield f"the default, in {counted(one.without, 'other table', 'other tables')} of {path}"
    elif one.without > 0:
        instead = "none, but it is needed" if one.default == REQUIRED else "the default"
        yield f"{instead}; {path} does not have the key"


def _value_text(value: EffectiveValue) -> str:
    return "a value that is not shown" if value.value is None else cut(value.value, VALUE_CHARACTERS_MAX)


def _of_which(value: EffectiveValue) -> str:
    return "" if value.number is None else f" ({value.table}[{value.number}])"


def _document(one: Explanation) -> KeyDocument:
    return KeyDocument(
        one.meant.table,
        one.meant.name,
        one.says,
        one.form,
        one.default,
        one.example,
        list(one.before),
        one.meant.old,
        [value_document(value) for value in one.values],
    )
