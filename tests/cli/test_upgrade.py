"""A new version is rehearsed on stores of earlier schemas, which are migrated, and taken back."""

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner

from secondpost.cli.main import secondpost
from secondpost.roles.rehearsal import START_SECONDS
from secondpost.roles.rehearsed_store import PREFIX
from secondpost.store.sqlite import SqliteStore, schema
from secondpost.store.sqlite.copying import copy_database
from secondpost.store.sqlite.kept import kept_copies
from secondpost.store.sqlite.migrating import migrate_database_back
from secondpost.store.sqlite.schema import Database, steps_back
from secondpost.world.real.disk import RealDisk
from secondpost.world.room_disk import RoomDisk
from tests.cli.newspaper import Newspaper
from tests.cli.office import Office, served
from tests.crash.postoffice import free_port

NUMBERS = [each.number for each in schema.migrations(Database.MAIL)]
NEWEST = NUMBERS[-1]
NEWEST_OF_READERS = schema.migrations(Database.NEWSLETTER)[-1].number
REVERSIBLE = 27  # the oldest schema to which every change can be undone
Rows = dict[str, list[tuple[object, ...]]]


def database(office: Office) -> Path:
    return office.folder / "store" / "mail" / "mail.db"


def schema_of(path: Path) -> int:
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as db:
        return schema.version(db)


