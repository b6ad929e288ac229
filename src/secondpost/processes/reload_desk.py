"""Where a reload is asked for: SIGHUP, and a Unix socket in the store for `secondpost reload`, or in
a role's room if the supervisor has that role alone. `secondpost upgrade` asks here, too.

One connection per question: the line `reload` comes, and a line of JSON goes back when the reload is
over; or `upgrade`, as upgrade_talk has it. A role may not ask: one that was taken over could have all
others replaced again and again.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain

import msgspec

from secondpost.config.faults import Fault
from secondpost.config.records import Config
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.processes.handed_over import HandedOver
from secondpost.processes.instance import service_name
from secondpost.processes.reload import ORDER, WHOLE, NotReloaded, Reload, Reloaded
from secondpost.processes.succession import Succession
from secondpost.processes.upgrade_talk import QUESTION_OCTETS_MAX, STANDING, UPGRADE, upgrade_asked
from secondpost.protocols.role_questions import Garbled, read_line
from secondpost.world.background import BackgroundTasks
from secondpost.world.closing import close_soon
from secondpost.world.ports import Listening, NetError
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.net import RealNet
from secondpost.world.real.socket_peer import SocketPeer, peer_of
from secondpost.world.sockets.one_line import OneLine

QUESTION = b"reload"
ANSWER_OCTETS_MAX = 1024 * 1024
CONNECT_SECONDS = 5.0
# Time for a reload that was asked for before, and for this one; each waits for its successors.
ANSWER_SECONDS = 600.0


def desk_name(only: str | None) -> str:
    """The socket below the store."""
    return f"{service_name(only)}.socket"


class NoService(Exception):
    """There is no supervisor to ask, or it ended while it was asked."""


class _DeskAnswer(msgspec.Struct, frozen=True):
    """The outcome as it crosses the socket; without faults it was reloaded."""

    path: str
    changes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


_ANSWERED = msgspec.json.Decoder(_DeskAnswer)


class ReloadDesk:
    """`is_role`: whether a process that asks is one of a role."""

    def __init__(
        self,
        reload: Reload,
        succession: Succession,
        alarms: StandingAlarms,
        is_role: Callable[[SocketPeer], bool],
    ) -> None:
        self._reload = reload
        self._succession = succession
        self._is_role = is_role
        self._alarms = alarms
        self._background = BackgroundTasks(self._failed)
        self._door: Listening | None = None

    async def open(self, config: Config, only: str | None) -> None:
        """Listen, in the room of the `only` role if this is a supervisor of one. Raises NetError and
        DiskFailed.
        """
        path = RealDisk(config.store).path(desk_name(only))
        self._door = await RealNet().listen_local(self._welcome, path)

    def hung_up(self) -> None:
        """React to SIGHUP."""
        self._background.run(self._reload_silently())

    def go_on(self, handed: HandedOver) -> None:
        """Go on with the upgrade that the program before this one was asked for."""
        self._background.run(self._succession.go_on(handed))

    def close(self) -> None:
        """Give up what goes on: the service stops."""
        if self._door is not None:
            self._door.close()
        self._background.cancel()

    def _welcome(self) -> asyncio.Protocol:
        line = OneLine(QUESTION_OCTETS_MAX)
        self._background.run(self._answer(line))
        return line

    async def _answer(self, line: OneLine) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                question = await line.whole
            if line.transport is None or self._is_role(peer_of(line.transport)):
                return
            if question.startswith(UPGRADE):
                upgrade = upgrade_asked(question)
                if upgrade is not None and peer_of(line.transport).user in (0, os.geteuid()):
                    await self._succession.hand_to(upgrade, line)
                return
            if question == STANDING:
                await self._succession.standing(line)
                return
            if question != QUESTION:
                return
            match await self._reload.reload():
                case Reloaded(path, changes, warnings):
                    answer = _DeskAnswer(path, changes, warnings)
                case NotReloaded(path, faults):
                    answer = _DeskAnswer(path, faults=faults)
            line.write(msgspec.json.encode(answer) + b"\n")
        except (Garbled, TimeoutError):
            return
        finally:
            line.close_soon()

    async def _reload_silently(self) -> None:
        await self._reload.reload()

    def _failed(self, error: BaseException) -> None:
        why = f"because of a bug: {type(error).__name__}: {error}"
        self._alarms.begin(AlarmKind.NOT_RELOADED, WHOLE, why)


async def ask_to_reload(config: Config, only: str | None = None) -> Reloaded | NotReloaded:
    """Have every supervisor of the store that runs reload, in the order of a reload, or the one that
    has `only` this role; wait for the outcomes. Raises NoService.

    Each decides for itself: if one refuses, those before it have reloaded.
    """
    outcomes = []
    for asked in (None, *ORDER) if only is None else (only,):
        with suppress(NoService):
            outcomes.append(await _ask_one(config, asked))
    if len(outcomes) == 0:
        raise NoService
    return together(outcomes)


def together(outcomes: Sequence[Reloaded | NotReloaded]) -> Reloaded | NotReloaded:
    """The outcome of several supervisors as one: what each says, once. `outcomes` is not empty."""
    path = outcomes[0].path
    refused = [outcome.faults for outcome in outcomes if isinstance(outcome, NotReloaded)]
    if len(refused) > 0:
        return NotReloaded(path, tuple(dict.fromkeys(chain.from_iterable(refused))))
    done = [outcome for outcome in outcomes if isinstance(outcome, Reloaded)]
    changed = chain.from_iterable(outcome.changes for outcome in done)
    warned = chain.from_iterable(outcome.warnings for outcome in done)
    return Reloaded(path, tuple(dict.fromkeys(changed)), tuple(dict.fromkeys(warned)))


async def _ask_one(config: Config, only: str | None) -> Reloaded | NotReloaded:
    line = OneLine(ANSWER_OCTETS_MAX)
    try:
        path = RealDisk(config.store).path(desk_name(only))
        transport = await RealNet().connect_local(lambda: line, path, CONNECT_SECONDS)
    except NetError:
        raise NoService from None
    try:
        transport.write(QUESTION + b"\n")
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = read_line(await line.whole, _ANSWERED)
    except (Garbled, TimeoutError):
        raise NoService from None
    finally:
        close_soon(transport)
    if len(answer.faults) > 0:
        return NotReloaded(answer.path, answer.faults)
    return Reloaded(answer.path, answer.changes, answer.warnings)
