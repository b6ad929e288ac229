"""A round of `watch reach`, asked of the deliver role by a command."""

from collections.abc import Awaitable, Callable

from secondpost.protocols.reach_questions import (
    ROUND_LINE_OCTETS_MAX,
    RoundAsked,
    RoundOver,
    read_round_asked,
    read_round_over,
    round_asked_line,
    round_over_line,
)
from secondpost.protocols.role_questions import Garbled
from secondpost.world.background import Background
from secondpost.world.ports import Net, NetError
from secondpost.world.sockets.one_question import QuestionDoor, ask_once

ROUND_SECONDS_MAX = 3_600.0


async def ask_round(net: Net, path: str) -> RoundOver | None:
    """None if there is no deliver role that watches."""
    try:
        return await ask_once(
            net, path, round_asked_line(), read_round_over, ROUND_LINE_OCTETS_MAX, ROUND_SECONDS_MAX
        )
    except NetError:
        return None
    except TimeoutError:
        return RoundOver("the round did not end within an hour")
    except Garbled as garbled:
        return RoundOver(f"the service ended, or its answer makes no sense: {garbled}")


def round_door(make: Callable[[], Awaitable[RoundOver]], background: Background) -> QuestionDoor[RoundAsked]:
    """The answering end; `make` makes the round."""

    async def answer(_: RoundAsked) -> bytes:
        return round_over_line(await make())

    return QuestionDoor(read_round_asked, answer, ROUND_LINE_OCTETS_MAX, background)