def rows_of(path: Path) -> Rows:
    """All rows but those of tables that say which program was there."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as db:
        names = [str(name) for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            name: sorted(db.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for name in names
            if name not in ("program", "migration", "sqlite_sequence", "witness")
        }


def take_back(folder: Path, to: int, which: Database = Database.MAIL) -> None:
    """The store as a version with this schema left it."""
    steps = steps_back(which, NEWEST if which is Database.MAIL else NEWEST_OF_READERS, to)
    assert steps is not None
    migrate_database_back(RoomDisk(RealDisk(str(folder / "store")), which.room), which, steps)


def make_newer(office: Office) -> None:
    """Have a version of the future work with the store: this one does not know how to undo what it did."""
    with closing(apsw.Connection(str(database(office)))) as db:
        db.execute("CREATE TABLE of_the_future (x)")
        db.execute("INSERT INTO migration VALUES (?, 'future', 1)", (NEWEST + 1,))
        db.execute("INSERT INTO program VALUES ('9.9.0', ?, 1, 2)", (NEWEST + 1,))


def test_a_version_that_changes_nothing_is_ready(office: Office) -> None:
    room = office.folder / "room"
    room.mkdir()
    done = office.run("upgrade", "--check", "--room", str(room))
    assert "is ready for this store" in done.stdout
    assert "The store has this version's schema already." in done.stdout
    assert "No certificate is configured" in done.stdout
    assert "For readers nothing changes." in done.stdout
    assert list(room.iterdir()) == []


@pytest.mark.parametrize("older", [REVERSIBLE, 28, 30, NUMBERS[-2]])
def test_an_older_store_is_rehearsed_while_the_service_runs_and_not_touched(
    office: Office, older: int
) -> None:
    take_back(office.folder, older)
    before = (rows_of(database(office)), database(office).stat().st_ino)
    document = json.loads(office.run("upgrade", "--check", "--json").stdout)
    [mail] = document["databases"]
    assert (document["ready"], document["reversible"]) == (True, True)
    assert (mail["schema"], mail["new_schema"]) == (older, NEWEST)
    assert [each["number"] for each in mail["migrations"]] == [number for number in NUMBERS if number > older]
    assert document["needed_octets"] > mail["octets"] > 0
    assert document["pause_seconds"] >= START_SECONDS
    noticed = {(each["whom"], each["text"].split()[0]) for each in document["changes"]}
    assert (("others", "Mail") in noticed) is (older < 28)
    assert (rows_of(database(office)), database(office).stat().st_ino) == before
    assert schema_of(database(office)) == older


def test_a_command_that_meets_an_older_store_changes_nothing_and_says_who_does(office: Office) -> None:
    take_back(office.folder, 30)
    done = office.run("queue", "list", code=4)
    assert "start the service once, it brings the store up to date" in done.stderr
    assert schema_of(database(office)) == 30


@pytest.mark.parametrize("older", [REVERSIBLE, 28, 29, 30, 31, 32])
def test_a_migrated_store_goes_back_with_everything_that_came_since(office: Office, older: int) -> None:
    take_back(office.folder, older)
    before = rows_of(database(office))
    document = json.loads(office.run("upgrade", "--migrate", "--json").stdout)
    [copy] = kept_copies(str(database(office)))
    assert document["databases"] == [
        {"database": "mail.db", "old_schema": older, "schema": NEWEST, "copy": copy.path}
    ]
    assert (copy.schema, rows_of(Path(copy.path))) == (older, before)
    office.run("queue", "drop", office.own, "--yes")  # something happens since
    done = office.run("upgrade", "--back", "--yes")
    assert f"mail.db has schema {older} now." in done.stdout
    assert schema_of(database(office)) == older
    after = rows_of(database(office))
    assert after.keys() == before.keys()
    assert len(after["message"]) == len(before["message"])
    dropped = [row for row in after["delivery"] if row not in before["delivery"]]
    assert len(dropped) == 1
    office.run("upgrade", "--migrate")
    assert office.run("queue", "show", office.own).stdout.count("dropped") > 0


def test_a_second_migration_has_nothing_to_do(office: Office) -> None:
    assert office.run("upgrade", "--migrate").stdout == "The store is up to date.\n"
    assert kept_copies(str(database(office))) == []


def test_a_store_is_migrated_only_while_no_process_works_with_it(office: Office) -> None:
    with served(SqliteStore, office.folder):
        take_back(office.folder, 31)
        done = office.run("upgrade", "--migrate", code=4)
    assert "works with the store" in done.stderr
    assert schema_of(database(office)) == 31


def test_without_room_for_the_copy_nothing_is_changed_until_the_owner_goes_on_without(office: Office) -> None:
    take_back(office.folder, 31)
    text = office.config.read_text()
    free = os.statvfs(office.folder).f_bavail * os.statvfs(office.folder).f_frsize
    office.config.write_text(text.replace("[web]", f'reserve = "{free // 1_000_000} MB"\n[web]', 1))
    document = json.loads(office.run("upgrade", "--check", "--json", code=1).stdout)
    [wrong] = [step for step in document["steps"] if not step["right"]]
    assert wrong["part"] == "room"
    assert "--without-copy" in wrong["remedy"]
    done = office.run("upgrade", "--migrate", code=4)
    assert "secondpost upgrade --migrate --without-copy" in done.stderr
    assert schema_of(database(office)) == 31
    assert "no copy was kept" in office.run("upgrade", "--migrate", "--without-copy").stdout
    assert (schema_of(database(office)), kept_copies(str(database(office)))) == (NEWEST, [])


def test_only_the_latest_copies_are_kept(office: Office, tmp_path: Path) -> None:
    for day in range(1, 4):
        folder = database(office).parent / "kept" / f"27-2026010{day}T000000Z"
        folder.mkdir(parents=True)
        copy_database(str(database(office)), str(folder / "mail.db"), lambda octets: None)
    unfinished = database(office).parent / "kept" / "30-20260101T000000Z.unfinished"
    unfinished.mkdir()
    (unfinished / "mail.db").write_bytes(b"half")
    take_back(office.folder, 31)
    office.run("upgrade", "--migrate")
    # Those of January are older than a copy is kept.
    assert [copy.schema for copy in kept_copies(str(database(office)))] == [31]
    assert len(list((database(office).parent / "kept").iterdir())) == 1


# ---------------------------------------------------------------- a newer store


NEWER = [
    ("status",),
    ("queue", "list"),
    ("held", "list"),
    ("trace", "ada@example.net"),
    ("snapshot", "hold"),
    ("upgrade", "--migrate"),
    ("queue", "drop", "--all", "--yes"),
]


@pytest.mark.parametrize("words", NEWER, ids=" ".join)
def test_a_newer_store_is_refused_with_the_ways_forward_and_back(
    office: Office, words: tuple[str, ...]
) -> None:
    take_back(office.folder, 31)
    office.run("upgrade", "--migrate")
    [copy] = kept_copies(str(database(office)))
    make_newer(office)
    done = office.run(*words, code=4)
    assert "a newer Secondpost, 9.9.0" in done.stderr
    assert f"`secondpost upgrade --back --to {NEWEST}`" in done.stderr
    assert copy.path in done.stderr
    assert "Traceback" not in done.output
    assert schema_of(database(office)) == NEWEST + 1


def test_serve_refuses_a_newer_store_in_one_sentence(office: Office) -> None:
    make_newer(office)
    with office.config.open("a") as file:
        file.write(f'[receive]\nlisten = ["127.0.0.1:{free_port()}"]\n[metrics]\nlisten = "none"\n')
    done = subprocess.run(
        [sys.executable, "-m", "secondpost", "--config", str(office.config), "serve"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert "a newer Secondpost, 9.9.0" in done.stderr
    assert "no copy from before was kept here" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_copy_takes_the_place_of_a_store_that_cannot_go_back_and_nothing_is_sent_twice(
    office: Office,
) -> None:
    take_back(office.folder, 31)
    office.run("upgrade", "--migrate")
    before = rows_of(database(office))
    [copy] = kept_copies(str(database(office)))
    # The newer version drops a mail, and takes another one.
    office.run("queue", "drop", office.waiting, "--yes")
    content = database(office).parent / "content" / "1-since"
    content.write_bytes(b"Subject: since\r\n\r\n")
    with closing(apsw.Connection(str(database(office)))) as db:
        columns = [str(row[1]) for row in db.execute("PRAGMA table_info(message)").fetchall()]
        values = ", ".join(
            {"id": "(SELECT max(id) + 1 FROM message)", "file": "'content/1-since'"}.get(name, name)
            for name in columns
        )
        db.execute(
            f"INSERT INTO message ({', '.join(columns)}) SELECT {values} FROM message"
            " WHERE ended_ms IS NULL LIMIT 1"
        )
    make_newer(office)
    asked = office.run("upgrade", "--back", code=2)
    assert copy.path in asked.stdout
    document = json.loads(office.run("upgrade", "--back", "--yes", "--json").stdout)
    [went] = document["databases"]
    assert (went["old_schema"], went["schema"], went["copy"]) == (NEWEST + 1, 31, copy.path)
    assert went["messages"] == 1
    assert schema_of(database(office)) == 31
    assert rows_of(database(office))["delivery"] == before["delivery"]
    aside = Path(went["set_aside"])
    assert schema_of(aside / "mail" / "mail.db") == NEWEST + 1
    assert (aside / "mail" / "content" / "1-since").read_bytes() == b"Subject: since\r\n\r\n"
    assert not content.exists()
    sent = (aside / "sent.log").read_text()
    assert sent.splitlines() == [
        f"delivered id={office.waiting}/1",
        "role-stopped role=deliver reason=going back",
    ]
    # The set-aside folder is a store, for the version that wrote it.
    with closing(apsw.Connection(str(aside / "mail" / "mail.db"))) as db:
        db.execute("DELETE FROM migration WHERE number > ?", (NEWEST,))
    moved = aside.rename(office.folder / "aside")  # the path of a store may have 77 octets
    other = office.folder / "aside.toml"
    other.write_text(office.config.read_text().replace(str(office.folder / "store"), str(moved)))
    shown = CliRunner().invoke(secondpost, ["--config", str(other), "queue", "show", office.waiting])
    assert (shown.exit_code, "dropped" in shown.stdout) == (0, True)
    office.run("upgrade", "--migrate")  # as the older version it has schema 31: this program needs more
    done = json.loads(
        office.run("snapshot", "accept", "--yes", "--json", "--sent-log", str(moved / "sent.log")).stdout
    )
    assert done["delivered"] == 1
    assert done["sent_on"] == 4


def test_a_way_back_that_is_repeated_goes_no_further(office: Office) -> None:
    for older in (29, 31):
        take_back(office.folder, older)
        office.run("upgrade", "--migrate")
    office.run("upgrade", "--back", "--yes")
    assert "need not go back" in office.run("upgrade", "--back", "--yes").stdout
    assert schema_of(database(office)) == 31


def test_no_way_back_is_said_in_words(office: Office) -> None:
    done = office.run("upgrade", "--back", "--to", "20", "--yes", code=4)
    assert "cannot go back from schema" in done.stderr
    assert "no usable copy was kept from before them; restore a snapshot" in " ".join(done.stderr.split())
    assert schema_of(database(office)) == NEWEST
    assert "need not go back" in office.run("upgrade", "--back", "--yes").stdout


# ---------------------------------------------------------------- rehearsals that fail or are killed


def test_a_damaged_store_is_not_ready(office: Office) -> None:
    take_back(office.folder, 31)
    with closing(apsw.Connection(str(database(office)))) as db:
        db.execute("PRAGMA journal_mode = DELETE").fetchall()
        [(page,)] = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'delivery'").fetchall()
    with database(office).open("r+b") as file:
        file.seek((int(str(page)) - 1) * 4096)
        file.write(b"\0" * 4096)
    document = json.loads(office.run("upgrade", "--check", "--json", code=1).stdout)
    assert [step["part"] for step in document["steps"] if not step["right"]] == ["migration"]


def test_a_migration_that_fails_changes_nothing_and_is_found_before(office: Office) -> None:
    take_back(office.folder, 31)
    with closing(apsw.Connection(str(database(office)))) as db:
        db.execute("CREATE TABLE reach_view (in_the_way)")
    before = rows_of(database(office))
    document = json.loads(office.run("upgrade", "--check", "--json", code=1).stdout)
    [wrong] = [step for step in document["steps"] if not step["right"]]
    assert (wrong["part"], "reach_view already exists" in wrong["text"]) == ("migration", True)
    done = office.run("upgrade", "--migrate", code=4)
    assert "stays as it is: table reach_view already exists" in done.stderr
    assert (schema_of(database(office)), rows_of(database(office))) == (31, before)


def test_a_file_that_this_version_does_not_understand_is_not_ready(office: Office) -> None:
    office.config.write_text(office.config.read_text().replace("hostname", "hostnames"))
    done = office.run("upgrade", "--check", code=1)
    assert "hostnames" in done.stdout
    assert "is not ready" in done.stdout


def test_a_room_that_is_not_there_is_named(office: Office) -> None:
    done = office.run("upgrade", "--check", "--room", "/nowhere/at/all", code=1)
    assert "/nowhere/at/all" in done.stdout
    assert "--room" in done.stdout
    assert "nothing changes" not in done.stdout


def test_what_a_killed_rehearsal_left_is_removed_by_the_next(office: Office) -> None:
    room = office.folder / "room"
    room.mkdir()
    dead = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    left = room / f"{PREFIX}{dead.pid}-abc"
    left.mkdir()
    (left / "mail.db").write_bytes(b"mail")
    mine = room / f"{PREFIX}{os.getpid()}-abc"
    mine.mkdir()
    office.run("upgrade", "--check", "--room", str(room))
    assert left.exists()
    dead.send_signal(signal.SIGKILL)
    dead.wait()
    office.run("upgrade", "--check", "--room", str(room))
    assert list(room.iterdir()) == [mine]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "Use one of"),
        (("--check", "--back"), "Use one of"),
        (("--check", "--to", "3"), "--to goes with --back"),
        (("--back", "--without-copy"), "--without-copy goes with --migrate"),
    ],
)
def test_options_that_do_not_go_together(office: Office, words: tuple[str, ...], text: str) -> None:
    assert text in office.run("upgrade", *words, code=2).stderr


# ---------------------------------------------------------------- the newsletter


def test_a_newsletter_store_goes_there_and_back(paper: Newspaper) -> None:
    path = paper.folder / "store" / "newsletter" / "newsletter.db"
    paper.run("subscribers", "add", "ann@example.com", "--confirmed", "on paper, in May")
    take_back(paper.folder, 29, Database.NEWSLETTER)
    before = rows_of(path)
    assert len(before["subscriber"]) > 0
    paper.run("upgrade", "--check")
    paper.run("issue", "list", code=4)
    assert schema_of(path) == 29
    paper.run("upgrade", "--migrate")
    assert schema_of(path) == NEWEST_OF_READERS
    paper.run("upgrade", "--back", "--to", "29", "--yes")
    assert rows_of(path) == before
