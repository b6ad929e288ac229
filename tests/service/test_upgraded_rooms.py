"""A store divided among the users of its roles is migrated and taken back by the user of commands.

Users are numbers here, as in test_rooms; these tests run as root.
"""

import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import pytest

from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.processes.going_back import CopyPutBack, UndoneInPlace, go_back, ways_back
from secondpost.processes.migrating import migrate_store
from secondpost.processes.rooms import prepare_rooms
from secondpost.store.sqlite import schema
from secondpost.store.sqlite.kept import kept_copies
from secondpost.store.sqlite.schema import Database
from tests.service.test_rooms import GROUPS, LARGE_OCTETS, OWNER, TEXT, USERS, Desk, as_user, user_of

NEWEST = schema.migrations(Database.MAIL)[-1].number
OLDER = 30


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Other users may not be able to read Python's modules, so all are loaded before."""
    with TemporaryDirectory(dir="/dev/shm") as name:
        config = _config(Path(name))
        desk = Desk(config.store)
        Path(config.store).mkdir(mode=0o700)
        desk.accept("a@example.net", large=True)
        desk.deliver("a@example.net", LARGE_OCTETS)
        go_back(config, ways_back(config, OLDER))
        migrate_store(config)
        _make_newer(Path(config.store))
        go_back(config, ways_back(config, OLDER))


@pytest.fixture
def config() -> Iterator[Config]:
    """Not below tmp_path, which other users cannot enter."""
    with TemporaryDirectory(dir="/dev/shm") as name:
        Path(name).chmod(0o755)
        config = _config(Path(name))
        prepare_rooms(config, USERS)
        yield config


def _config(folder: Path) -> Config:
    path = folder / "secondpost.toml"
    path.write_text(TEXT.format(store=folder / "store"))
    return read_config(str(path))


def _make_newer(store: Path) -> None:
    with closing(apsw.Connection(str(store / "mail" / "mail.db"))) as db:
        db.execute("INSERT INTO migration VALUES (?, 'future', 1)", (NEWEST + 1,))


def test_the_user_of_commands_migrates_and_goes_back_in_rooms_of_several_users(config: Config) -> None:
    store = Path(config.store)
    path, desk = store / "mail" / "mail.db", Desk(config.store)
    as_user(user_of("receive"), lambda: desk.accept("a@example.net", large=True))

    def there_and_back() -> None:
        [way] = ways_back(config, OLDER)
        assert isinstance(way, UndoneInPlace)
        go_back(config, [way])
        migrate_store(config)

    as_user(OWNER, there_and_back)
    [copy] = kept_copies(str(path))
    assert copy.schema == OLDER
    kept = Path(copy.path).stat()
    assert (kept.st_gid, stat.S_IMODE(kept.st_mode)) == (GROUPS["secondpost-mail"], 0o660)
    prepare_rooms(config, USERS)

    as_user(user_of("receive"), lambda: desk.accept("b@example.net", large=True))
    as_user(OWNER, lambda: _make_newer(store))

    def put_back() -> None:
        [way] = ways_back(config, None)
        assert isinstance(way, CopyPutBack)
        [went] = go_back(config, [way])
        assert went.set_aside is not None
        assert went.set_aside.messages == 1
        migrate_store(config, keeps_copy=False)

    as_user(OWNER, put_back)
    prepare_rooms(config, USERS)  # no file has a second name
    [content] = (store / "mail" / "content").iterdir()
    [aside] = (store / "mail" / "set-aside").iterdir()
    [since] = (aside / "mail" / "content").iterdir()
    assert (content.name.partition("-")[2], since.name.partition("-")[2]) == ("a", "b")
    # The role works with what was put back, and finds that it is a copy.
    as_user(user_of("receive"), lambda: desk.accept("c@example.net"))
    with closing(apsw.Connection(str(path))) as db:
        assert db.execute("SELECT count(*) FROM witness WHERE held_ms IS NOT NULL").fetchall() == [(1,)]
