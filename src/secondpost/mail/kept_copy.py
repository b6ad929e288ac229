"""A copy of a database that was kept before its schema changed, or a newer database that was set aside
when the owner went back: folders beside the database, with the schema and the time in their names.

    mail/kept/31-20261130T004700Z/mail.db                 as it was before the change
    mail/set-aside/33-20261130T101500Z/mail/mail.db       as it was before going back, a store of its own
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

KEPT_FOLDER = "kept"
SET_ASIDE_FOLDER = "set-aside"
UNFINISHED = ".unfinished"  # at the end of a folder's name, until all of it is durable

_NAME = re.compile(r"(\d{1,6})-(\d{8}T\d{6}Z)")
_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, order=True)
class KeptCopy:
    """Ordered by time."""

    made_ms: int
    schema: int
    path: str  # of the database in its folder
    octets: int


def dated_name(schema: int, now_ms: int) -> str:
    """The name of a folder, to the second."""
    return f"{schema}-{datetime.fromtimestamp(now_ms / 1000, UTC).strftime(_TIME)}"


def free_dated_name(schema: int, now_ms: int, taken: Collection[str]) -> str:
    """`dated_name`, or that of the next second at which none of these names begins with it."""
    while any(name.startswith(dated_name(schema, now_ms)) for name in taken):
        now_ms += 1000
    return dated_name(schema, now_ms)


def schema_and_time_of(name: str) -> tuple[int, int] | None:
    """The schema and the time in ms that `dated_name` wrote; None for any other name."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        made = datetime.strptime(found[2], _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(found[1]), int(made.timestamp() * 1000)
