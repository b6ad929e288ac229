"""Tells an issue as it was sent: the same HTML, with public addresses where a reader's own would stand."""

from email import message_from_bytes
from email.policy import default
from html import escape

from secondpost.mail.issue_content import Hole, IssueContent
from secondpost.protocols.quoted_printable import filling


def html_of(content: IssueContent, home: str, view: str) -> str:
    """Raises LookupError when there is no HTML part."""
    public = {
        Hole.LEAVE_URL: home,
        Hole.ME_URL: home,
        Hole.CONFIRM_URL: home,
        Hole.VIEW_URL: view,
        Hole.ADDRESS: "",
    }
    pieces = [content.pieces[0]]
    for placed, piece in zip(content.holes, content.pieces[1:], strict=True):
        value = public[placed.hole]
        pieces += [filling(escape(value) if placed.is_html else value), piece]
    header = "".join(f"{line}\r\n" for line in content.fields)
    message = message_from_bytes(f"{header}\r\n{''.join(pieces)}".encode("ascii"), policy=default)
    part = message.get_body(("html",))
    if part is None:
        raise LookupError("the issue has no HTML part")
    return str(part.get_content())
