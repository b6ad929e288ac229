"""Recipients files: the mailboxes of a backup domain, one address or local part per line.

    # the family
    me@example.net
    postmaster

A file with a fault, or without entries, is refused as a whole: while it is being rewritten, valid
recipients would otherwise be refused. parse_recipients is pure, so that a changed file can be read
again and the old list kept if it has faults.
"""

import re
from dataclasses import dataclass

from secondpost.config.addresses import utf8_mailbox
from secondpost.config.faults import Wrong, quoted
from secondpost.config.files import FileWrong, OpenToRead, open_to_read, read_file
from secondpost.mail.address import Domain, Mailbox

FILE_OCTETS_MAX = 50_000_000
FAULTS_SHOWN_MAX = 20

_COMMENT = re.compile(r"(?:^|\s)#.*")  # a # inside an address is part of it


@dataclass(frozen=True, slots=True)
class RecipientFault:
    line: int  # from 1; 0: the whole file
    reason: str

    def text(self, path: str) -> str:
        return f"{path}:{self.line}: {self.reason}" if self.line > 0 else f"{path}: {self.reason}"


class RecipientFaults(Exception):
    """The list cannot be used. Holds every fault, in the order of the lines."""

    def __init__(self, faults: tuple[RecipientFault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(self.texts("recipients")))

    def texts(self, path: str) -> tuple[str, ...]:
        """One line per fault, up to FAULTS_SHOWN_MAX."""
        shown = [fault.text(path) for fault in self.faults[:FAULTS_SHOWN_MAX]]
        more = len(self.faults) - len(shown)
        return tuple(shown) if more == 0 else (*shown, f"{path}: and {more} more lines")


@dataclass(frozen=True, slots=True)
class RecipientList:
    keys: frozenset[str]  # Mailbox.key of each; not empty

    def __contains__(self, recipient: Mailbox) -> bool:
        return recipient.key in self.keys


def read_recipients(path: str, domain: Domain, open_file: OpenToRead = open_to_read) -> RecipientList:
    """Read a recipients file. Raises RecipientFaults, also if the file cannot be read."""
    try:
        data = read_file(path, FILE_OCTETS_MAX, open_file)
    except FileWrong as wrong:
        raise RecipientFaults((RecipientFault(0, f"it {wrong}"),)) from None
    return decode_recipients(data, domain)


def decode_recipients(data: bytes, domain: Domain) -> RecipientList:
    """Parse the octets of a recipients file. Raises RecipientFaults."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RecipientFaults((RecipientFault(line, "this is not UTF-8 text"),)) from None
    return parse_recipients(text, domain)


def parse_recipients(text: str, domain: Domain) -> RecipientList:
    """Parse a recipients file. Raises RecipientFaults."""
    keys: set[str] = set()
    faults: list[RecipientFault] = []
    # Windows editors begin a file with a byte order mark and end lines with CR LF.
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        entry = _COMMENT.sub("", line).strip()
        if len(entry) == 0:
            continue
        try:
            keys.add(recipient(entry, domain).key)
        except Wrong as wrong:
            faults.append(RecipientFault(number, wrong.reason))
    if len(faults) > 0:
        raise RecipientFaults(tuple(faults))
    if len(keys) == 0:
        raise RecipientFaults((RecipientFault(0, "it has no entries, so all mail would be refused"),))
    return RecipientList(frozenset(keys))


def recipient(entry: str, domain: Domain) -> Mailbox:
    """An entry: an address of the domain, or its local part. Raises Wrong."""
    if entry.startswith(("@", "*")):
        raise Wrong(f'{quoted(entry)} would mean every address: for that, write "any" in the configuration')
    parts = entry.split()
    if len(parts) > 1 and not entry.startswith('"'):
        raise Wrong(f"{quoted(entry)} is more than one address; write one per line")
    one = utf8_mailbox(entry if "@" in entry else f"{entry}@{domain}")
    if one.domain != domain:
        raise Wrong(f"{quoted(entry)} is not an address of {domain}")
    return one
