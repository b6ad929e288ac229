"""The domains that we take mail for, and whom each of them has as far as the configuration says."""

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
    """The domains of this server itself: only the owner is there and, at `bounces`, the addresses that stand
    in mail to readers (docs/urls.md).
    """

    names: frozenset[Domain]
    bounces: Domain
    newsletters: frozenset[str]  # their names; without one, no address of ours was given out


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
