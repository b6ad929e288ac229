"""One message's envelope, from MAIL to DATA: its sender and recipients, and what is known of them."""

from secondpost.config.records import Authenticate, Backup
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.verdict import Destination
from secondpost.policy.known import AtMail, AtRcpt
from secondpost.receive.authenticating import SenderCheck
from secondpost.receive.caller_log import SessionLog
from secondpost.receive.reception import Reception
from secondpost.receive.under_way import Part

NO_DOMAINS: frozenset[Domain] = frozenset()


class OpenEnvelope:
    def __init__(self, reception: Reception, lines: SessionLog, mail: AtMail) -> None:
        self.reception = reception
        self.lines = lines
        self.mail = mail
        self.recipients: list[Mailbox] = []
        self.unverified: set[Mailbox] = set()
        self.backups: dict[Domain, Backup] = {}  # of the recipients
        self.way: Destination | None = None  # of all recipients; None before the first
        self.part = Part(reception.under_way, mail.size)
        self.sender_check: SenderCheck | None = None  # since the first recipient whose domain wants it

    def at_rcpt(self, mailbox: Mailbox) -> AtRcpt:
        domain = mailbox.domain
        return AtRcpt(
            mail=self.mail,
            mailbox=mailbox,
            recipients=self.reception.recipients().get(domain),
            offered=self.reception.offers.of(domain),
            own=self.reception.own,
            way=self.way,
            is_first_of_domain=domain not in self.backups,
            unverified=len(self.unverified),
            is_first_unverified_of_domain=domain not in self.unverified_domains,
        )

    @property
    def unverified_domains(self) -> frozenset[Domain]:
        if len(self.unverified) == 0:
            return NO_DOMAINS
        return frozenset(mailbox.domain for mailbox in self.unverified)

    def add_recipient(self, at: AtRcpt, way: Destination) -> None:
        """Add a recipient that policy accepted."""
        mailbox = at.mailbox
        self.way = way.road
        self.recipients.append(mailbox)
        if at.recipients is None:
            return
        backup = at.recipients.backup
        self.backups[backup.domain] = backup
        if self.sender_check is None and backup.authenticate.is_on:
            self.sender_check = SenderCheck(self.reception.authenticator, self.mail)
        under_way = self.reception.under_way
        if way is Destination.UNVERIFIED:
            self.unverified.add(mailbox)
            self.part.count_in(under_way.unverified(backup.domain))
        if backup.quota is not None:
            self.part.count_in(under_way.of(backup.domain))

    @property
    def is_sealed(self) -> bool:
        """Whether a recipient's domain wants an ARC set."""
        return any(backup.authenticate is Authenticate.SEAL for backup in self.backups.values())

    def end(self) -> None:
        """The message is stored or dropped. May be called again."""
        self.part.end()
        if self.sender_check is not None:
            self.sender_check.cancel()

    @property
    def is_for_people_here(self) -> bool:
        """Whether at least one recipient is not unverified."""
        return len(self.unverified) < len(self.recipients)
