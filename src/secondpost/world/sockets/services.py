"""Questions to web services, from the deliver role to the fetch role: one connection per question.

If the fetch role is absent or slow, or its answer is malformed, the service is silent; no error is raised.
"""

from secondpost.protocols.role_questions import Garbled
from secondpost.protocols.service_questions import (
    REQUEST_LINE_OCTETS_MAX,
    RESULT_LINE_OCTETS_MAX,
    AskService,
    ServiceRequest,
    ServiceResult,
    ServiceSilent,
    read_request,
    read_service_result,
    request_line,
    service_result_line,
)
from secondpost.world.background import Background
from secondpost.world.ports import Net, NetError
from secondpost.world.sockets.one_question import QuestionDoor, ask_once

ANSWER_SECONDS = 90.0  # longer than the fetcher's own time limit


class ServiceAsker:
    """The asking end. `otherwise` asks the service if no fetch role is running: used by commands."""

    def __init__(self, net: Net, path: str, otherwise: AskService | None = None) -> None:
        self._net = net
        self._path = path
        self._otherwise = otherwise

    async def ask(self, request: ServiceRequest) -> ServiceResult:
        question = request_line(request)

        def read(line: bytes) -> ServiceResult:
            return read_service_result(line, request.octets_max)

        try:
            return await ask_once(
                self._net, self._path, question, read, RESULT_LINE_OCTETS_MAX, ANSWER_SECONDS
            )
        except NetError:
            if self._otherwise is not None:
                return await self._otherwise(request)
            return ServiceSilent("the fetch role is not there")
        except TimeoutError:
            return ServiceSilent("the fetch role does not answer")
        except Garbled as garbled:
            return ServiceSilent(f"the fetch role's answer makes no sense: {garbled}")


def service_door(ask: AskService, background: Background) -> QuestionDoor[ServiceRequest]:
    """The answering end; `ask` asks the service."""

    async def answer(request: ServiceRequest) -> bytes:
        return service_result_line(await ask(request))

    return QuestionDoor(read_request, answer, REQUEST_LINE_OCTETS_MAX, background)
