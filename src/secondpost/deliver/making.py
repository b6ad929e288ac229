"""Makes readers' mails to order: in a process that does nothing else, or in a thread of the role.

An order goes to that process as octets, and so do the mails that come back. It names each content whole, so
that whoever makes knows nothing of the order before, and may come and go.
"""

from dataclasses import dataclass
from functools import lru_cache

import msgspec

from secondpost.deliver.assemble import Assembly, OwnAddresses, ReaderKeys, ReaderMail
from secondpost.mail.issue_content import IssueContent, Reader

ASSEMBLIES_MAX = 16  # issues and confirmations whose shared part is kept at hand


@dataclass(frozen=True, slots=True)
class Batch:
    """Readers of one content."""

    content: bytes  # as it stands in the store
    readers: tuple[Reader, ...]


@dataclass(frozen=True, slots=True)
class MadeBatch:
    mails: tuple[ReaderMail, ...]  # one for each reader, in their order; none when there is a fault
    fault: str | None


Order = tuple[Batch, ...]
MadeOrder = tuple[MadeBatch, ...]

_orders = msgspec.msgpack.Decoder(Order)
_made_orders = msgspec.msgpack.Decoder(MadeOrder)


def order_octets(order: Order) -> bytes:
    return msgspec.msgpack.encode(order)


def made_of(octets: bytes) -> MadeOrder:
    return _made_orders.decode(octets)


class MailMaker:
    """Several threads may use it at once."""

    def __init__(self, keys: ReaderKeys, own: OwnAddresses) -> None:
        self._keys = keys
        self._own = own
        self._assembly_of = lru_cache(ASSEMBLIES_MAX)(self._assembled)

    def make(self, order: Order) -> MadeOrder:
        """Blocking: private keys are used."""
        return tuple(self._made(batch) for batch in order)

    def answer(self, octets: bytes) -> bytes:
        """The same, from octets to octets."""
        return msgspec.msgpack.encode(self.make(_orders.decode(octets)))

    def _made(self, batch: Batch) -> MadeBatch:
        try:
            assembly = self._assembly_of(batch.content)
        except ValueError as error:
            # Of a later version, or of a title that no header can hold: it must not hold up other mail.
            return MadeBatch((), str(error))
        return MadeBatch(tuple(assembly.mail_for(reader) for reader in batch.readers), None)

    def _assembled(self, content: bytes) -> Assembly:
        return Assembly(IssueContent.decode(content), self._keys, self._own)
