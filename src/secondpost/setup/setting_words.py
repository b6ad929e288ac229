"""What is said of a key: its default as the file would have it, its form, and where it stood before. Pure."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields

from secondpost.config.key import FileForm, Key, ListForm, ValueForm
from secondpost.config.keys import FIELDS, TABLES, TOP, header
from secondpost.config.versions import CHANGES, MovedFrom
from secondpost.setup.answers import toml_text

REQUIRED = "required"
_VALUE = re.compile(r"`([^`]+)`")


def value_text(key: Key, value: object) -> str | None:
    """A value of a record as TOML; None if the file has no value that says it."""
    form = key.form.of if isinstance(key.form, ListForm) else key.form
    if value is None:
        none = form.none if isinstance(form, ValueForm) else None
        return None if none is None else toml_text(none)
    write = None if isinstance(form, FileForm) else form.write
    if isinstance(value, tuple):
        return toml_text([str(one) if write is None else write(one) for one in value])
    return toml_text(value if write is None else write(value))


def default_text(table: str, name: str, key: Key) -> str:
    """The default of a key in Markdown: a value between backticks, or words."""
    if len(key.need) > 0:
        return REQUIRED
    if len(key.default) > 0:
        return key.default
    text = default_value(table, name)
    assert text is not None, f"{place_text(table, name)}: its default has no words, and no value says it"
    return f"`{text}`"


def default_shown(table: str, name: str, key: Key) -> str:
    """The default of a key for a screen: a value as TOML, or words."""
    text = default_text(table, name, key)
    value = _VALUE.fullmatch(text)
    return text if value is None else value[1]


def default_value(table: str, name: str) -> str | None:
    """The default of a key's field as TOML; None if there is none, or no value says it."""
    one = next((one for one in FIELDS[table] if one.name == name), None)
    if one is None:
        return None
    default = {field.name: field.default for field in fields(TABLES[table].record)}[one.field]
    return None if default is MISSING else value_text(one.key, default)


def place_text(table: str, name: str) -> str:
    """A key with its table, as in "[[backup]] keep"."""
    return name if table == TOP else f"{header(table)} {name}"


def moved_from() -> Mapping[tuple[str, str], tuple[str, str]]:
    """From table and key of an earlier version to those of today."""
    return {
        (was.table, was.key): here
        for here, changes in CHANGES.items()
        for was in changes
        if isinstance(was, MovedFrom)
    }
