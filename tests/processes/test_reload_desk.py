"""What `secondpost reload` makes of an answer that is none."""

import asyncio
import os
from contextlib import closing
from pathlib import Path

import pytest

from secondpost.config.faults import Fault
from secondpost.config.records import Config, Web
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.processes.reload import NotReloaded, Reload, Reloaded
from secondpost.processes.reload_desk import NoService, ReloadDesk, ask_to_reload, desk_name, together
from secondpost.processes.succession import Succession
from secondpost.processes.upgrade_talk import (
    NoUpgrade,
    Upgrade,
    UpgradeAnswer,
    UpgradeState,
    UpgradeTalk,
    answer_line,
)
from secondpost.world.real.socket_peer import SocketPeer
from secondpost.world.sockets.one_line import OneLine

HOST = Domain("mx2.example.net")


@pytest.mark.parametrize("answer", [b"", b"\n", b"\xff\n", b"{}\n", b'{"path": 1}\n', b"[" * 100_000 + b"\n"])
def test_an_answer_that_makes_no_sense_is_no_service(answer: bytes, tmp_path: Path) -> None:
    config = Config("", HOST, str(tmp_path), (Mailbox.parse("me@elsewhere.example"),), HOST, Web(None))

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    async def story() -> None:
        server = await asyncio.start_unix_server(respond, str(tmp_path / desk_name(None)))
        try:
            with pytest.raises(NoService):
                await ask_to_reload(config)
        finally:
            server.close()

    asyncio.run(story())


def test_what_several_supervisors_say_is_one_outcome_and_each_thing_is_said_once() -> None:
    done = Reloaded("c", ("hostname",), ("tls.acme: not yet",))
    more = Reloaded("c", ("hostname", "deliver.port"), ())
    assert together([done, more]) == Reloaded("c", ("hostname", "deliver.port"), ("tls.acme: not yet",))
    fault, other = Fault("store", 3, "it changed"), Fault("", 0, "the web role cannot start: no key")
    assert together([NotReloaded("c", (fault,)), done, NotReloaded("c", (fault, other))]) == NotReloaded(
        "c", (fault, other)
    )


def test_all_supervisors_of_the_store_are_asked_or_the_one_of_a_role(tmp_path: Path) -> None:
    config = Config("", HOST, str(tmp_path), (Mailbox.parse("me@elsewhere.example"),), HOST, Web(None))
    asked: list[str] = []

    async def story() -> None:
        servers = []
        for role in ("web", "deliver"):
            path = tmp_path / desk_name(role)
            path.parent.mkdir(parents=True)

            async def respond(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, role: str = role
            ) -> None:
                await reader.readline()
                asked.append(role)
                writer.write(b'{"path": "c", "changes": ["' + role.encode() + b'"]}\n')
                writer.close()

            servers.append(await asyncio.start_unix_server(respond, str(path)))
        assert await ask_to_reload(config) == Reloaded("c", ("deliver", "web"), ())
        assert await ask_to_reload(config, "web") == Reloaded("c", ("web",), ())
        with pytest.raises(NoService):
            await ask_to_reload(config, "receive")
        for server in servers:
            server.close()

    asyncio.run(story())
    assert asked == ["deliver", "web", "web"]


class Counting(Reload):
    """Reloads nothing."""

    def __init__(self) -> None:
        self.count = 0

    async def reload(self) -> Reloaded:
        self.count += 1
        return Reloaded("c", (), ())


class NoSuccession(Succession):
    """Counts who asks, and changes nothing."""

    def __init__(self) -> None:
        self.count = 0

    async def hand_to(self, upgrade: Upgrade, asker: OneLine) -> None:
        self.count += 1
        asker.write(answer_line(UpgradeAnswer(UpgradeState.REFUSED, "0.1.0")))


async def ask_for_another_program(config: Config) -> None:
    """Raises NoUpgrade without an answer."""

    def ask() -> None:
        with closing(UpgradeTalk(os.path.join(config.store, desk_name(None)))) as talk:
            talk.begin(Upgrade("/usr/bin/python3", "/usr/bin/python3"))

    await asyncio.to_thread(ask)


def test_a_role_that_was_taken_over_cannot_ask(tmp_path: Path) -> None:
    config = Config("", HOST, str(tmp_path), (Mailbox.parse("me@elsewhere.example"),), HOST, Web(None))

    async def story() -> None:
        reload, roles, ours = Counting(), set[SocketPeer](), SocketPeer(os.getpid(), os.geteuid())
        alarms = StandingAlarms(lambda kind, detail: None, lambda: 0)
        succession = NoSuccession()
        desk = ReloadDesk(reload, succession, alarms, lambda peer: peer.user in {one.user for one in roles})
        await desk.open(config, None)
        assert await ask_to_reload(config) == Reloaded("c", (), ())
        await ask_for_another_program(config)
        roles.add(ours)
        with pytest.raises(NoService):
            await ask_to_reload(config)
        with pytest.raises(NoUpgrade):
            await ask_for_another_program(config)
        assert reload.count == succession.count == 1
        desk.close()

    asyncio.run(story())
