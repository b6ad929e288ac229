"""Orders for readers' mails, and the signer, which runs in a process of its own or in a thread of
the role.

Orders and signed mails cross between processes as octets. An order contains its whole content, so
that a signer keeps no state between orders and may be replaced at any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from secondpost.mail.issue_content import Addressee, IssueContent
from secondpost.mail.signed_mail import SignedMail, Unsignable
from secondpost.signing.assembly import Assembly, OwnAddresses, ReaderKeys

ASSEMBLIES_MAX = 16  # issues and confirmations whose shared part is cached


@dataclass(frozen=True, slots=True)
class SigningOrder:
    """Mails to make: one content, and its readers."""

    content: bytes  # as stored
    readers: tuple[Addressee, ...]


# One mail per reader, in order; or one Unsignable for all of them.
SignedBatch = tuple[SignedMail, ...] | Unsignable

_orders = msgspec.msgpack.Decoder(tuple[SigningOrder, ...])
_signed = msgspec.msgpack.Decoder(tuple[SignedBatch, ...])


def orders_octets(orders: Sequence[SigningOrder]) -> bytes:
    return msgspec.msgpack.encode(orders)


def signed_of(octets: bytes) -> tuple[SignedBatch, ...]:
    return _signed.decode(octets)


class MailSigner:
    """Carries out orders; threads may share it."""

    def __init__(self, keys: ReaderKeys, own: OwnAddresses) -> None:
        self._keys = keys
        self._own = own
        self._assembly_of = lru_cache(ASSEMBLIES_MAX)(self._assembled)

    def sign(self, orders: Sequence[SigningOrder]) -> tuple[SignedBatch, ...]:
        """Make and sign the mails. Blocks."""
        return tuple(self._signed(order) for order in orders)

    def answer(self, octets: bytes) -> bytes:
        """`sign` on encoded orders, returning encoded mails."""
        return msgspec.msgpack.encode(self.sign(_orders.decode(octets)))

    def _signed(self, order: SigningOrder) -> SignedBatch:
        try:
            assembly = self._assembly_of(order.content)
        except ValueError as error:
            # Content of a later version, or a title that no header can hold: it must not stop other
            # mail.
            return Unsignable(str(error))
        return tuple(assembly.mail_for(reader) for reader in order.readers)

    def _assembled(self, content: bytes) -> Assembly:
        return Assembly(IssueContent.decode(content), self._keys, self._own)
