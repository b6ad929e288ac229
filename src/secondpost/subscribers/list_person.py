"""The person in a cell of addresses: an address alone, Name <address>, or an address in
parentheses.
"""

from msgspec import Struct

from secondpost.mail.address import Mailbox
from secondpost.subscribers.cells import plain_cell
from secondpost.subscribers.typed import typed_mailbox


class Person(Struct, frozen=True, gc=False):
    mailbox: Mailbox
    name: str = ""
    gets_none: bool = False  # in parentheses: Mailman's roster marks disabled delivery so


def why_not(cell: str) -> str:
    """Why a cell holds no address. The text repeats nothing of the cell, which may be personal."""
    local, at, domain = plain_cell(cell).strip().rstrip(">)").rpartition("@")
    if at == "":
        return "there is no address"
    if not local.isascii():
        return "its address has characters before the @ that many servers cannot mail to"
    if "." not in domain.strip("."):
        return "the domain of its address is not a full one, such as example.org"
    return "its address is not one that mail can be sent to"


def person_in(cell: str) -> Person:
    """Read a cell of addresses. Raises ValueError with a sentence."""
    text = plain_cell(cell)
    if "<" not in text and "(" not in text:
        return Person(typed_mailbox(text))
    plain = text.strip()
    gets_none = plain.startswith("(") and plain.endswith(")")
    inside = plain[1:-1].strip() if gets_none else plain
    name, bracket, address = inside.rpartition("<")
    if bracket == "" or not address.endswith(">"):
        return Person(typed_mailbox(inside), "", gets_none)
    return Person(typed_mailbox(address), name.strip(" \t\"'"), gets_none)
