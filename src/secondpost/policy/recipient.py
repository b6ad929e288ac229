"""Do we take mail for this recipient? Only for domains we back up, and only for mailboxes they have; and for
ourselves, at the addresses that stand in our own mail.

Recipients known not to exist are refused while the sender is still connected; those of which nothing is known
follow `unknown` (promise P3). What is accepted for one that the primary then refuses is kept, never bounced.
"""

from dataclasses import dataclass

from secondpost.config.records import (
    AnyRecipient,
    Backup,
    Config,
    LearnedRecipients,
    RecipientFile,
    RecipientUrl,
    Unknown,
)
from secondpost.mail.address import Domain, Mailbox, unquoted
from secondpost.mail.questions import AskingRecipients, Knowledge, KnownRecipient
from secondpost.mail.reply import Reply
from secondpost.mail.verdict import ACCEPT, Accept, Defer, Destination, Reject, Verdict
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


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom one backup domain has, as far as the configuration says; `listed` holds Mailbox.key."""

    backup: Backup
    listed: frozenset[str]
    takes_any: bool
    learns: bool

    def lists_plain(self, mailbox: Mailbox) -> bool:
        """Whether it is a listed mailbox with a detail: me+tag@."""
        plain = mailbox.without_detail(self.backup.delimiters)
        return plain is not None and plain.key in self.listed


@dataclass(frozen=True, slots=True)
class OwnDomains:
    """The domains of this server itself: there is nobody there but the owner and, at `bounces`, the addresses
    that stand in mail to readers (docs/urls.md).
    """

    names: frozenset[Domain]
    bounces: Domain
    newsletters: frozenset[str]  # their names; without one, nobody has an address of ours


def own_domains(config: Config) -> OwnDomains:
    names = frozenset((config.hostname, config.bounces))
    return OwnDomains(names, config.bounces, frozenset(each.name for each in config.newsletters))


def recipients_of(backup: Backup, lists: dict[str, frozenset[str]]) -> Recipients:
    """`lists` has what stands in each recipients file (path or URL) now."""
    listed: set[str] = set()
    takes_any = learns = False
    for source in backup.recipients:
        match source:
            case Mailbox():
                listed.add(source.key)
            case AnyRecipient():
                takes_any = True
            case LearnedRecipients():
                learns = True
            case RecipientFile(place) | RecipientUrl(place):
                listed |= lists.get(place, frozenset())
    # RFC 5321 §4.5.1: every domain has a postmaster.
    listed.add(f"postmaster@{backup.domain}")
    return Recipients(backup, frozenset(listed), takes_any, learns)


def judge_recipient(
    mailbox: Mailbox, domains: dict[Domain, Recipients], own: OwnDomains, caller: str = ""
) -> AskingRecipients[Verdict]:
    """`caller`: the IP address of the one who names the mailbox."""
    recipients = domains.get(mailbox.domain)
    if recipients is None:
        if mailbox.domain not in own.names:
            return NOT_OURS
        return (yield from _judge_own(mailbox, own))
    if mailbox.key in recipients.listed:
        return ACCEPT
    if not ROUTING_CHARACTERS.isdisjoint(unquoted(mailbox.local)):
        return ROUTED_ON if recipients.takes_any or recipients.learns else NO_SUCH_USER
    if recipients.takes_any:
        return ACCEPT
    is_detail = recipients.lists_plain(mailbox)
    if not recipients.learns:
        return UNVERIFIED if is_detail else NO_SUCH_USER
    return (yield from _judge_learned(mailbox, recipients.backup, is_detail, caller))


def _judge_learned(
    mailbox: Mailbox, backup: Backup, is_detail: bool, caller: str
) -> AskingRecipients[Verdict]:
    """me+tag@ is me@; where there is no me@, it may be a mailbox of that very name.

    With a tag that the primary never took it goes as unverified: a primary may know no tags, and details can
    be made up without end.
    """
    plain = mailbox.without_detail(backup.delimiters)
    if not is_detail and plain is not None:
        is_detail = (yield KnownRecipient(plain, caller)) is Knowledge.KNOWN
    answer = yield KnownRecipient(mailbox, caller, learned_only=is_detail)
    if answer is Knowledge.KNOWN:
        return ACCEPT
    if is_detail and answer is not Knowledge.UNKNOWN:
        return UNVERIFIED
    if answer is Knowledge.UNASKED and backup.unknown is Unknown.REJECT:
        return CANNOT_TELL  # the primary could be asked, but for others who ask too much
    return NO_SUCH_USER if answer is Knowledge.UNKNOWN else _unasked(backup.unknown)


def _judge_own(mailbox: Mailbox, own: OwnDomains) -> AskingRecipients[Verdict]:
    if mailbox.local.lower() in OWN_MAILBOXES:
        return Accept(Destination.OWNER)
    if mailbox.domain != own.bounces or len(own.newsletters) == 0:
        return NO_SUCH_USER
    match parse_local_part(mailbox.local):
        case Join(newsletter) if newsletter in own.newsletters:
            return Accept(Destination.INSIDE)
        case Signed() | Join():  # a newsletter that had this name once stands in its store alone
            match (yield KnownRecipient(mailbox)):
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
