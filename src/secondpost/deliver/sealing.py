"""Puts an ARC set (RFC 8617) above messages for domains that want it, so that their primary can trust
what we found when they arrived.

A set is made at each attempt, from what receive kept beside the message and the message's header; the
body is not read for it. A message that came when its domain did not want seals goes without one.
"""

from collections.abc import Sequence
from functools import partial

from secondpost.config.records import Authenticate, Config
from secondpost.deliver.message import Body, ContentUnreadable, InPieces, Job, NothingToSend
from secondpost.mail.authentication import SealMaterial
from secondpost.protocols.dkim.arc_seal import arc_set
from secondpost.protocols.dkim.signing import SigningKey
from secondpost.protocols.dkim.verifying import DkimFault
from secondpost.protocols.mime.arriving_header import HEADER_OCTETS_MAX
from secondpost.store.ports import Claims, StoreUnavailable
from secondpost.world.ports import Clock, Work

HEADER_SENT_OCTETS_MAX = HEADER_OCTETS_MAX + 64 * 1024  # with what we added
END_OF_HEADER = b"\r\n\r\n"

Readable = Body | NothingToSend
SealOrder = tuple[SealMaterial, bytes]  # and the header


class Seals:
    """`key`: published below our hostname. Signing takes a millisecond, in another thread."""

    def __init__(self, config: Config, claims: Claims, key: SigningKey, clock: Clock, work: Work) -> None:
        self._hostname = config.hostname
        self._domains = frozenset(
            backup.domain for backup in config.backups if backup.authenticate is Authenticate.SEAL
        )
        self._claims = claims
        self._key = key
        self._clock = clock
        self._work = work

    async def sealed(self, jobs: Sequence[Job], bodies: Sequence[Readable]) -> list[Readable]:
        """The bodies, with a set above those that are to have one."""
        wanted = [place for place, job in enumerate(jobs) if self._is_wanted(job)]
        sealed = list(bodies)
        if len(wanted) == 0:
            return sealed
        try:
            notes = await self._claims.authentication_notes([jobs[place].first for place in wanted])
        except StoreUnavailable as error:
            return [NothingToSend(str(error)) for _ in jobs]
        orders: dict[int, SealOrder] = {}
        for place in wanted:
            note, body = notes.get(jobs[place].first.id.queue_id), bodies[place]
            if note is None or note.seal is None or not isinstance(body, bytes | InPieces):
                continue
            try:
                orders[place] = note.seal, await _header(body)
            except ContentUnreadable as error:
                sealed[place] = NothingToSend(str(error))
        sets = await self._work.run(partial(self._sets, list(orders.values())))
        for place, arc in zip(orders, sets, strict=True):
            sealed[place] = _below(arc, bodies[place])
        return sealed

    def _is_wanted(self, job: Job) -> bool:
        return any(claimed.recipient.domain in self._domains for claimed in job.claimed)

    def _sets(self, orders: Sequence[SealOrder]) -> list[bytes]:
        return [self._set(*order) for order in orders]

    def _set(self, material: SealMaterial, header: bytes) -> bytes:
        try:
            return arc_set(material, header, self._key, self._hostname, self._clock.now_ms() // 1000)
        except DkimFault:  # a chain that cannot grow: the message goes as it is
            return b""


async def _header(body: bytes | InPieces) -> bytes:
    """The fields of a message, as it is sent. Raises ContentUnreadable."""
    read = body if isinstance(body, bytes) else await body.piece(0)
    while isinstance(body, InPieces) and END_OF_HEADER not in read:
        if len(read) >= min(body.size, HEADER_SENT_OCTETS_MAX):
            break
        read += await body.piece(len(read))
    header, end, _ = read.partition(END_OF_HEADER)
    return header + end[:2]


def _below(arc: bytes, body: Readable) -> Readable:
    if isinstance(body, bytes):
        return arc + body
    if isinstance(body, InPieces):
        return InPieces(len(arc) + body.size, partial(_piece_below, arc, body))
    return body


async def _piece_below(arc: bytes, body: InPieces, offset: int) -> bytes:
    if offset < len(arc):
        return arc[offset:]
    return await body.piece(offset - len(arc))
