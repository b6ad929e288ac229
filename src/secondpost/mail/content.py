"""Where a message's content is stored, as received: in the store's table, or in a file if large."""

from msgspec import Struct

IN_TABLE_OCTETS_MAX = 128 * 1024  # larger content is streamed to a file
CONTENT_FOLDER = "content"  # in the room of its database; one file per larger message


class InTable(Struct, frozen=True, gc=False):
    """The whole message as received; line ends CRLF, not dot-stuffed."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)


class InFile(Struct, frozen=True, gc=False):
    """A file below `content` in the room of its database, synced with its folder before this value
    exists.
    """

    name: str
    size: int


Content = InTable | InFile
