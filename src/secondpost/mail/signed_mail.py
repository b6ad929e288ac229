"""A mail to one reader, ready to send; or the reason why it cannot be made."""

from dataclasses import dataclass

from msgspec import Struct

from secondpost.mail.address import Mailbox


class SignedMail(Struct, frozen=True, gc=False):
    """A mail to one reader, ready to send."""

    sender: Mailbox  # envelope sender: it identifies reader and issue in a bounce
    message_id: str
    stuffed: bytes  # ASCII, line ends CRLF, dot-stuffed
    size: int  # octets before dot-stuffing

    @property
    def data(self) -> bytes:
        """The mail as its reader gets it."""
        return self.stuffed.replace(b"\r\n..", b"\r\n.")


@dataclass(frozen=True, slots=True)
class Unsignable:
    """A mail that cannot be made now."""

    why: str
