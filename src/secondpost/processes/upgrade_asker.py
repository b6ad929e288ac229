"""The supervisor's end of the connection to the command that asked for an upgrade (upgrade_talk)."""

import asyncio
import os
from socket import socket

from secondpost import __version__
from secondpost.processes.program_trial import Reasons
from secondpost.processes.upgrade_talk import (
    DECIDE_SECONDS_MAX,
    KEEP,
    QUESTION_OCTETS_MAX,
    UpgradeAnswer,
    UpgradeState,
    answer_line,
)
from secondpost.protocols.role_questions import Garbled
from secondpost.world.sockets.one_line import OneLine


async def connected(descriptor: int) -> OneLine:
    """The connection of the command that asked, which the former program had."""
    os.set_inheritable(descriptor, False)
    line = OneLine(QUESTION_OCTETS_MAX)
    line.whole.add_done_callback(lambda whole: whole.exception())  # not every step awaits a word
    end = socket(fileno=descriptor)
    end.setblocking(False)
    await asyncio.get_running_loop().connect_accepted_socket(lambda: line, end)
    return line


def answer(
    asker: OneLine | None,
    state: UpgradeState,
    why: Reasons = (),
    missing: tuple[str, ...] = (),
) -> None:
    if asker is not None:
        asker.write(answer_line(UpgradeAnswer(state, __version__, why, missing)))


async def is_kept(asker: OneLine | None) -> bool:
    """What the command says; no word, or its end, means no."""
    if asker is None:
        return False
    try:
        async with asyncio.timeout(DECIDE_SECONDS_MAX):
            return await asker.whole == KEEP
    except (Garbled, TimeoutError):
        return False
