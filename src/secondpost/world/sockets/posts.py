"""Posts to the webhook, from the deliver role to the fetch role: one connection per post.

If the fetch role is absent or slow, the post was not accepted; no error is raised.
"""

from collections.abc import Awaitable, Callable

from secondpost.protocols.post_questions import (
    POST_LINE_OCTETS_MAX,
    PostNotAccepted,
    PostOutcome,
    outcome_line,
    post_line,
    read_outcome,
    read_post,
)
from secondpost.protocols.role_questions import LINE_OCTETS_MAX, Garbled
from secondpost.world.background import Background
from secondpost.world.ports import Net, NetError
from secondpost.world.sockets.one_question import QuestionDoor, ask_once

ANSWER_SECONDS = 90.0  # longer than the post's own time limit


class PostAsker:
    """The asking end."""

    def __init__(self, net: Net, path: str) -> None:
        self._net = net
        self._path = path

    async def post(self, body: str) -> PostOutcome:
        question = post_line(body)
        try:
            return await ask_once(
                self._net, self._path, question, read_outcome, LINE_OCTETS_MAX, ANSWER_SECONDS
            )
        except NetError:
            return PostNotAccepted("the fetch role is not there")
        except TimeoutError:
            return PostNotAccepted("the fetch role does not answer")
        except Garbled as garbled:
            return PostNotAccepted(f"the fetch role's answer makes no sense: {garbled}")


def post_door(post: Callable[[str], Awaitable[PostOutcome]], background: Background) -> QuestionDoor[str]:
    """The answering end; `post` sends the body to the webhook."""

    async def answer(body: str) -> bytes:
        return outcome_line(await post(body))

    return QuestionDoor(read_post, answer, POST_LINE_OCTETS_MAX, background)
