"""The records that `secondpost init` shows, writes as a zone file, and waits for."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from secondpost.cli.command import Ending, Exit, command_waits
from secondpost.cli.opening import write_faults_shown
from secondpost.cli.screen import Column, on_terminal, say, say_table
from secondpost.config.records import Config
from secondpost.mail.printable import printable
from secondpost.owner.figures import counted
from secondpost.roles.zones import records_missing
from secondpost.setup.records import PublishedBy, Turn, WantedRecord, by_turn, zone_snippet

if TYPE_CHECKING:
    from rich.text import Text

VALUE_CHARACTERS_MAX = 40  # in the table; the zone file has all of a key
NAMED_MAX = 10  # of the missing records, in the list that is shown while waiting
COLUMNS = (
    Column("name", folds=True),
    Column("type"),
    Column("value", folds=True),
    Column("what for", folds=True),
)

Records = tuple[WantedRecord, ...]
Show = Callable[[Records, Records], None]


def say_records(records: Records) -> None:
    """Print a table for each turn, and all as lines of a zone file."""
    say("")
    say("Publish these records, in this order:")
    for heading, of_turn in by_turn(records):
        say("")
        say(heading)
        say_table(COLUMNS, [_row(record) for record in of_turn])
    say("")
    say("The same for a zone file:")
    say("")
    say(zone_snippet(records))


def _row(record: WantedRecord) -> tuple[str, str, str, str]:
    notes = [
        *(["set it where the machine is rented"] if record.by is PublishedBy.HOSTER else []),
        *(["may be left out"] if record.is_optional else []),
    ]
    why = f"{record.why} ({', '.join(notes)})" if len(notes) > 0 else record.why
    value = record.value.replace("\n", " ")
    if len(value) > VALUE_CHARACTERS_MAX:
        value = f"{value[:VALUE_CHARACTERS_MAX]}…"
    return record.name, record.type, value, why


def write_zone(file: IO[str], records: Records) -> None:
    with write_faults_shown(file.name):
        file.write(zone_snippet(records))
        file.flush()


def wait_for_records(config: Config, records: Records, seconds_max: float, show: Show) -> Records:
    """Wait until all records are visible that the service needs before mail comes; returns those that
    are not.

    Ctrl-C ends it early. `show` gets those that have become visible, and those that are missing.
    """
    missing = records

    async def wait() -> None:
        nonlocal missing
        loop, pause = asyncio.get_running_loop(), command_waits().records
        end = loop.time() + seconds_max
        while True:
            now = await records_missing(config, missing)
            show(tuple(record for record in missing if record not in now), now)
            missing = now
            if len(_needed(missing)) == 0 or loop.time() + pause > end:
                return
            await asyncio.sleep(pause)

    with suppress(KeyboardInterrupt):
        asyncio.run(wait())
    return _needed(missing)


def _needed(records: Records) -> Records:
    """Those to wait for: mail comes with the last turn, which is published when the service runs."""
    return tuple(record for record in records if not record.is_optional and record.turn is not Turn.BACKUP)


@contextmanager
def watching(count: int) -> Iterator[Show]:
    """Show the progress: on a terminal in place, elsewhere with a line for each record."""
    if not on_terminal():
        yield _say_visible
        return
    from rich.live import Live

    with Live(_standing(count, None), transient=True, refresh_per_second=4) as live:
        yield lambda _, missing: live.update(_standing(count, missing))


def show_nothing(visible: Records, missing: Records) -> None:
    """For --json, which prints one document at the end."""


def _say_visible(visible: Records, missing: Records) -> None:
    for record in visible:
        say(f"visible: {record.name} {record.type}")


def _standing(count: int, missing: Records | None) -> "Text":
    from rich.text import Text

    if missing is None:
        return Text("Looking whether the records are visible … Ctrl-C ends it.")
    named = [f"  {printable(record.name)} {record.type}" for record in missing[:NAMED_MAX]]
    more = len(missing) - len(named)
    last = [f"  and {more} more"] if more > 0 else []
    head = f"{count - len(missing)} of {count} records are visible; Ctrl-C ends it. Missing:"
    return Text("\n".join([head, *named, *last]))


def say_waited(missing: Records) -> None:
    """Print the result of waiting."""
    if len(missing) == 0:
        say("All records are visible that the service needs before mail comes.")
    for record in missing:
        say(f"missing: {record.name} {record.type}")


def refuse_missing(missing: Records) -> None:
    """End the command with exit code 1 if records are missing."""
    if len(missing) > 0:
        still = counted(len(missing), "record is", "records are")
        raise Ending(f"{still} still missing; publish what is missing, then type the same again", Exit.NO)
