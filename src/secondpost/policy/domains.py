"""The domains that we take mail for, with their recipients as configured."""

from dataclasses import dataclass

from secondpost.config.records import (
    AnyRecipient,
    Backup,
    Config,
    LearnedRecipients,
    RecipientFile,
    RecipientUrl,
)
from secondpost.mail.address import Domain, Mailbox


@dataclass(frozen=True, slots=True)
class Recipients:
    """The recipients of one backup domain, as configured; `listed` holds Mailbox.key."""

    backup: Backup
    listed: frozenset[str]
    takes_any: bool
    learns: bool

    def lists_plain(self, mailbox: Mailbox) -> bool:
        """Whether `mailbox` is a listed mailbox with a detail: me+tag@."""
        plain = mailbox.without_detail(self.backup.delimiters)
        return plain is not None and plain.key in self.listed


@dataclass(frozen=True, slots=True)
class OwnDomains:
    """The domains of this server itself. Their only mailboxes are postmaster and abuse and, at
    `bounces`, the addresses that newsletters have for readers (docs/urls.md).
    """

    names: frozenset[Domain]
    bounces: Domain
    newsletters: frozenset[str]  # their names; if empty, no address at `bounces` is valid


def own_domains(config: Config) -> OwnDomains:
    names = frozenset((config.hostname, config.bounces))
    return OwnDomains(names, config.bounces, frozenset(each.name for each in config.newsletters))


def takers_of_own_mail(config: Config) -> tuple[Mailbox, ...]:
    """The recipients of mail to postmaster@ and abuse@ of this server: the owner, and with newsletters
    also abuse@ of `bounces`, where this server looks for complaints in it (bounce/complaints).
    """
    if len(config.newsletters) == 0:
        return config.owner
    return (*config.owner, Mailbox("abuse", config.bounces))


def recipients_of(backup: Backup, lists: dict[str, frozenset[str]]) -> Recipients:
    """`lists`: keys (Mailbox.key) by recipients file or URL, as read last."""
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
