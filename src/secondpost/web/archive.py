"""Show an issue as it was sent: the same HTML, with public links in place of the reader's own.

Parts for one reader (class "mailed" in the template) are hidden, and a line at the top links the
newsletter's page.
"""

import re
from email import message_from_bytes
from email.policy import default
from html import escape

from secondpost.mail.issue_content import Hole, IssueContent
from secondpost.protocols.mime.quoted_printable import filling

STYLE = """<style>
.mailed { display: none !important; }
.home { padding: 12px; font: 15px/1.5 system-ui, sans-serif; text-align: center; }
.home a { color: #1b4f9c; }
@media (prefers-color-scheme: dark) { .home a { color: #8fb8f6; } }
</style>
"""
WAY_HOME = '<nav class="home" lang="en"><a href="{home}">All issues, and how to subscribe</a></nav>'
_BODY = re.compile("<body[^>]*>")


def html_of(content: IssueContent, home: str, view: str) -> str:
    """The page of an issue. Raises LookupError if it has no HTML part."""
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
    return _framed(str(part.get_content()), home)


def _framed(html: str, home: str) -> str:
    way_home = WAY_HOME.format(home=escape(home))
    with_style = html.replace("</head>", f"{STYLE}</head>", 1)
    return _BODY.sub(lambda found: f"{found[0]}{way_home}", with_style, count=1)
