"""The contents of messages: small ones from the store, those of several messages by one query; large ones in
pieces from their files, read in the pool.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from secondpost.deliver.message import Body, ContentUnreadable, InPieces, Job, NothingToSend
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import Claimed
from secondpost.mail.queue_id import QueueId
from secondpost.maillog import MailLog
from secondpost.store.ports import Claims, StoreUnavailable
from secondpost.world.ports import Disk, FileUnreadable, Work

READ_OCTETS = 256 * 1024


class Contents:
    def __init__(self, claims: Claims, disk: Disk, work: Work, log: MailLog) -> None:
        self._claims = claims
        self._disk = disk
        self._work = work
        self._log = log

    async def of_jobs(self, jobs: Sequence[Job]) -> list[Body | NothingToSend]:
        """What is sent for each job, in their order."""
        small = [job.first for job in jobs if job.first.file is None]
        try:
            found = await self._claims.contents(small) if len(small) > 0 else {}
        except StoreUnavailable as error:
            return [NothingToSend(str(error)) if job.first.file is None else self._large(job) for job in jobs]
        return [_small(job, found) if job.first.file is None else self._large(job) for job in jobs]

    def _large(self, job: Job) -> InPieces:
        return InPieces(job.first.size, partial(self._piece_to_send, job.first))

    async def _piece_to_send(self, claimed: Claimed, offset: int) -> bytes:
        try:
            return await self.piece(claimed, offset)
        except (LookupError, StoreUnavailable) as error:
            self._log.alarm(AlarmKind.CONTENT_UNREADABLE, f"{claimed.id}: {error}")
            raise ContentUnreadable(str(error)) from error

    async def piece(self, claimed: Claimed, offset: int) -> bytes:
        """The octets that follow the first `offset` of it: all, or a piece, at least one. Raises LookupError
        when it is gone, ends too soon or cannot be read, StoreUnavailable.
        """
        if claimed.file is None:
            piece = (await self._in_table(claimed))[offset:]
        else:
            piece = await self._in_file(claimed.file, offset)
        if len(piece) == 0:
            raise LookupError(f"the content of {claimed.id} ends after {offset} of {claimed.size} octets")
        return piece

    async def _in_file(self, name: str, offset: int) -> bytes:
        try:
            return await self._work.run(partial(self._disk.read, name, offset, READ_OCTETS))
        except (FileNotFoundError, FileUnreadable) as error:
            raise LookupError(str(error)) from error

    async def beginning(self, claimed: Claimed, octets: int) -> bytes:
        """Its first octets. Raises as `piece`."""
        read = bytearray()
        while len(read) < min(octets, claimed.size):
            read += await self.piece(claimed, len(read))
        return bytes(read[:octets])

    async def _in_table(self, claimed: Claimed) -> bytes:
        content = (await self._claims.contents([claimed])).get(claimed.id.queue_id)
        if content is None:
            raise LookupError(_gone(claimed))
        return content


def _small(job: Job, found: Mapping[QueueId, bytes]) -> bytes | NothingToSend:
    content = found.get(job.first.id.queue_id)
    return NothingToSend(_gone(job.first)) if content is None else content


def _gone(claimed: Claimed) -> str:
    return f"the content of {claimed.id} is gone"
