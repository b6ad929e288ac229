"""A reader's own mail, ready for the wire; or why there is none."""

from dataclasses import dataclass

from secondpost.mail.address import Mailbox


@dataclass(frozen=True, slots=True)
class SignedMail:
    sender: Mailbox  # of the envelope: what comes back names reader and issue
    message_id: str
    stuffed: bytes  # ASCII, line ends CRLF, its dots doubled for the wire
    size: int  # octets, not counting doubled dots

    @property
    def data(self) -> bytes:
        """The mail as its reader gets it."""
        return self.stuffed.replace(b"\r\n..", b"\r\n.")


@dataclass(frozen=True, slots=True)
class Unsignable:
    """A mail that cannot be made now."""

    why: str
