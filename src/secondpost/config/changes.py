"""What a configuration changes of the one before it, and which of that a running service cannot take.

Pure.
"""

from collections.abc import Mapping

from secondpost.config.faults import Fault
from secondpost.config.keys import FIELDS, REPEATED, TABLES, TOP
from secondpost.config.records import Config
from secondpost.config.syntax import TomlDocument, read_document

# The store's locks, sockets and databases are open, and root's rights are gone, as long as the
# service runs.
ONLY_AT_START = ("store", "user", "database")
RESTART = "restart the service: systemctl restart secondpost.target"


def changes(old: Config, new: Config) -> tuple[str, ...]:
    """The keys whose values differ, such as `receive.timeout` or `backup example.net: keep`, in the
    order of docs/settings.md.
    """
    found = _differing(TOP, old, new)
    for table in TABLES:
        if table in REPEATED:
            found += _repeated_changes(table, _by_name(old, table), _by_name(new, table))
        elif table != TOP:
            found += [f"{table}.{key}" for key in _differing(table, getattr(old, table), getattr(new, table))]
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
            found += [f"{table} {name}: {key}" for key in _differing(table, old[name], record)]
    return found


def _differing(table: str, old: object, new: object) -> list[str]:
    """The keys of a table whose values differ in two of its records."""
    return [one.name for one in FIELDS[table] if getattr(old, one.field) != getattr(new, one.field)]
