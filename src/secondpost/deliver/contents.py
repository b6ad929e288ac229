"""Reads messages to be sent, each with the prefix that we add: small ones from the store, several
with one query; large contents in pieces from their files, in the thread pool.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from secondpost.deliver.message import Body, ContentUnreadable, InPieces, Job, NothingToSend
from secondpost.deliver.sealing import Seals
from secondpost.deliver.stuck import StuckMail
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import Claimed
from secondpost.mail.queue_id import QueueId
from secondpost.store.ports import Claims, StoreUnavailable
from secondpost.world.ports import Disk, FileUnreadable, Work

READ_OCTETS = 256 * 1024


class Contents:
    """`seals`: None if there is no key to seal with."""

    def __init__(
        self, claims: Claims, disk: Disk, work: Work, stuck: StuckMail, seals: Seals | None = None
    ) -> None:
        self._claims = claims
        self._disk = disk
        self._work = work
        self._stuck = stuck
        self._seals = seals

    async def of_jobs(self, jobs: Sequence[Job]) -> list[Body | NothingToSend]:
        """What to send for each job, in their order."""
        try:
            held = await self._claims.contents([job.first for job in jobs])
        except StoreUnavailable as error:
            return [NothingToSend(str(error)) for _ in jobs]
        bodies: list[Body | NothingToSend] = [
            _small(job, held) if job.first.file is None else self._large(job, held) for job in jobs
        ]
        return bodies if self._seals is None else await self._seals.sealed(jobs, bodies)

    def _large(self, job: Job, held: Mapping[QueueId, bytes]) -> InPieces:
        prefix = held.get(job.first.id.queue_id, b"")
        return InPieces(job.first.size, partial(self._piece_to_send, job.first, prefix))

    async def _piece_to_send(self, claimed: Claimed, prefix: bytes, offset: int) -> bytes:
        try:
            return await self._piece(claimed, prefix, offset)
        except LookupError as error:
            self._stuck.add(AlarmKind.CONTENT_UNREADABLE, claimed.id, str(error))
            raise ContentUnreadable(str(error)) from error

    async def _piece(self, claimed: Claimed, prefix: bytes, offset: int) -> bytes:
        """Octets from `offset` on of a message with its content in a file: at least one. Raises
        LookupError if the content is gone, ends too soon or cannot be read.
        """
        assert claimed.file is not None, f"{claimed.id} has its content in the table"
        piece = await self._in_file(claimed.file, max(offset - len(prefix), 0))
        if len(piece) == 0:
            raise LookupError(f"the content of {claimed.id} ends after {offset} of {claimed.size} octets")
        return prefix[offset:] + piece

    async def _in_file(self, name: str, offset: int) -> bytes:
        try:
            return await self._work.run(partial(self._disk.read, name, offset, READ_OCTETS))
        except (FileNotFoundError, FileUnreadable) as error:
            raise LookupError(str(error)) from error

    async def beginning(self, claimed: Claimed, octets: int) -> bytes:
        """The first octets of a message, `octets` at most. Raises LookupError as `_piece`, and
        StoreUnavailable.
        """
        held = (await self._claims.contents([claimed])).get(claimed.id.queue_id)
        if claimed.file is None:
            if held is None:
                raise LookupError(_gone(claimed))
            return held[:octets]
        prefix = b"" if held is None else held
        read = bytearray()
        while len(read) < min(octets, claimed.size):
            read += await self._piece(claimed, prefix, len(read))
        return bytes(read[:octets])


def _small(job: Job, held: Mapping[QueueId, bytes]) -> bytes | NothingToSend:
    content = held.get(job.first.id.queue_id)
    return NothingToSend(_gone(job.first)) if content is None else content


def _gone(claimed: Claimed) -> str:
    return f"the content of {claimed.id} is gone"
