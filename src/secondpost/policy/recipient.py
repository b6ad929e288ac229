"""Decides whether we take mail for a recipient: a mailbox of a backup domain, or an address of our
own.

Recipients known not to exist are refused while the sender is still connected; unknown ones are
treated as `unknown` says (promise P3). Mail accepted for a recipient that the primary later refuses
is kept, never bounced.
"""

from secondpost.config.records import Backup, Unknown
from secondpost.mail.address import Mailbox, unquoted
from secondpost.mail.questions import AskingPolicy, Knowledge, KnownRecipient
from secondpost.mail.reply import Reply
from secondpost.mail.verdict import ACCEPT, Accept, Defer, Destination, Reject, Verdict
from secondpost.policy.domains import OwnDomains
from secondpost.policy.known import AtRcpt, Judgement
from secondpost.protocols.verp import Join, Signed, parse_local_part

NOT_OURS = Reject(Reply.of(550, "5.7.1", "We do not relay to that domain"), "not-ours")
NO_SUCH_USER = Reject(Reply.of(550, "5.1.1", "No such mailbox here"), "unknown-recipient")
ROUTED_ON = Reject(Reply.of(550, "5.7.1", "We do not relay to where that mailbox leads"), "not-ours")
CANNOT_TELL = Defer(
    Reply.of(451, "4.4.3", "The primary cannot be asked about this mailbox now; try again later"),
    "recipient-unverified",
)
UNVERIFIED = Accept(Destination.UNVERIFIED)
CANNOT_CHECK = Defer(
    Reply.of(451, "4.4.3", "That address cannot be checked now; try again later"), "recipient-unverified"
)

OWN_MAILBOXES = frozenset({"postmaster", "abuse"})  # RFC 5321 §4.5.1, RFC 2142 §4
# user%elsewhere, elsewhere!user and "user@elsewhere" are old forms of source routes. A primary that
# trusts its backup may follow them, and so both together would be an open relay.
ROUTING_CHARACTERS = frozenset("%!@")


def judge_recipient(at: AtRcpt) -> Judgement:
    mailbox, recipients = at.mailbox, at.recipients
    if recipients is None:
        if mailbox.domain not in at.own.names:
            return NOT_OURS
        return _judge_own(mailbox, at.own)
    if mailbox.key in recipients.listed:
        return ACCEPT
    if not ROUTING_CHARACTERS.isdisjoint(unquoted(mailbox.local)):
        return ROUTED_ON if recipients.takes_any or recipients.learns else NO_SUCH_USER
    if recipients.takes_any:
        return ACCEPT
    is_detail = recipients.lists_plain(mailbox)
    if not recipients.learns:
        return UNVERIFIED if is_detail else NO_SUCH_USER
    return _judge_learned(mailbox, recipients.backup, is_detail, at.mail.hello.address)


def _judge_learned(mailbox: Mailbox, backup: Backup, is_detail: bool, caller: str) -> AskingPolicy[Verdict]:
    """Judge a recipient by what was learned or asked. `caller`: IP address.

    me+tag@ normally is the mailbox me@; if me@ does not exist, it may be a mailbox of that name.
    With a tag that the primary never accepted it is unverified: a primary may not know tags, and
    tags can be made up without end.
    """
    plain = mailbox.without_detail(backup.delimiters)
    if not is_detail and plain is not None:
        is_detail = (yield from KnownRecipient(plain, caller).ask()) is Knowledge.KNOWN
    answer = yield from KnownRecipient(mailbox, caller, learned_only=is_detail).ask()
    if answer is Knowledge.KNOWN:
        return ACCEPT
    if is_detail and answer is not Knowledge.UNKNOWN:
        return UNVERIFIED
    if answer is Knowledge.UNASKED and backup.unknown is Unknown.REJECT:
        return CANNOT_TELL  # too many questions to the primary are open now
    return NO_SUCH_USER if answer is Knowledge.UNKNOWN else _unasked(backup.unknown)


def _judge_own(mailbox: Mailbox, own: OwnDomains) -> AskingPolicy[Verdict]:
    if mailbox.local.lower() in OWN_MAILBOXES:
        return Accept(Destination.OWNER)
    if mailbox.domain != own.bounces or len(own.newsletters) == 0:
        return NO_SUCH_USER
    match parse_local_part(mailbox.local):
        case Join(newsletter) if newsletter in own.newsletters:
            return Accept(Destination.INSIDE)
        case Signed() | Join():  # a former name of a newsletter is in the newsletter's store only
            match (yield from KnownRecipient(mailbox).ask()):
                case Knowledge.KNOWN:
                    return Accept(Destination.INSIDE)
                case Knowledge.UNREACHABLE:
                    return CANNOT_CHECK
    return NO_SUCH_USER


def _unasked(unknown: Unknown) -> Verdict:
    match unknown:
        case Unknown.DEFER:
            return CANNOT_TELL
        case Unknown.HOLD:
            return UNVERIFIED
        case Unknown.REJECT:
            return NO_SUCH_USER
