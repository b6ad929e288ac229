"""The question whether the register copy names us, from the deliver role to the fetch role.

If the fetch role is absent or slow, or its answer is malformed, the register is unread; no error is raised.
"""

from collections.abc import Awaitable, Callable

from secondpost.mail.register import RegisterAsked, RegisterResult, RegisterUnread
from secondpost.protocols.register_questions import (
    REGISTER_LINE_OCTETS_MAX,
    REGISTER_RESULT_OCTETS_MAX,
    read_register_asked,
    read_register_result,
    register_line,
    register_result_line,
)
from secondpost.protocols.role_questions import Garbled
from secondpost.world.background import Background
from secondpost.world.ports import Net, NetError
from secondpost.world.sockets.one_question import QuestionDoor, ask_once

READ_SECONDS_MAX = 1_800.0  # for the whole register, over a slow line

SearchRegister = Callable[[RegisterAsked], Awaitable[RegisterResult]]


class RegisterAsker:
    """The asking end. `otherwise` searches if no fetch role is running: used by commands."""

    def __init__(self, net: Net, path: str, otherwise: SearchRegister | None = None) -> None:
        self._net = net
        self._path = path
        self._otherwise = otherwise

    async def search(self, asked: RegisterAsked) -> RegisterResult:
        question = register_line(asked)
        try:
            return await ask_once(
                self._net,
                self._path,
                question,
                read_register_result,
                REGISTER_RESULT_OCTETS_MAX,
                READ_SECONDS_MAX,
            )
        except NetError:
            if self._otherwise is not None:
                return await self._otherwise(asked)
            return RegisterUnread("was not read: the fetch role is not there")
        except TimeoutError:
            return RegisterUnread("was not read: the fetch role does not answer")
        except Garbled as garbled:
            return RegisterUnread(f"was not read: the fetch role's answer makes no sense: {garbled}")


def register_door(search: SearchRegister, background: Background) -> QuestionDoor[RegisterAsked]:
    """The answering end."""

    async def answer(asked: RegisterAsked) -> bytes:
        return register_result_line(await search(asked))

    return QuestionDoor(read_register_asked, answer, REGISTER_LINE_OCTETS_MAX, background)
