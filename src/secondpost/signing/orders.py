"""Orders of readers' mails, and what signs them: a process that does nothing else, or a thread of the role.

An order goes to that process as octets, and so do the mails that come back. It names its content whole, so
that a signer knows nothing of the order before, and may come and go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from secondpost.mail.issue_content import Addressee, IssueContent
from secondpost.mail.signed_mail import SignedMail, Unsignable
from secondpost.signing.assembly import Assembly, OwnAddresses, ReaderKeys

ASSEMBLIES_MAX = 16  # issues and confirmations whose shared part is kept at hand


@dataclass(frozen=True, slots=True)
class SigningOrder:
    """Mails for readers of one content."""

    content: bytes  # as it stands in the store
    readers: tuple[Addressee, ...]


# For each reader in their order; one Unsignable in the place of all of them.
SignedBatch = tuple[SignedMail, ...] | Unsignable

_orders = msgspec.msgpack.Decoder(tuple[SigningOrder, ...])
_signed = msgspec.msgpack.Decoder(tuple[SignedBatch, ...])


def orders_octets(orders: Sequence[SigningOrder]) -> bytes:
    return msgspec.msgpack.encode(orders)


def signed_of(octets: bytes) -> tuple[SignedBatch, ...]:
    return _signed.decode(octets)


class MailSigner:
    """Several threads may use it at once."""

    def __init__(self, keys: ReaderKeys, own: OwnAddresses) -> None:
        self._keys = keys
        self._own = own
        self._assembly_of = lru_cache(ASSEMBLIES_MAX)(self._assembled)

    def sign(self, orders: Sequence[SigningOrder]) -> tuple[SignedBatch, ...]:
        """Blocking: private keys are used."""
        return tuple(self._signed(order) for order in orders)

    def answer(self, octets: bytes) -> bytes:
        """The same, from octets to octets."""
        return msgspec.msgpack.encode(self.sign(_orders.decode(octets)))

    def _signed(self, order: SigningOrder) -> SignedBatch:
        try:
            assembly = self._assembly_of(order.content)
        except ValueError as error:
            # Of a later version, or of a title that no header can hold: it must not hold up other mail.
            return Unsignable(str(error))
        return tuple(assembly.mail_for(reader) for reader in order.readers)

    def _assembled(self, content: bytes) -> Assembly:
        return Assembly(IssueContent.decode(content), self._keys, self._own)
