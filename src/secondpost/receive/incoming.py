"""One message from DATA to the spool.

Methods return the reply for the client; the conversation decides when to send it.
"""

from collections.abc import Callable, Coroutine

from secondpost.mail.address import Mailbox
from secondpost.mail.arrivals import NotedMail
from secondpost.mail.authentication import NO_NOTE, Authentication
from secondpost.mail.content import Content
from secondpost.mail.envelope import Arrival, Envelope, Lane, Peer, Utf8
from secondpost.mail.metrics import NO_TLS, Metric
from secondpost.mail.queue_id import queue_id_text
from secondpost.mail.reply import Reply
from secondpost.mail.verdict import VERDICTS, Accept, Destination
from secondpost.policy.domains import takers_of_own_mail
from secondpost.policy.known import AtContent
from secondpost.policy.stages import judge
from secondpost.protocols.mime.arriving_header import HeaderTooLarge
from secondpost.protocols.mime.utf8_header import HeaderLook
from secondpost.protocols.smtp.server_events import BodyEnd
from secondpost.receive.authenticating import MessageCheck
from secondpost.receive.body import BodyKeeper
from secondpost.receive.envelope import OpenEnvelope
from secondpost.receive.trace import date_time, received_line
from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.world.asking import drive
from secondpost.world.ports import DiskFull

STORE_BUSY = Reply.of(451, "4.3.0", "The queue cannot take it now; try again later")
HEADER_TOO_LARGE = Reply.of(552, "5.3.4", "The header of the message is too large")
STORE_FULL = Reply.of(452, "4.3.1", "Not enough disk space here now; try again later")


