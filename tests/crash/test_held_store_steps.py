"""A store that a new version changes while callers wait, killed before each statement and each change of
the file system: whatever opens it next finds it as it was, and with `let_go` as the new version left it.
"""

import shutil
from collections.abc import Callable

from secondpost.config.reading import read_config
from secondpost.processes.held_store import hold_store, is_schema_to_change, let_go, take_store_back
from secondpost.store.sqlite.kept import kept_copies
from tests.cli.office import Office
from tests.cli.test_upgrade import NEWEST, rows_of, take_back
from tests.crash.test_upgrade_steps import STEPS_MAX, killed_at, office, version_of

__all__ = ["office"]  # a fixture
LEAST_STEPS = 10


def test_a_kill_while_the_store_is_held_leaves_it_as_it_was(office: Office) -> None:
    config, path = read_config(str(office.config)), office.folder / "store" / "mail" / "mail.db"
    take_back(office.folder, 30)
    before = rows_of(path)

    def is_as_before() -> None:
        take_store_back(config)
        assert (version_of(path), rows_of(path)) == (30, before)
        assert is_schema_to_change(config)
        assert not list(path.parent.glob("*upgrade*"))

    each_step(office, lambda: hold_store(config), is_as_before)


def test_a_kill_while_it_is_taken_back_is_made_good_by_the_next(office: Office) -> None:
    config, path = read_config(str(office.config)), office.folder / "store" / "mail" / "mail.db"
    take_back(office.folder, 30)
    before = rows_of(path)
    hold_store(config)
    assert version_of(path) == NEWEST

    def is_back() -> None:
        take_store_back(config)
        assert (version_of(path), rows_of(path)) == (30, before)

    each_step(office, lambda: take_store_back(config), is_back)


def test_what_was_kept_stays_and_has_a_copy_for_the_way_back(office: Office) -> None:
    config, path = read_config(str(office.config)), office.folder / "store" / "mail" / "mail.db"
    take_back(office.folder, 30)
    before = rows_of(path)
    [migrated] = hold_store(config)
    let_go(config)
    assert not take_store_back(config)
    assert (migrated.old_schema, version_of(path)) == (30, NEWEST)
    [copy] = kept_copies(str(path))
    assert rows_of(path.parent / "kept" / copy.path) == before
    assert not list(path.parent.glob("*upgrade*"))


def each_step(office: Office, work: Callable[[], object], look: Callable[[], None]) -> None:
    """Do the work, killed before each of its steps, from the same store each time."""
    store, first = office.folder / "store", office.folder / "first"
    shutil.copytree(store, first)
    for step in range(1, STEPS_MAX):
        was_killed = killed_at(step, work)
        look()
        shutil.rmtree(store)
        shutil.copytree(first, store)
        if not was_killed:
            break
    assert LEAST_STEPS < step < STEPS_MAX - 1
