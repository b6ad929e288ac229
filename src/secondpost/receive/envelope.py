"""One message's envelope, from MAIL to DATA: who sends it, for whom, and what is said of both.

What the client should hear is returned; when it hears it is the conversation's business.
"""

from functools import partial

from secondpost.config.records import Backup
from secondpost.mail.address import NULL_PATH, Mailbox, ReversePath
from secondpost.mail.reply import Reply
from secondpost.mail.verdict import ACCEPT, Accept, Defer, Destination, Reject, Verdict
from secondpost.policy.offered import judge_envelope
from secondpost.policy.room import judge_quota, judge_size
from secondpost.receive.caller_log import SessionLog
from secondpost.receive.reception import Reception
from secondpost.receive.under_way import Part

UNVERIFIED_MAX = 10  # recipients of one message of which nothing is known
TOO_MANY_UNVERIFIED = Defer(
    Reply.of(452, "4.5.3", "Too many unverified recipients; send the rest in another message"),
    "unverified-recipients",
)
ONE_WAY = Reject(Reply.of(452, "4.5.3", "Send this recipient a copy of its own"), "mixed-ways")


class OpenEnvelope:
    """`size`: what the client declared, 0 when it did not; `caller`: its IP address."""

    def __init__(
        self,
        reception: Reception,
        caller: str,
        lines: SessionLog,
        sender: ReversePath = NULL_PATH,
        size: int = 0,
        eight_bit: bool = False,
        utf8: bool = False,
    ) -> None:
        self.reception = reception
        self.lines = lines
        self.caller = caller
        self.sender = sender
        self.size = size
        self.eight_bit = eight_bit
        self.utf8 = utf8  # SMTPUTF8 was said
        self.recipients: list[Mailbox] = []
        self.unverified: set[Mailbox] = set()
        self.way: Destination | None = None  # of all recipients; None before the first
        self.part = Part(reception.under_way, size)

    def judge_room(self) -> Verdict:
        """At MAIL. What is taken counts as under way from here on."""
        free = self.reception.free()
        verdict = judge_size(self.size, free, self.reception.under_way.disk.spoken_for(free))
        if isinstance(verdict, Accept):
            self.part.begin()
        return verdict

    def judge_offered(self, mailbox: Mailbox) -> Verdict:
        """At RCPT, before anything is asked about the mailbox."""
        offered = self.reception.offers.of(mailbox.domain)
        if offered is None:
            return ACCEPT
        return judge_envelope(offered, self.size, self.sender.needs_utf8 or mailbox.needs_utf8)

    def add_recipient(self, mailbox: Mailbox, way: Destination) -> Verdict:
        """Policy takes it; whether its domain has room, and whether it can go with the others."""
        under_way = self.reception.under_way
        backup = self.reception.config.backup_for(mailbox.domain)
        if backup is not None and (backup.quota is not None or self.size > backup.max_size):
            stored = self.reception.intake.stored_octets(mailbox.domain)
            room = 0 if backup.quota is None else backup.quota
            coming = self.part.others(under_way.of(backup.domain), room)
            verdict = judge_quota(backup, self.size, stored, coming)
            if not isinstance(verdict, Accept):
                return verdict
        road = Destination.PRIMARY if way is Destination.UNVERIFIED else way
        if self.way is not None and (self.way is not road or road is Destination.INSIDE):
            # What a mail to ourselves changes is known by the mail's id: each has one recipient.
            return ONE_WAY
        if backup is not None and way is Destination.UNVERIFIED:
            verdict = self._judge_unverified(backup)
            if not isinstance(verdict, Accept):
                return verdict
            self.unverified.add(mailbox)
        self.way = road
        self.recipients.append(mailbox)
        if backup is not None and backup.quota is not None:
            self.part.count_in(under_way.of(backup.domain))
        return ACCEPT

    def _judge_unverified(self, backup: Backup) -> Verdict:
        unverified = self.reception.unverified
        if len(self.unverified) >= UNVERIFIED_MAX:
            return TOO_MANY_UNVERIFIED
        coming = self.reception.under_way.unverified(backup.domain)
        if len(self.unverified) == 0:
            verdict = unverified.judge(backup, self.caller)
            if not isinstance(verdict, Accept):
                return verdict
        verdict = unverified.judge_room(backup, self.size, partial(self.part.others, coming))
        if isinstance(verdict, Accept):
            self.part.count_in(coming)
        return verdict

    @property
    def is_for_people_here(self) -> bool:
        """Not only for recipients of whom nothing is known."""
        return len(self.unverified) < len(self.recipients)