class Incoming:
    """`drained`: called when more of the body can be kept; `failed`: called with an error of the
    disk.
    """

    def __init__(
        self,
        envelope: OpenEnvelope,
        peer: Peer,
        drained: Callable[[], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._envelope = envelope
        self._reception = reception = envelope.reception
        self._peer = peer
        self._note = NO_NOTE
        self._header = HeaderLook() if envelope.mail.utf8 else None
        now_ms = reception.clock.now_ms()
        self._queue_id = queue_id = reception.ids.next(now_ms)
        recipients, date = tuple(envelope.recipients), date_time(now_ms)
        self._prefix = received_line(peer, reception.config.hostname, queue_id, recipients, date)
        name = f"{reception.ids.worker}-{queue_id_text(queue_id)}"
        self._keeper = BodyKeeper(reception.disk, reception.work, name, drained=drained, failed=failed)
        check = envelope.sender_check
        self._check = None if check is None else MessageCheck(check, is_sealed=envelope.is_sealed)
        self._is_storing = False

    @property
    def octets(self) -> int:
        """Octets of the body received and kept."""
        return self._keeper.kept

    @property
    def _size(self) -> int:
        """Octets received so far, with what we add."""
        return len(self._prefix) + self._keeper.size

    @property
    def is_for_people_here(self) -> bool:
        return self._envelope.is_for_people_here

    @property
    def must_pause(self) -> bool:
        return self._keeper.is_full

    def add(self, data: bytes) -> Reply | None:
        """Keep a piece of the body. A reply is a refusal: no more of the body is wanted."""
        keeper = self._keeper
        if keeper.is_forgotten:
            return None
        if self._header is not None:
            self._header.add(data)
        if self._check is None:
            keeper.add(data)
        else:
            try:
                self._keep(self._check.read(data))
            except HeaderTooLarge:
                return HEADER_TOO_LARGE
        self._envelope.part.grow(self._size, keeper.saved)
        verdict = self._reception.under_way.judge_growth(len(data), self._reception.free)
        return None if isinstance(verdict, Accept) else verdict.reply

    def _keep(self, data: bytes) -> None:
        if len(data) > 0:
            self._keeper.add(data)

    def forget(self) -> None:
        """Drop the message, as it is refused or its client is gone; one being stored is finished
        first.
        """
        if self._is_storing:
            return
        self._envelope.end()
        removing = self._keeper.forget()
        if removing is not None:
            self._reception.background(removing)

    # ------------------------------------------------------------ into the spool

    def take(self, end: BodyEnd) -> Coroutine[None, None, Reply]:
        """Decide about the complete message and store it, even if the connection ends. Returns the
        reply.

        From this call on, not only from the await, `forget` leaves the message alone.
        """
        self._is_storing = True
        return self._take(end)

    async def _take(self, end: BodyEnd) -> Reply:
        reception, recipients = self._reception, self._recipients
        utf8 = self._utf8_of(recipients)
        try:
            found = None if self._check is None else await self._authenticated(self._check)
            verdict = judge(reception.stages.content, self._at_content(end, utf8, found))
            if not isinstance(verdict, VERDICTS):
                verdict = await drive(verdict, reception.answerer)
            if not isinstance(verdict, Accept):
                self._log_refusal(verdict.reply, verdict.reason)
                return verdict.reply
            self._envelope.part.become_whole(self._size, self._keeper.saved)
            arrival = self._arrival(recipients, utf8, await self._keeper.finish())
            await reception.spool.accept(arrival)
        except Exception as error:  # noqa: BLE001  a bug ends the role, but the client first gets a reply
            return self._not_stored(error)
        finally:
            self._is_storing = False
            self.forget()  # now the store counts its octets, or it was refused
        if arrival.lane is Lane.RELAY:
            reception.arrivals.note(_noted(arrival, found))
        version, _, _ = self._peer.tls.partition(" ")
        reception.tally.count(Metric.ACCEPTED, arrival.lane, version or NO_TLS)
        reception.tally.count(Metric.ACCEPTED_OCTETS, arrival.lane, many=arrival.size)
        return Reply.of(250, "2.0.0", f"Ok: queued as {queue_id_text(self._queue_id)}")

    async def _authenticated(self, check: MessageCheck) -> Authentication:
        """Find out who sent it, and add the field that says so below our Received field."""
        self._keep(check.rest())
        if check.forged > 0:
            self._envelope.lines.forged_results(self._queue_id, check.forged)
        found, self._note = await check.found()
        self._prefix += f"Authentication-Results: {self._note.results}\r\n".encode()
        return found

    @property
    def _recipients(self) -> tuple[Mailbox, ...]:
        for_owner = self._envelope.way is Destination.OWNER
        return takers_of_own_mail(self._reception.config) if for_owner else tuple(self._envelope.recipients)

    def _at_content(self, end: BodyEnd, utf8: Utf8, found: Authentication | None) -> AtContent:
        envelope, offers = self._envelope, self._reception.offers
        return AtContent(
            mail=envelope.mail,
            backups=tuple(envelope.backups.values()),
            offered=tuple(map(offers.of, envelope.backups)),
            unverified=envelope.unverified_domains,
            size=end.size,
            size_passed_on=self._size,
            received_fields=end.received_fields,
            utf8=utf8,
            authentication=found,
        )

    def _arrival(self, recipients: tuple[Mailbox, ...], utf8: Utf8, content: Content) -> Arrival:
        envelope = self._envelope
        return Arrival(
            queue_id=self._queue_id,
            lane=Lane.OWN if envelope.way in (Destination.OWNER, Destination.INSIDE) else Lane.RELAY,
            envelope=Envelope(envelope.mail.sender, recipients, envelope.mail.eight_bit, utf8),
            peer=self._peer,
            arrived_ms=self._reception.clock.now_ms(),
            content=content,
            unverified=frozenset(envelope.unverified),
            prefix=self._prefix,
            authentication=self._note,
        )

    def _utf8_of(self, recipients: tuple[Mailbox, ...]) -> Utf8:
        if self._envelope.mail.sender.needs_utf8 or any(recipient.needs_utf8 for recipient in recipients):
            return Utf8.NEEDED
        if self._header is None:
            return Utf8.NONE
        return Utf8.NEEDED if self._header.has_utf8 else Utf8.SAID

    def _not_stored(self, error: Exception) -> Reply:
        if not isinstance(error, StoreFull | StoreUnavailable | DiskFull):
            # The disk's state is unknown, or this is an internal error: the role ends.
            self._reception.failed(error)
        full = isinstance(error, StoreFull | DiskFull)
        reply, reason = (STORE_FULL, "store-full") if full else (STORE_BUSY, "store-unavailable")
        self._log_refusal(reply, reason)
        return reply

    def _log_refusal(self, reply: Reply, reason: str) -> None:
        for recipient in self._envelope.recipients:
            self._reception.refusals.count(recipient.domain, reply)
        self._envelope.lines.not_accepted(self._queue_id, reply, reason)

    def log_newlines(self, newlines: int) -> None:
        self._envelope.lines.normalized(self._queue_id, newlines)


def _noted(arrival: Arrival, found: Authentication | None) -> NotedMail:
    recipients = arrival.envelope.recipients
    known = frozenset(one.domain for one in recipients if one not in arrival.unverified)
    unknown = frozenset(one.domain for one in recipients) - known
    return NotedMail(arrival.queue_id, arrival.arrived_ms, arrival.peer.address, found, known, unknown)
