"""Hours of the watch from other countries, in the deliver role as it is wired."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path

from secondpost.config.records import ReachSettings
from secondpost.mail.duration import MINUTE_MS
from secondpost.roles.parts import SERVICES, Parts
from secondpost.world.sockets.services import service_door
from simulation.clock import fence
from tests.days.town import ANYBODY, DOMAIN, MINUTE, OUR_ADDRESS, Town
from tests.watch.reach.elsewhere import Elsewhere

MAIN = "mx.provider.example", "198.51.100.40"


class Abroad:
    """A town whose deliver role watches, with the services behind the fetch role's socket."""

    def __init__(self, folder: Path) -> None:
        self.town = Town(folder)
        self.elsewhere = Elsewhere({"RU": "1+ 2+ 3+", "DE": "90+ 91+"})
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self.town.primary(*MAIN, DOMAIN).open()
        self.town.start(DOMAIN, recipients=ANYBODY, wiring=self._wiring)

    def _wiring(self, role: str, parts: Parts) -> Parts:
        if role != "deliver":
            return parts
        watched = ReachSettings(("RU",), every_ms=10 * MINUTE_MS)
        config = replace(parts.config, reach=watched, addresses=(OUR_ADDRESS,))
        door = service_door(self.elsewhere.ask, self._background)
        self._background(self._open(door.open(parts.world.net, parts.world.disk.path(SERVICES))))
        return replace(parts, config=config)

    async def _open(self, opening: Coroutine[object, object, object]) -> None:
        await opening

    def _background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def lines(self, what: str) -> list[str]:
        return [line.text for line in self.town.log.lines if f"{what} about=blocked-abroad" in line.text]

    def rounds(self) -> int:
        """Of two addresses each: ours, and the primary's."""
        return len(self.elsewhere.documents) // 2


def test_rounds_are_made_in_their_rhythm_and_a_block_rings_over_a_restart(tmp_path: Path) -> None:
    abroad = Abroad(tmp_path / "store")
    town = abroad.town
    with fence(town.timeline):
        try:
            abroad.start()
            town.pass_by(22 * MINUTE)
            assert abroad.rounds() == 3  # after a minute, then every ten
            targets = {document["target"] for document in abroad.elsewhere.documents}
            assert targets == {OUR_ADDRESS, MAIN[1]}
            abroad.elsewhere.probes["RU"] = "1- 2- 3+"
            town.pass_by(10 * MINUTE)
            assert abroad.lines("alarm") == []
            town.pass_by(10 * MINUTE)
            assert len(abroad.lines("alarm")) == 2
            for _ in range(3):  # one that starts again and again asks no one
                town.service.crash("deliver")
                town.pass_by(2 * MINUTE)
            assert abroad.rounds() == 5
            assert len(abroad.lines("alarm")) == 2 * 4
            abroad.elsewhere.probes["RU"] = "1+ 2+ 3+"
            town.pass_by(21 * MINUTE)
            assert len(abroad.lines("alarm-over")) == 2
        finally:
            town.machine.scrap()
