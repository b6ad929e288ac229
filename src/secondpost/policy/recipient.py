"""Do we take mail for this recipient? Only for domains we back up, and only for mailboxes they have; and for
ourselves, at the addresses that stand in our own mail.

Recipients known not to exist are refused while the sender is still connected; those of which nothing is known
follow `unknown` (promise P3). What is accepted for one that the primary then refuses is kept, never bounced.
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
# user%elsewhere, elsewhere!user and "user@elsewhere": old ways to say where mail goes next. A primary that
# trusts its backup may follow them, and the two together would be an open relay.
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
    """`caller`: IP address. me+tag@ is me@; where there is no me@, it may be a mailbox of that very name.

    With a tag that the primary never took it goes as unverified: a primary may know no tags, and details can
    be made up without end.
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
        return CANNOT_TELL  # the primary could be asked, but for others who ask too much
    return NO_SUCH_USER if answer is Knowledge.UNKNOWN else _unasked(backup.unknown)


def _judge_own(mailbox: Mailbox, own: OwnDomains) -> AskingPolicy[Verdict]:
    if mailbox.local.lower() in OWN_MAILBOXES:
        return Accept(Destination.OWNER)
    if mailbox.domain != own.bounces or len(own.newsletters) == 0:
        return NO_SUCH_USER
    match parse_local_part(mailbox.local):
        case Join(newsletter) if newsletter in own.newsletters:
            return Accept(Destination.INSIDE)
        case Signed() | Join():  # a newsletter that had this name once stands in its store alone
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
