"""Recognise files that hold addresses but are not lists of readers: one line per mail sent, opened
or clicked.

Importing such a file would bring back readers who have left since.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from secondpost.subscribers.list_columns import ListColumns, OwnersWord
from secondpost.subscribers.list_document import ListPart
from secondpost.subscribers.list_rows import NoList
from secondpost.subscribers.meanings import Plain, folded


@dataclass(frozen=True, slots=True)
class EventFile:
    """An event log that a service exports beside its list."""

    marks: frozenset[str]  # folded column names; a file that has all of them is such a log
    what: str
    list_file: str  # the file to import instead


def _folded(names: str) -> frozenset[str]:
    return frozenset(map(folded, names.split(",")))


# Substack: posts/….opens.csv and posts/….delivers.csv of its export.
EVENT_FILES = (
    EventFile(
        _folded("post_id,timestamp,email,post_type"),
        "Substack's record of the posts that were delivered or opened",
        "the file email_list….csv of the same ZIP",
    ),
)

# "Timestamp" is left out: sign-up forms use it for the time of the sign-up.
EVENT_COLUMNS = _folded(
    "post id,post title,message id,campaign,campaign id,campaign name,event,event id,event type,event name,"
    "event time,opened,opened at,opens,open time,open count,last opened at,clicked,clicked at,clicks,"
    "click time,click count,clicked url,clicked link,delivered,delivered at,delivery status,sent at,"
    "send time,user agent"
)


def refuse_events(part: ListPart, columns: ListColumns, word: OwnersWord) -> None:
    """Raise NoList if the file is a log of events rather than a list of readers.

    A log in a known service's format is always refused. Any other file with such columns is refused
    unless it is a known service's list, has a column of states or dates, or the owner has said what
    everyone in it is.
    """
    names: Mapping[str, str] = {folded(name): name for name in part.head}
    for known in EVENT_FILES:
        if known.marks <= names.keys():
            raise NoList(f"it is {known.what}, not a list of readers: import {known.list_file}")
    if columns.form is not None or word.whole is not None or _has_state(columns):
        return
    given = {folded(column.name) for column in columns.columns if column.is_given}
    found = [name for name_folded, name in names.items() if name_folded in EVENT_COLUMNS - given]
    if len(found) > 0:
        raise NoList(
            f"it has {_columns(found)} and nothing that says who is subscribed, so it looks like a record of "
            "mails that were sent, opened or clicked, not like a list of readers. If everyone in it is "
            "subscribed, say so with --as active"
        )


def _has_state(columns: ListColumns) -> bool:
    return any(
        column.meaning is not None and not isinstance(column.meaning, Plain) for column in columns.columns
    )


def _columns(names: list[str]) -> str:
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"the column {quoted}" if len(names) == 1 else f"the columns {quoted}"
