"""A newsletter's configuration as its mails show it, in page and header."""

from email.utils import parseaddr

from secondpost.compose.issue import Composed, Masthead
from secondpost.config.records import Newsletter, Web
from secondpost.mail.address import Mailbox
from secondpost.mail.issue_content import IssueContent, ReaderMailKind
from secondpost.protocols.mime.issue_mail import Heading, compile_issue


def home_of(newsletter: Newsletter, web: Web) -> str | None:
    """The page for sign-up and archive; None without web pages."""
    return None if web.url is None else f"{web.url}/{newsletter.name}/"


def title_of(newsletter: Newsletter, feed_title: str) -> str:
    """The configured title, else that of the feed ("" before it was read), else the newsletter's
    name.
    """
    for title in (newsletter.title or "", feed_title, newsletter.name):
        if len(title.strip()) > 0:
            return " ".join(title.split())
    raise ValueError("a newsletter has a name")


def masthead_of(newsletter: Newsletter, web: Web, feed_title: str) -> Masthead:
    return Masthead(
        title=title_of(newsletter, feed_title),
        language=newsletter.language,
        timezone=newsletter.timezone,
        subject=newsletter.subject,
        home=home_of(newsletter, web),
        postal_address=newsletter.postal_address,
        images=newsletter.images,
    )


def own_list_identity(name: str, newsletter: Newsletter) -> str:
    """The List-Id of a newsletter of this name, if the file gives none."""
    sender = Mailbox.parse(parseaddr(newsletter.sender)[1])
    return f"{name}.{sender.domain}"


def content_of(
    kind: ReaderMailKind,
    newsletter: Newsletter,
    masthead: Masthead,
    composed: Composed,
    dated_ms: int,
    seed: bytes,
) -> IssueContent:
    """A composed mail with its header. Raises FieldFault or TextFault (protocols)."""
    name, address = parseaddr(newsletter.sender)
    sender = Mailbox.parse(address)
    heading = Heading(
        kind=kind,
        newsletter=newsletter.name,
        sender_name=name,
        sender=sender,
        subject=composed.subject,
        dated_ms=dated_ms,
        list_identity=newsletter.list_id or own_list_identity(newsletter.name, newsletter),
        list_title=masthead.title,
        reply_to=None if newsletter.reply_to is None else Mailbox.parse(parseaddr(newsletter.reply_to)[1]),
        archive_url=masthead.home,
        help_url=masthead.home,
        language=newsletter.language,
    )
    return compile_issue(heading, composed.text, composed.html, seed)
