"""What a configuration changes of the one before it, and which of that a running service cannot take.

Pure.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from secondpost.config.faults import Fault
from secondpost.config.keys import KEYS, REPEATED, TOP
from secondpost.config.records import Config
from secondpost.config.syntax import TomlDocument, read_document

# The store's locks, sockets and databases are open, and root's rights are gone, as long as the
# service runs.
ONLY_AT_START = ("store", "user", "database")
RESTART = "restart the service: systemctl restart secondpost.target"
_KEY_OF_FIELD = {"sender": "from"}


def changes(old: Config, new: Config) -> tuple[str, ...]:
    """The keys whose values differ, such as `receive.timeout` or `backup example.net: keep`, in the
    order of docs/settings.md.
    """
    found = [key for key in KEYS[TOP] if key != "version" and getattr(old, key) != getattr(new, key)]
    for table in KEYS:
        if table in REPEATED:
            found += _repeated_changes(table, _by_name(old, table), _by_name(new, table))
        elif table != TOP:
            found += [f"{table}.{key}" for key in _differing(getattr(old, table), getattr(new, table))]
    return tuple(found)


def only_at_start(old: Config, new: Config) -> tuple[Fault, ...]:
    """The changes that need a restart, as faults of the new file."""
    document = read_document(new.text)
    lines = document.positions.lines if isinstance(document, TomlDocument) else {}
    return tuple(
        Fault(key, lines.get((key,), 0), "this is read only when the service starts", RESTART)
        for key in ONLY_AT_START
        if getattr(old, key) != getattr(new, key)
    )


def _by_name(config: Config, table: str) -> Mapping[str, object]:
    match table:
        case "backup":
            return {str(backup.domain): backup for backup in config.backups}
        case "newsletter":
            return {newsletter.name: newsletter for newsletter in config.newsletters}
        case _:
            return {f"{route.domain or '*'} {route.lane or ''}".strip(): route for route in config.routes}


def _repeated_changes(table: str, old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    found = [f"{table} {name}: gone" for name in old if name not in new]
    for name, record in new.items():
        if name not in old:
            found.append(f"{table} {name}: new")
        else:
            found += [f"{table} {name}: {key}" for key in _differing(old[name], record)]
    return found


def _differing(old: object, new: object) -> list[str]:
    """The keys of a table's record that differ."""
    assert is_dataclass(old)
    names = [field.name for field in fields(old) if getattr(old, field.name) != getattr(new, field.name)]
    return [_KEY_OF_FIELD.get(name, name.removesuffix("_ms")) for name in names]
