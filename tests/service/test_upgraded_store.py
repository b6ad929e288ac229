"""The service starts on a store that an older version left, and one goes back to that version."""

import os
import re
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from secondpost.store.sqlite import schema
from secondpost.store.sqlite.migrating import migrate_database_back
from secondpost.store.sqlite.schema import Database, steps_back
from secondpost.world.real.disk import RealDisk
from secondpost.world.room_disk import RoomDisk
from tests.crash.postoffice import RECIPIENT, PostOffice
from tests.service.conftest import Call, MakeOffice
from tests.service.primary import Primary
from tests.service.test_hard_times import bodies, message, until

NEWEST = schema.migrations(Database.MAIL)[-1].number
OLDER = 29
MIGRATED = re.compile(rf" store-migrated .*database=mail\.db old={OLDER} schema={NEWEST} copy=(\S+)")


def schema_of(path: Path) -> int:
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as db:
        return schema.version(db)


def left_by_older(office: PostOffice) -> None:
    """As a service of the older version left the store that this one filled."""
    steps = steps_back(Database.MAIL, NEWEST, OLDER)
    assert steps is not None
    migrate_database_back(RoomDisk(RealDisk(str(office.store)), Database.MAIL.room), Database.MAIL, steps)


@pytest.mark.parametrize("words", [(), ("--single",)], ids=["supervised", "single"])
def test_held_mail_goes_through_an_upgrade_with_a_copy_kept(
    make_office: MakeOffice, call: Call, primary: Primary, words: tuple[str, ...]
) -> None:
    office = make_office()
    office.start(*words)
    client = call(office)
    assert client.send(message(1, 200_000), RECIPIENT).startswith("250 ")
    assert client.send(message(2), RECIPIENT).startswith("250 ")
    rehearsed = office.run("upgrade", "--check")  # while it serves
    assert rehearsed.returncode == 0, rehearsed.stdout + rehearsed.stderr
    assert office.stop() == 0
    left_by_older(office)
    primary.open()
    office.start(*words)
    until("both have arrived", lambda: len(primary.taken) == 2)
    assert sorted(bodies(primary)) == sorted([message(1, 200_000), message(2)])
    [copy] = MIGRATED.findall(office.log.read_text())
    assert schema_of(Path(copy)) == OLDER
    assert Path(copy).stat().st_mode & 0o777 == 0o600
    assert office.stop() == 0
    office.start(*words)
    assert len(MIGRATED.findall(office.log.read_text())) == 1
    assert office.stop() == 0


def test_what_came_since_the_upgrade_is_there_after_going_back_and_arrives_once(
    make_office: MakeOffice, call: Call, primary: Primary
) -> None:
    office = make_office()
    office.start()
    client = call(office)
    assert client.send(message(1), RECIPIENT).startswith("250 ")
    assert office.stop() == 0
    left_by_older(office)
    office.start()
    assert call(office).send(message(2, 200_000), RECIPIENT).startswith("250 ")
    refused = office.run("upgrade", "--back", "--yes")
    assert refused.returncode == 4
    assert "works with the store" in refused.stderr
    assert office.stop() == 0
    done = office.run("upgrade", "--back", "--yes")
    assert done.returncode == 0, done.stderr
    assert schema_of(office.store / "mail" / "mail.db") == OLDER
    # The older version would go on here; this one does, after another upgrade.
    primary.open()
    office.start()
    until("both have arrived", lambda: len(primary.taken) == 2)
    assert sorted(bodies(primary)) == sorted([message(1), message(2, 200_000)])
    assert office.stop() == 0


def test_a_store_without_room_for_the_copy_is_not_touched(make_office: MakeOffice, call: Call) -> None:
    office = make_office()
    office.start()
    assert call(office).send(message(1), RECIPIENT).startswith("250 ")
    assert office.stop() == 0
    left_by_older(office)
    disk = os.statvfs(office.store)
    reserve = f'reserve  = "{disk.f_bavail * disk.f_frsize // 1_000_000} MB"'
    office.config.write_text(office.config.read_text().replace('reserve  = "1 MB"', reserve))
    office.start(answers=False)
    assert office.wait(20.0) == 4
    assert "secondpost upgrade --migrate --without-copy" in office.log.read_text()
    assert schema_of(office.store / "mail" / "mail.db") == OLDER
