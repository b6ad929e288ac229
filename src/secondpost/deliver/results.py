"""Turns a reply into an outcome, with the cause of a failure. Pure."""

from secondpost.mail.outcome import Cause, Deferred, Delivered, Failed, Level, Outcome
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import Phase, RecipientResult

_SECURITY_OR_POLICY = "5.7."  # RFC 3463 §3.8
_TOO_LARGE = ".3.4"  # RFC 3463 §3.4
_NOT_IN_UTF8 = ("5.6.7", "5.6.9")  # RFC 6531 §3.5: no UTF-8 in addresses, or in headers


def outcome_of(result: RecipientResult, host: str) -> Outcome:
    reply = result.reply
    if reply.is_positive:
        return Delivered(host, reply)
    cause = _cause(result)
    # 500 to 504 are about the command, not the mail (RFC 5321 §4.2.2): a fault of the dialogue,
    # which the next attempt may not have.
    final = reply.is_permanent and reply.code > 504
    return Failed(cause, host, reply) if final else Deferred(cause, host, reply)


def _cause(result: RecipientResult) -> Cause:
    if is_policy_refusal(result):
        return Cause.SENDER_POLICY if result.phase is Phase.MAIL else Cause.DOMAIN_POLICY
    if result.reply.status in _NOT_IN_UTF8:
        return Cause.SMTPUTF8
    says_too_large = result.reply.status.endswith(_TOO_LARGE)
    match result.phase:
        case Phase.MAIL:
            return Cause.TOO_LARGE if says_too_large else Cause.SENDER
        case Phase.RCPT:
            return Cause.RECIPIENT
        case Phase.DATA | Phase.DOT:
            return Cause.TOO_LARGE if says_too_large or result.reply.code == 552 else Cause.MESSAGE


def is_policy_refusal(result: RecipientResult) -> bool:
    """Whether policy refused it before the content: as likely our fault as the message's."""
    before_content = result.phase in (Phase.MAIL, Phase.RCPT)
    return (
        before_content and result.reply.is_permanent and result.reply.status.startswith(_SECURITY_OR_POLICY)
    )


def speaks_of_connection(results: tuple[RecipientResult, ...]) -> bool:
    """Whether the results are 4xx to MAIL: if the connection took mail before, its limit is
    reached.
    """
    return all(result.phase is Phase.MAIL and result.reply.is_temporary for result in results)


def speaks_of_load(reply: Reply) -> bool:
    """Whether it is a 4xx that more connections would make worse."""
    return reply.is_temporary and (reply.code == 421 or reply.status[2:5] in ("3.2", "4.5", "7.0", "7.1"))


def outcome_of_break(
    so_far: RecipientResult | None, dot_sent: bool, cause: Cause, host: str, reply: Reply
) -> Outcome:
    """The outcome for a recipient when the connection broke in mid-message.

    The message itself may have caused a fault of the site, so for the message it counts as lost: it
    is deferred and does not come first again.
    """
    if so_far is not None and not so_far.reply.is_positive:
        return outcome_of(so_far, host)
    if dot_sent:
        return Deferred(Cause.UNANSWERED, host, reply)
    return Deferred(Cause.LOST if cause.level is Level.SITE else cause, host, reply)
