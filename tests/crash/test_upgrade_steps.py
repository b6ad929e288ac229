"""Migrating a store and going back, killed before each statement and each change of the file system.

The store is the old one or the new one, no mail is missing from it or from what was set aside, and the next
run comes to the end.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.processes.going_back import go_back, ways_back
from secondpost.processes.migrating import migrate_store
from secondpost.store.sqlite import schema
from secondpost.store.sqlite.kept import kept_copies
from tests.cli.office import Office, open_office
from tests.cli.test_upgrade import NEWEST, make_newer, rows_of, take_back

# Python's audit events of calls that change the file system.
CHANGES = frozenset({"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir"})
STEPS_MAX = 500
LARGE = b"Subject: large\r\n\r\n"


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do the work in a process of its own that is killed before its step number `step`; whether it was,
    since the work may have fewer.
    """
    child = os.fork()
    if child == 0:
        seen = 0

        def pass_step() -> None:
            nonlocal seen
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)

        def heard(event: str, details: tuple[object, ...]) -> None:
            if event in CHANGES or (event == "open" and int(str(details[2])) & os.O_CREAT != 0):
                pass_step()

        def executed(_cursor: apsw.Cursor, _statement: str, _values: object) -> bool:
            pass_step()
            return True

        def opened(db: apsw.Connection) -> None:
            db.exec_trace = executed

        code = 1
        try:
            sys.addaudithook(heard)
            apsw.connection_hooks.append(opened)
            work()
            code = 0
        finally:  # not back into the tests, of which this is a copy
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert status == 0 or os.WIFSIGNALED(status), f"step {step} raised"
    return status != 0


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = open_office(tmp_path)
    store = tmp_path / "store" / "mail"
    (store / "content").mkdir(exist_ok=True)
    with closing(apsw.Connection(str(store / "mail.db"))) as db:
        waiting = db.execute("SELECT id FROM message WHERE ended_ms IS NULL").fetchall()
        for n, (number,) in enumerate(waiting[:2]):
            (store / "content" / f"1-large{n}").write_bytes(LARGE)
            db.execute("UPDATE message SET file = ? WHERE id = ?", (f"content/1-large{n}", number))
    return office


def version_of(path: Path) -> int:
    with closing(apsw.Connection(str(path))) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return schema.version(db)


def content_of(path: Path, room: Path) -> list[bytes]:
    """What the unended messages of a database have in files."""
    with closing(apsw.Connection(str(path))) as db:
        files = db.execute("SELECT file FROM message WHERE file IS NOT NULL AND ended_ms IS NULL").fetchall()
    return [(room / str(file)).read_bytes() for (file,) in files]


def back(config: Config) -> None:
    go_back(config, ways_back(config, None))


def test_a_migration_leaves_the_old_store_or_the_new_one(office: Office) -> None:
    config, store = read_config(str(office.config)), office.folder / "store"
    path = store / "mail" / "mail.db"
    take_back(office.folder, 30)
    before = rows_of(path)
    shutil.copytree(store, office.folder / "first")
    versions = set()
    for step in range(1, STEPS_MAX):
        was_killed = killed_at(step, lambda: migrate_store(config))
        versions.add(version_of(path))
        if version_of(path) == 30:
            assert rows_of(path) == before
        else:
            [copy] = kept_copies(str(path))
            assert (copy.schema, rows_of(Path(copy.path))) == (30, before)
        migrate_store(config)
        assert version_of(path) == NEWEST
        assert not any(each.name.endswith(".unfinished") for each in (store / "mail" / "kept").iterdir())
        shutil.rmtree(store)
        shutil.copytree(office.folder / "first", store)
        if not was_killed:
            break
    else:
        raise AssertionError("there are more steps than that")
    assert (versions, step > 20) == ({30, NEWEST}, True)


def test_putting_a_copy_back_leaves_the_newer_store_or_the_copy_and_no_mail_is_lost(office: Office) -> None:
    config, store = read_config(str(office.config)), office.folder / "store"
    path = store / "mail" / "mail.db"
    take_back(office.folder, 30)
    migrate_store(config)
    # Of two content files the copy needs one, and the newer database both and a third.
    with closing(apsw.Connection(str(path))) as db:
        (store / "mail" / "content" / "1-since").write_bytes(LARGE)
        db.execute(
            "UPDATE message SET file = 'content/1-since' WHERE id = (SELECT max(id) FROM message"
            " WHERE ended_ms IS NULL AND file IS NULL)"
        )
    make_newer(office)
    newer = rows_of(path)
    [copy] = kept_copies(str(path))
    older = rows_of(Path(copy.path))
    shutil.copytree(store, office.folder / "first")
    versions = set()
    for step in range(1, STEPS_MAX):
        was_killed = killed_at(step, lambda: back(config))
        versions.add(version_of(path))
        assert rows_of(path) == (newer if version_of(path) > NEWEST else older)
        assert set(content_of(path, store / "mail")) == {LARGE}
        back(config)
        assert (version_of(path), rows_of(path)) == (30, older)
        assert set(content_of(path, store / "mail")) == {LARGE}
        [aside] = (store / "mail" / "set-aside").iterdir()
        assert rows_of(aside / "mail" / "mail.db") == newer
        assert (aside / "mail" / "content" / "1-since").read_bytes() == LARGE
        assert not (store / "mail" / "content" / "1-since").exists()
        assert all(each.stat().st_nlink == 1 for each in store.rglob("*") if each.is_file())
        shutil.rmtree(store)
        shutil.copytree(office.folder / "first", store)
        if not was_killed:
            break
    else:
        raise AssertionError("there are more steps than that")
    assert (versions, step > 20) == ({30, NEWEST + 1}, True)


def test_undoing_changes_in_place_leaves_one_schema_or_the_other(office: Office) -> None:
    config, path = read_config(str(office.config)), office.folder / "store" / "mail" / "mail.db"
    before, versions = rows_of(path), set()
    for step in range(1, STEPS_MAX):
        was_killed = killed_at(step, lambda: go_back(config, ways_back(config, 29)))
        versions.add(version_of(path))
        go_back(config, ways_back(config, 29))
        migrate_store(config, keeps_copy=False)
        assert rows_of(path)["delivery"] == before["delivery"]
        if not was_killed:
            break
    else:
        raise AssertionError("there are more steps than that")
    assert versions == {29, NEWEST}
