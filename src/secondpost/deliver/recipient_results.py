"""What a primary's reply to RCPT says about a mailbox. Pure."""

import re

from secondpost.mail.address import Mailbox
from secondpost.mail.questions import Knowledge
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import Phase, RecipientResult

NO_SUCH_MAILBOX = ("5.1.1", "5.1.10")  # RFC 3463 §3.2, RFC 7505 §4.3
# Statuses of a 550 that may be about the mailbox; 5.3.x, 5.4.x and 5.7.x are about host, route and
# policy.
_OF_MAILBOX = ("", "5.0.0", "5.1.0", "5.1.2", "5.1.3", "5.1.6", "5.2.1", "5.2.4", "5.5.0", "5.5.1")
# Texts of servers that send no such status: Exim, OpenSMTPD, qmail, Domino, sendmail.
_WORDS = re.compile(
    r"\b(?:no such (?:user|mailbox|recipient|account|address|person|local user)"
    r"|(?:user|mailbox|recipient|account|address)(?: name)?(?: is)? (?:unknown|not found|invalid|unavailable)"
    r"|(?:unknown|invalid) (?:user|mailbox|recipient|account|local part|address)"
    r"|(?:user|mailbox|recipient|account|address|email) (?:does not|doesn't) exist"
    r"|unrouteable address|no mailbox (?:here )?by that name)\b",
    re.IGNORECASE,
)


def is_refusal(result: RecipientResult) -> bool:
    """Whether a recipient was refused permanently, which primaries count to detect dictionary
    attacks.
    """
    return result.phase is Phase.RCPT and result.reply.is_permanent


def knowledge_from(result: RecipientResult | None, mailbox: Mailbox) -> Knowledge:
    """UNKNOWN only for a refusal that is about the mailbox; a block list's is not."""
    if result is None or result.phase is not Phase.RCPT:
        return Knowledge.UNREACHABLE
    reply = result.reply
    if reply.is_positive:
        return Knowledge.KNOWN
    if reply.is_permanent and (reply.status in NO_SUCH_MAILBOX or _names_mailbox(reply, mailbox)):
        return Knowledge.UNKNOWN
    return Knowledge.UNREACHABLE


def _names_mailbox(reply: Reply, mailbox: Mailbox) -> bool:
    if reply.code not in (550, 524) or reply.status not in _OF_MAILBOX:
        return False
    return _WORDS.search(reply.text) is not None or mailbox.key in reply.text.casefold()
