"""Has a process parse the fetch role's feeds; what makes it end is no information about that feed."""

import msgspec

from secondpost.mail.article import FeedRead, FeedUnreadable
from secondpost.processes.feed_reader import CPU_SECONDS_MAX, MEMORY_OCTETS_MAX, FeedDocumentOrder
from secondpost.processes.reader_process import ReaderEnded, ReaderProcess, TookTooLong
from secondpost.protocols.feed_questions import read_answered
from secondpost.protocols.role_questions import Garbled

BOUNDS = f"{MEMORY_OCTETS_MAX // (1_024 * 1_024)} MB of memory and {CPU_SECONDS_MAX} seconds of computing"


class FeedReadingProcess:
    def __init__(self, process: ReaderProcess) -> None:
        self._process = process

    async def read(self, body: bytes, content_type: str, url: str) -> FeedRead | FeedUnreadable:
        """Parse a document. Never raises for a fault of the document."""
        order = msgspec.msgpack.encode(FeedDocumentOrder(body, content_type, url))
        match await self._process.answer(order):
            case TookTooLong(seconds=seconds):
                return FeedUnreadable(f"It cannot be read: parsing it took more than {seconds:g} seconds.")
            case ReaderEnded(how=how):
                return FeedUnreadable(
                    f"It cannot be read: the process that parsed it ended ({how}). A feed may take {BOUNDS}."
                )
            case answer:
                return await self._found(answer)

    async def _found(self, answer: bytes) -> FeedRead | FeedUnreadable:
        try:
            found = read_answered(answer).found
        except Garbled as garbled:
            await self._process.distrust()
            return FeedUnreadable(f"It cannot be read: what was made of it makes no sense: {garbled}.")
        if isinstance(found, FeedRead | FeedUnreadable):
            return found
        return FeedUnreadable("It cannot be read: what was made of it is no feed.")
