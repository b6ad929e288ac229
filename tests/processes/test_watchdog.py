"""A sign of life is given as long as the roles answer, not only their supervisor."""

import asyncio
import os
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from secondpost.processes.watchdog import Watchdog
from secondpost.world.real.service_manager import ALIVE, READY, ServiceManager, status


@dataclass
class Role:
    is_silent: bool = False
    calls: int = 0

    def call(self) -> None:
        self.calls += 1
        self.is_silent = True


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"@secondpost-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify")


def heard(ear: socket.socket) -> list[str]:
    said = []
    while True:
        try:
            said.append(ear.recv(1000).decode())
        except BlockingIOError:
            return said


def test_no_sign_of_life_while_a_role_that_serves_does_not_answer(address: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as ear:
        ear.bind(address.replace("@", "\0", 1))
        manager = ServiceManager({"NOTIFY_SOCKET": address})
        roles = [Role(), Role()]
        watchdog = Watchdog(manager, lambda: roles)
        watchdog.look()
        assert heard(ear) == [ALIVE]
        roles[0].is_silent = False  # it answers, the other one does not
        watchdog.look()
        assert heard(ear) == []
        roles[0].is_silent = roles[1].is_silent = False
        watchdog.look()
        assert heard(ear) == [ALIVE]
        roles.pop()  # dead, and being started again: that is the keeper's business
        roles[0].is_silent = False
        watchdog.look()
        assert heard(ear) == [ALIVE]
        manager.say(READY, status("Serving: web;\nnot started: fetch"))
        assert heard(ear) == ["READY=1\nSTATUS=Serving: web; not started: fetch"]
        manager.close()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_meant_for_this_process_or_for_none(
    environment: dict[str, str], seconds: float | None
) -> None:
    manager = ServiceManager(environment)
    assert manager.watchdog_seconds == seconds
    manager.say(READY)  # to no one: it is no error
    manager.close()


def test_without_a_manager_that_watches_no_role_is_called() -> None:
    manager, role = ServiceManager({}), Role()
    asyncio.run(Watchdog(manager, lambda: [role]).run())
    assert role.calls == 0
    manager.close()
