"""Has a process read reports in old forms; a mail that makes it end twice is not a report."""

import msgspec

from secondpost.processes.reader_process import ReaderEnded, ReaderProcess, TookTooLong
from secondpost.protocols.dsn.notification import Report

ATTEMPTS = 2  # the first process may have been ended by something else than the mail
ANSWER_OCTETS_MAX = 1024 * 1024  # of a report: a hundred recipients, each with a text


class ReportReadingProcess:
    def __init__(self, process: ReaderProcess) -> None:
        self._process = process

    async def read(self, message: bytes) -> Report | None:
        """Parse a mail; None if it is not a report, or cannot be read within the bounds."""
        for _ in range(ATTEMPTS):
            match await self._process.answer(message):
                case ReaderEnded():
                    continue
                case TookTooLong():
                    return None
                case answer:
                    return await self._report(answer)
        return None

    async def _report(self, answer: bytes) -> Report | None:
        try:
            return msgspec.msgpack.decode(answer, type=Report | None)
        except msgspec.MsgspecError:
            await self._process.distrust()
            return None
