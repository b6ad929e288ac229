"""Puts a kept copy in the place of a newer database, which is set aside whole with its content files.

The copy knows that it is one: what waited in it is held until the owner accepts it. A log in the form of
the service's own says what the newer database knows to have been sent, for `snapshot accept --sent-log`.

The order makes a crash harmless: all that the newer database needs gets a second name in the folder for
it, then one rename puts the copy in place, then the first names are removed. Until that folder has lost
the ending of its name, `finish` brings it to an end, or undoes it.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import apsw

from secondpost.mail.content import CONTENT_FOLDER
from secondpost.mail.kept_copy import SET_ASIDE_FOLDER, UNFINISHED, KeptCopy, free_dated_name
from secondpost.mail.queue_id import QueueId, queue_id_text
from secondpost.store.ports import StoreRefused
from secondpost.store.sqlite.connection import distrust
from secondpost.store.sqlite.copying import DatabaseCopy
from secondpost.store.sqlite.flat_file import settle_database
from secondpost.store.sqlite.schema import Database, has_table
from secondpost.world.ports import Disk, DiskFailed, DiskFile

SENT_LOG = "sent.log"
LEFT_READERS = "left-readers.txt"
LINES_AT_ONCE = 1000
UNKNOWN = ("unknown", "committing")


@dataclass(frozen=True, slots=True)
class SetAside:
    """A newer database that was set aside. `folder` is a store of its own for the version that wrote it."""

    folder: str
    sent_log: str
    messages: int  # that came since the copy and wait in it
    left_readers: int  # active in the copy, and not any more; listed in a file beside the log


def can_hold(copy: KeptCopy) -> bool:
    """Whether the copy can be marked as one: schemas before 27 have no place for that."""
    with closing(_reader(copy.path)) as db:
        return has_table(db, "witness")


def put_back(disk: Disk, database: Database, copy: KeptCopy, present: int, now_ms: int) -> SetAside:
    """Raises StoreUnavailable while another process has the database open, StoreRefused, SnapshotFault,
    DiskFull and DiskFailed.
    """
    name = database.file_name
    settle_database(disk, name)
    folder = f"{SET_ASIDE_FOLDER}/{free_dated_name(present, now_ms, disk.names(SET_ASIDE_FOLDER))}"
    unfinished = f"{folder}{UNFINISHED}"
    room = f"{unfinished}/{database.room.folder}"
    disk.make_folder(f"{room}/{CONTENT_FOLDER}")
    newer, path = disk.path(name), copy.path
    messages = _write_sent_log(disk, f"{unfinished}/{SENT_LOG}", newer, path)
    left = _write_left_readers(disk, f"{unfinished}/{LEFT_READERS}", newer, path)
    try:
        for file in _content_only_in(newer, path, database):
            if os.path.exists(disk.path(file)):
                os.link(disk.path(file), disk.path(f"{room}/{file}"), follow_symlinks=False)
        os.link(newer, disk.path(f"{room}/{name}"))
        for each in (f"{room}/{CONTENT_FOLDER}", room, unfinished, SET_ASIDE_FOLDER):
            disk.sync_folder(each)
        os.rename(path, newer)
        disk.sync_folder("")
        os.rmdir(os.path.dirname(path))
    except OSError as error:
        raise DiskFailed(f"setting {newer} aside: {error.strerror}") from error
    finish(disk, database)
    at = disk.path(folder)
    return SetAside(at, f"{at}/{SENT_LOG}", messages, left)


def finish(disk: Disk, database: Database) -> None:
    """Bring to an end what a crash interrupted. Raises DiskFailed."""
    for folder in disk.names(SET_ASIDE_FOLDER):
        if folder.endswith(UNFINISHED):
            try:
                _finish(disk, database, f"{SET_ASIDE_FOLDER}/{folder}")
            except OSError as error:
                raise DiskFailed(f"setting a database aside in {folder}: {error.strerror}") from error


def _finish(disk: Disk, database: Database, unfinished: str) -> None:
    room = f"{unfinished}/{database.room.folder}"
    aside, live = disk.path(f"{room}/{database.file_name}"), disk.path(database.file_name)
    is_done = os.path.exists(aside) and not os.path.samefile(aside, live)
    files = disk.names(f"{room}/{CONTENT_FOLDER}")
    if is_done:
        for file in files:
            disk.remove(f"{CONTENT_FOLDER}/{file}")
        disk.sync_folder(CONTENT_FOLDER)
        os.rename(disk.path(unfinished), disk.path(unfinished.removesuffix(UNFINISHED)))
    else:
        for file in files:
            disk.remove(f"{room}/{CONTENT_FOLDER}/{file}")
        for name in (
            f"{room}/{database.file_name}",
            f"{unfinished}/{SENT_LOG}",
            f"{unfinished}/{LEFT_READERS}",
        ):
            disk.remove(name)
        for each in (f"{room}/{CONTENT_FOLDER}", room, unfinished):
            if os.path.isdir(disk.path(each)):
                os.rmdir(disk.path(each))
    disk.sync_folder(SET_ASIDE_FOLDER)


def _reader(path: str) -> apsw.Connection:
    db = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_NOFOLLOW)
    distrust(db)
    return db


def _both(newer: str, copy: str) -> apsw.Connection:
    """The newer database, and beside it the copy as `copy`."""
    db = _reader(newer)
    db.execute("ATTACH ? AS copy", (copy,))
    return db


def _content_only_in(newer: str, copy: str, database: Database) -> Iterator[str]:
    older = set(DatabaseCopy(copy, database).content_files())
    yield from (name for name in DatabaseCopy(newer, database).content_files() if name not in older)


def _write_sent_log(disk: Disk, name: str, newer: str, copy: str) -> int:
    """The log; returns how many messages came since and have not ended. Raises StoreRefused for a database
    whose tables this program does not understand.
    """
    file = disk.create(name)
    try:
        with closing(_both(newer, copy)) as db:
            _write_lines(file, _sent_lines(db))
            [(messages,)] = db.execute(
                "SELECT count(*) FROM message WHERE ended_ms IS NULL"
                " AND id NOT IN (SELECT id FROM copy.message)"
            ).fetchall()
        return int(str(messages))
    except apsw.SQLError as error:
        raise StoreRefused(
            f"this version cannot read what the newer one wrote in {newer} ({error}); "
            "go back with that version"
        ) from error
    finally:
        file.close()


def _sent_lines(db: apsw.Connection) -> Iterator[str]:
    """One for each delivery that had not ended in the copy and has in the newer database, or is gone from
    there.
    """
    changed = db.execute(
        "SELECT old.message, old.number, coalesce(new.state, 'delivered')"
        " FROM copy.delivery AS old LEFT JOIN main.delivery AS new"
        " ON new.message = old.message AND new.number = old.number"
        " WHERE old.ended_ms IS NULL AND old.state <> 'unknown' AND"
        " (new.state IS NULL OR new.ended_ms IS NOT NULL OR new.state IN ('unknown', 'committing'))"
    )
    for message, number, state in changed:
        word = "unknown" if state in UNKNOWN else "delivered"
        yield f"{word} id={queue_id_text(QueueId(int(str(message))))}/{number}"
    if has_table(db, "issue"):
        last = db.execute("SELECT newsletter, max(number) FROM issue WHERE state <> 'open' GROUP BY 1")
        for newsletter, number in last:
            yield f"issue-frozen newsletter={newsletter} number={number}"
    yield "role-stopped role=deliver reason=going back"


def _write_left_readers(disk: Disk, name: str, newer: str, copy: str) -> int:
    """Who left, complained or was suspended since the copy: it has them as active readers."""
    with closing(_both(newer, copy)) as db:
        if not has_table(db, "subscriber"):
            return 0
        left = db.execute(
            "SELECT old.newsletter, old.mailbox FROM copy.subscriber AS old LEFT JOIN main.subscriber AS new"
            " ON new.id = old.id WHERE old.state = 'active' AND (new.state IS NULL OR new.state <> 'active')"
        )
        file = disk.create(name)
        try:
            return _write_lines(file, (f"{newsletter} {address}" for newsletter, address in left))
        finally:
            file.close()


def _write_lines(file: DiskFile, lines: Iterator[str]) -> int:
    """Returns how many there were."""
    count, some = 0, bytearray()
    for line in lines:
        count += 1
        some += f"{line}\n".encode()
        if count % LINES_AT_ONCE == 0:
            file.write(bytes(some))
            some.clear()
    file.write(bytes(some))
    file.sync()
    return count
