"""Where the bytes of a message are: in the store's table when small, in a file of its own when large."""

from dataclasses import dataclass

IN_TABLE_OCTETS_MAX = 128 * 1024  # larger content is streamed to a file
CONTENT_FOLDER = "content"  # of the store: a file for each message that is larger


@dataclass(frozen=True, slots=True)
class InTable:
    """The whole message, Received line included, line ends CRLF, not dot-stuffed."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class InFile:
    """A file below STORE/content that was synced, as was its directory, before anyone hears of it."""

    name: str
    size: int


Content = InTable | InFile
