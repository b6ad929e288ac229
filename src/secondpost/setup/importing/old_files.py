"""How the files of another server are reached: under a folder that stands for its root. A port."""

from dataclasses import dataclass
from typing import Protocol

OLD_FILE_OCTETS_MAX = 20_000_000  # alias and recipient tables can be long


@dataclass(frozen=True, slots=True)
class NotRead:
    """A file that cannot be read; `reason` continues a sentence that begins with its name."""

    reason: str


class OldFiles(Protocol):
    """Paths are those of the old server, such as /etc/postfix/main.cf; it may have been another machine,
    of which only a copy of /etc is here.
    """

    def text(self, path: str) -> str | NotRead:
        """A file's text. What is not UTF-8 in it is kept as surrogates (PEP 383)."""

    def names(self, folder: str) -> tuple[str, ...] | NotRead:
        """The names in a folder, in order."""
