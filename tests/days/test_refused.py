"""A month after a blackout: what the primary refused has gone by itself, and nothing else has."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from secondpost import app
from secondpost.deliver import loop
from secondpost.mail.delivery import KeptFor, State
from secondpost.store.ports import Selection
from secondpost.store.sqlite import SqliteStore
from simulation.clock import fence
from tests.days.test_hostile_primary import DOMAIN, READER, Town

DAY = 86_400.0
CALM_SECONDS = 600.0  # between rounds that have nothing to do


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """Where what comes every second comes seldom: a month has millions of them."""
    for module, name in (
        (app, "CHECKPOINT_SECONDS"),
        (app, "STOCK_SECONDS"),
        (app, "PRUNE_SECONDS"),
        (app, "REFUSED_SECONDS"),
        (app, "CATCH_ALL_SECONDS"),
        (loop, "SITES_DOWN_SECONDS_MAX"),
        (loop, "SWEEP_SECONDS"),
        (loop, "EXPIRE_SECONDS"),
        (loop, "LOOK_SECONDS_MAX"),
    ):
        monkeypatch.setattr(module, name, CALM_SECONDS)
    it = Town(tmp_path / "store")
    with fence(it.timeline):
        yield it
        it.machine.scrap()
        faults = it.timeline.end()
    assert [fault for fault in faults if "Gone" not in fault] == []


def lying(town: Town) -> list[tuple[State, KeptFor | None]]:
    process = town.machine.process("desk")
    with process.in_loop():
        desk = SqliteStore.open_desk(process.disk, process.work, town.machine.clock, failed=print)
        states = (State.WAITING, State.CLAIMED, State.HELD, State.KEPT)
        found = [(row.state, row.kept_for) for row in desk.listed(Selection(states=states), None, 100)]
    process.kill()
    return found


def test_what_the_primary_refused_is_gone_after_keep_refused(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    town.start(DOMAIN)
    for number in range(20):
        town.post(f"guess{number}", f"nobody{number}@{DOMAIN}")
    primary.refusal = "550 5.1.1 there is no such mailbox"
    primary.open()
    assert town.until(lambda: len(town.log.of("kept")) == 20, 600.0)
    primary.refusal = ""
    town.post("real", READER)
    assert town.until(lambda: len(primary.taken) == 1, 60.0)
    town.pass_by(7 * DAY - 3600.0)
    assert lying(town) == [(State.KEPT, KeptFor.REFUSED)] * 20
    assert town.log.of("dropped") == []
    town.pass_by(2 * 3600.0)
    assert lying(town) == []
    [line] = town.log.of("dropped")
    assert line.values()["deliveries"] == "20"
    town.pass_by(23 * DAY)
    assert [taken[0] for taken in primary.taken] == ["real"]
    assert (len(town.log.of("accepted")), len(town.log.of("delivered"))) == (21, 1), "no report to a sender"
