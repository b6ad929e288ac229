"""Questions about our own certificate: the deliver role orders one from the fetch role, and a command asks
the deliver role for what the owner wants. One connection per question.
"""

from collections.abc import Awaitable, Callable

from secondpost.protocols.certificate_questions import (
    ORDER_LINE_OCTETS_MAX,
    RESULT_LINE_OCTETS_MAX,
    WISH_LINE_OCTETS_MAX,
    CertificateNotIssued,
    CertificateOrder,
    CertificateResult,
    CertificateWish,
    WishAnswered,
    order_line,
    read_order,
    read_result,
    read_wish,
    read_wish_answer,
    result_line,
    wish_answer_line,
    wish_line,
)
from secondpost.protocols.role_questions import Garbled
from secondpost.world.background import Background
from secondpost.world.ports import Net, NetError
from secondpost.world.sockets.one_question import QuestionDoor, ask_once

ORDER_SECONDS = 600.0  # longer than the client's own time limit
WISH_SECONDS = 30.0

ObtainCertificate = Callable[[CertificateOrder], Awaitable[CertificateResult]]


class CertificateAsker:
    """Has the fetch role order; without it no certificate is issued, and no error is raised."""

    def __init__(self, net: Net, path: str) -> None:
        self._net = net
        self._path = path

    async def obtain(self, order: CertificateOrder) -> CertificateResult:
        question = order_line(order)
        try:
            return await ask_once(
                self._net, self._path, question, read_result, RESULT_LINE_OCTETS_MAX, ORDER_SECONDS
            )
        except NetError:
            return CertificateNotIssued("the fetch role is not there")
        except TimeoutError:
            return CertificateNotIssued("the fetch role does not answer")
        except Garbled as garbled:
            return CertificateNotIssued(f"the fetch role's answer makes no sense: {garbled}")


def certificate_door(obtain: ObtainCertificate, background: Background) -> QuestionDoor[CertificateOrder]:
    """`obtain` talks to the authority."""

    async def answer(order: CertificateOrder) -> bytes:
        return result_line(await obtain(order))

    return QuestionDoor(read_order, answer, ORDER_LINE_OCTETS_MAX, background)


async def ask_wish(net: Net, path: str, wish: CertificateWish) -> WishAnswered | None:
    """None if there is no deliver role to ask."""
    try:
        return await ask_once(
            net, path, wish_line(wish), read_wish_answer, WISH_LINE_OCTETS_MAX, WISH_SECONDS
        )
    except (NetError, TimeoutError, Garbled):
        return None


def wish_door(
    grant: Callable[[CertificateWish], Awaitable[WishAnswered]], background: Background
) -> QuestionDoor[CertificateWish]:
    async def answer(wish: CertificateWish) -> bytes:
        return wish_answer_line(await grant(wish))

    return QuestionDoor(read_wish, answer, WISH_LINE_OCTETS_MAX, background)
