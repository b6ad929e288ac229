"""One message on its way in, from MAIL to the store: its envelope, its body, and what is said of both.

What the client should hear is returned, as a reply or as an accepted message; who is spoken to and when
is the conversation's business.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from secondpost.config.records import Backup
from secondpost.mail.address import NULL_PATH, Domain, Mailbox, ReversePath
from secondpost.mail.content import Content, InFile
from secondpost.mail.envelope import Arrival, Envelope, Lane, Peer, Utf8
from secondpost.mail.queue_id import QueueId, queue_id_text
from secondpost.mail.reply import Reply
from secondpost.mail.verdict import ACCEPT, Accept, Defer, Reject, Verdict, Way
from secondpost.policy.offered import judge_content, judge_envelope
from secondpost.policy.room import judge_quota, judge_size
from secondpost.protocols.mime.utf8_header import HeaderLook
from secondpost.receive.body import BodyKeeper
from secondpost.receive.caller_log import SessionLog
from secondpost.receive.reception import Reception
from secondpost.receive.trace import date_time, received_line
from secondpost.receive.under_way import Part
from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.world.ports import DiskFailed, DiskFull

RECEIVED_FIELDS_MAX = 100  # RFC 5321 §6.3

LOOPING = Reply.of(554, "5.4.6", f"{RECEIVED_FIELDS_MAX} Received fields or more: a mail loop")
STORE_BUSY = Reply.of(451, "4.3.0", "The queue cannot take it now; try again later")
STORE_FULL = Reply.of(452, "4.3.1", "Not enough disk space here now; try again later")
UNVERIFIED_MAX = 10  # recipients of one message of which nothing is known
TOO_MANY_UNVERIFIED = Defer(
    Reply.of(452, "4.5.3", "Too many unverified recipients; send the rest in another message"),
    "unverified-recipients",
)
ONE_WAY = Reject(Reply.of(452, "4.5.3", "Send this recipient a copy of its own"), "mixed-ways")


class Incoming:
    """`size`: what the client declared, 0 when it did not; `caller`: its IP address."""

    def __init__(
        self,
        reception: Reception,
        caller: str,
        sender: ReversePath = NULL_PATH,
        size: int = 0,
        eight_bit: bool = False,
        utf8: bool = False,
        lines: SessionLog | None = None,
    ) -> None:
        self._reception = reception
        self.sender = sender
        self._size = size
        self._eight_bit = eight_bit
        self._caller = caller
        self._lines = lines  # None before MAIL: then there is nothing to log
        self.utf8 = utf8  # SMTPUTF8 was said
        self._header = HeaderLook() if utf8 else None
        self._recipients: list[Mailbox] = []
        self._unverified: set[Mailbox] = set()
        self._way: Way | None = None
        self._peer: Peer | None = None
        self._queue_id: QueueId | None = None
        self._keeper: BodyKeeper | None = None
        self._part = Part(reception.under_way, size)
        self._is_storing = False

    # ------------------------------------------------------------ the envelope

    def judge_room(self) -> Verdict:
        """At MAIL. What is taken counts as under way from here on."""
        free = self._reception.free()
        verdict = judge_size(self._size, free, self._reception.under_way.disk.spoken_for(free))
        if isinstance(verdict, Accept):
            self._part.begin()
        return verdict

    def add_recipient(self, mailbox: Mailbox, way: Way) -> Verdict:
        """Policy takes it; whether its domain has room, and whether it can go with the others."""
        under_way = self._reception.under_way
        backup = self._reception.config.backup_for(mailbox.domain)
        if backup is not None and (backup.quota is not None or self._size > backup.max_size):
            stored = self._reception.intake.stored_octets(mailbox.domain)
            room = 0 if backup.quota is None else backup.quota
            coming = self._part.others(under_way.of(backup.domain), room)
            verdict = judge_quota(backup, self._size, stored, coming)
            if not isinstance(verdict, Accept):
                return verdict
        road = Way.PRIMARY if way is Way.UNVERIFIED else way
        if self._way is not None and (self._way is not road or road is Way.INSIDE):
            # What a mail to ourselves changes is known by the mail's id: each has one recipient.
            return ONE_WAY
        if backup is not None and way is Way.UNVERIFIED:
            verdict = self._judge_unverified(backup)
            if not isinstance(verdict, Accept):
                return verdict
            self._unverified.add(mailbox)
        self._way = road
        self._recipients.append(mailbox)
        if backup is not None and backup.quota is not None:
            self._part.count_in(under_way.of(backup.domain))
        return ACCEPT

    def judge_envelope(self, mailbox: Mailbox) -> Verdict:
        """At RCPT, before anything is asked about the mailbox."""
        offered = self._reception.offers.of(mailbox.domain)
        if offered is None:
            return ACCEPT
        return judge_envelope(offered, self._size, self.sender.needs_utf8 or mailbox.needs_utf8)

    def _judge_content(self, domain: Domain) -> Verdict:
        offered, keeper = self._reception.offers.of(domain), self._keeper
        if offered is None or keeper is None:
            return ACCEPT
        return judge_content(offered, keeper.size, self._utf8_of(tuple(self._recipients)))

    def _judge_unverified(self, backup: Backup) -> Verdict:
        unverified = self._reception.unverified
        if len(self._unverified) >= UNVERIFIED_MAX:
            return TOO_MANY_UNVERIFIED
        coming = self._reception.under_way.unverified(backup.domain)
        if len(self._unverified) == 0:
            verdict = unverified.judge(backup, self._caller)
            if not isinstance(verdict, Accept):
                return verdict
        verdict = unverified.judge_room(backup, self._size, partial(self._part.others, coming))
        if isinstance(verdict, Accept):
            self._part.count_in(coming)
        return verdict

    # ------------------------------------------------------------ the body

    @property
    def has_body(self) -> bool:
        """DATA was said, whatever became of it."""
        return self._queue_id is not None

    @property
    def octets(self) -> int:
        """Of the body, as far as it has come and is kept."""
        return 0 if self._keeper is None else self._keeper.size

    @property
    def is_for_people_here(self) -> bool:
        """Not only for recipients of whom nothing is known."""
        return len(self._unverified) < len(self._recipients)

    @property
    def must_pause(self) -> bool:
        return self._keeper is not None and self._keeper.is_full

    def begin_body(
        self, peer: Peer, drained: Callable[[], None], failed: Callable[[BaseException], None]
    ) -> None:
        """`drained`: there is room for more; `failed`: the disk would not take it."""
        reception = self._reception
        self._peer = peer
        now_ms = reception.clock.now_ms()
        self._queue_id = queue_id = reception.ids.next(now_ms)
        recipients, date = tuple(self._recipients), date_time(now_ms)
        line = received_line(peer, reception.config.hostname, queue_id, recipients, date)
        name = f"{reception.ids.worker}-{queue_id_text(queue_id)}"
        self._keeper = BodyKeeper(reception.disk, reception.work, name, line, drained=drained, failed=failed)

    def add(self, data: bytes) -> Reply | None:
        """Keep a piece. A reply means that the body is not wanted any more."""
        keeper = self._keeper
        if keeper is None:
            return None
        keeper.add(data)
        if self._header is not None:
            self._header.add(data)
        self._part.grow(keeper.size, keeper.saved)
        verdict = self._reception.under_way.judge_growth(len(data), self._reception.free)
        return None if isinstance(verdict, Accept) else verdict.reply

    def judge_whole(self, size: int, received_fields: int) -> Verdict:
        """What can only be said when the body is whole."""
        if received_fields >= RECEIVED_FIELDS_MAX:
            return Reject(LOOPING, "loop")
        under_way = self._reception.under_way
        for domain in {mailbox.domain for mailbox in self._recipients}:
            backup = self._reception.config.backup_for(domain)
            if backup is None:
                continue
            stored = 0 if backup.quota is None else self._reception.intake.stored_octets(domain)
            # Of the others only those that are whole, too: a body that is still coming may never end.
            verdict = judge_quota(backup, size, stored, under_way.of(domain).certain)
            if isinstance(verdict, Accept):
                verdict = self._judge_content(domain)
            if isinstance(verdict, Accept) and any(each.domain == domain for each in self._unverified):
                whole = under_way.unverified(domain).whole_in
                verdict = self._reception.unverified.judge_room(backup, size, whole)
            if not isinstance(verdict, Accept):
                return verdict
        return ACCEPT

    def forget(self) -> None:
        """It is not wanted any more, or its client is gone; if it is on its way into the store, it is seen
        through.
        """
        if self._is_storing:
            return
        self._part.end()
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            removing = keeper.forget()
            if removing is not None:
                self._reception.background(removing)

    # ------------------------------------------------------------ into the store

    def store(self, answer: Callable[[Reply], None]) -> None:
        """See the message safe, whatever becomes of the connection; then `answer` with its reply."""
        keeper = self._keeper
        assert keeper is not None
        self._is_storing = True
        self._part.become_whole(keeper.size, keeper.saved)
        content = keeper.whole()
        if content is not None:
            self._submit(content, answer)
        else:
            self._reception.background(self._store_file(keeper, answer))

    async def _store_file(self, keeper: BodyKeeper, answer: Callable[[Reply], None]) -> None:
        try:
            content = await keeper.finish()
        except (DiskFull, DiskFailed) as error:
            self._is_storing = False
            self.forget()
            answer(self._not_stored(error))
        else:
            self._submit(content, answer)

    def _submit(self, content: Content, answer: Callable[[Reply], None]) -> None:
        assert self._queue_id is not None
        assert self._peer is not None
        self._keeper = None  # from here on it is the store's
        for_owner = self._way is Way.OWNER
        recipients = self._reception.config.owner if for_owner else tuple(self._recipients)
        arrival = Arrival(
            queue_id=self._queue_id,
            lane=Lane.OWN if self._way in (Way.OWNER, Way.INSIDE) else Lane.RELAY,
            envelope=Envelope(self.sender, recipients, self._eight_bit, self._utf8_of(recipients)),
            peer=self._peer,
            arrived_ms=self._reception.clock.now_ms(),
            content=content,
            unverified=frozenset(self._unverified),
        )
        stored = asyncio.ensure_future(self._reception.intake.accept(arrival))
        stored.add_done_callback(lambda done: answer(self._stored(arrival, done)))

    def _utf8_of(self, recipients: tuple[Mailbox, ...]) -> Utf8:
        if self.sender.needs_utf8 or any(recipient.needs_utf8 for recipient in recipients):
            return Utf8.NEEDED
        if self._header is None:
            return Utf8.NONE
        return Utf8.NEEDED if self._header.has_utf8 else Utf8.SAID

    def _stored(self, arrival: Arrival, stored: asyncio.Future[None]) -> Reply:
        error = stored.exception()
        self._is_storing = False
        self.forget()  # now what is stored says it
        if error is None:
            self._reception.log.accepted(arrival)
            self._reception.arrived()
            return Reply.of(250, "2.0.0", f"Ok: queued as {queue_id_text(arrival.queue_id)}")
        # After a failed sync the row may be there: then the file is its content, and else it is swept.
        if isinstance(arrival.content, InFile) and not isinstance(error, DiskFailed):
            self._reception.background(self._remove_file(arrival.content.name))
        return self._not_stored(error)

    async def _remove_file(self, name: str) -> None:
        await self._reception.work.run(lambda: self._reception.disk.remove(name))

    def _not_stored(self, error: BaseException) -> Reply:
        if not isinstance(error, StoreFull | StoreUnavailable | DiskFull):
            # Nobody knows any more what the disk holds, or there is a mistake of ours: the role ends.
            self._reception.failed(error)
        full = isinstance(error, StoreFull | DiskFull)
        reply, reason = (STORE_FULL, "store-full") if full else (STORE_BUSY, "store-unavailable")
        self.log_refusal(reply, reason)
        return reply

    def log_refusal(self, reply: Reply, reason: str) -> None:
        """Of a message whose body we have seen."""
        for recipient in self._recipients:
            self._reception.refusals.count(recipient.domain, reply)
        assert self._queue_id is not None
        assert self._lines is not None
        self._lines.not_accepted(self._queue_id, reply, reason)

    def log_newlines(self, newlines: int) -> None:
        assert self._queue_id is not None
        assert self._lines is not None
        self._lines.normalized(self._queue_id, newlines)
