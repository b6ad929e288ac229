"""A month after the first blackout: what the primary refused has gone by itself, and nothing else has."""

import pytest

from secondpost import app
from secondpost.deliver import loop, sites_down
from secondpost.mail.delivery import KeptFor, State
from secondpost.store.owner_ports import Selection
from secondpost.store.sqlite import SqliteStore
from tests.days.test_hostile_primary import MINUTE, Town, town
from tests.days.test_unverified import DAY, INVENTED, PEOPLE, accepted, give, kept_as_refused, newcomer

__all__ = ["town"]

CALM_SECONDS = 600.0  # between rounds that have nothing to do: a month has millions of them


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (app, "CHECKPOINT_SECONDS"),
        (app, "STOCK_SECONDS"),
        (app, "PRUNE_SECONDS"),
        (app, "REFUSED_SECONDS"),
        (app, "CATCH_ALL_SECONDS"),
        (sites_down, "LOOK_SECONDS_MAX"),
        (loop, "SITES_STILL_SECONDS"),
        (loop, "SWEEP_SECONDS"),
        (loop, "EXPIRE_SECONDS"),
        (loop, "LOOK_SECONDS_MAX"),
    ):
        monkeypatch.setattr(module, name, CALM_SECONDS)


def lying(town: Town) -> list[KeptFor | None]:
    """What has not ended, and what it is kept for."""
    process = town.machine.process("desk")
    with process.in_loop():
        desk = SqliteStore.open_desk(process.disk, process.work, town.machine.clock, failed=print)
        states = (State.WAITING, State.CLAIMED, State.HELD, State.KEPT)
        found = [row.kept_for for row in desk.listed(Selection(states=states), None, 100)]
    process.kill()
    return found


@pytest.mark.usefixtures("calm")
def test_what_the_primary_refused_is_gone_after_keep_refused(town: Town) -> None:
    primary = newcomer(town)
    give(town, *INVENTED, *PEOPLE)
    assert town.until(lambda: accepted(town) == 55, 10 * MINUTE)
    primary.open()
    assert town.until(lambda: len(primary.taken) == 5 and kept_as_refused(town) == 50, 60 * MINUTE)
    town.pass_by(7 * DAY - 60 * MINUTE)
    assert lying(town) == [KeptFor.REFUSED] * 50
    assert town.log.of("dropped") == []
    town.pass_by(2 * 60 * MINUTE)
    assert lying(town) == []
    assert sum(int(line.values()["deliveries"]) for line in town.log.of("dropped")) == 50
    assert {line.values()["why"] for line in town.log.of("dropped")} == {"keep-refused"}
    town.pass_by(23 * DAY)
    assert sorted(sender for sender, _, _ in primary.taken) == sorted(PEOPLE)
    assert (len(town.log.of("accepted")), len(town.log.of("delivered"))) == (55, 5), "no report to a sender"
