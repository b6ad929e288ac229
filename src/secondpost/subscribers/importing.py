"""Brings a list of readers in: pending unless somebody says where and when they agreed.

The suppressed stay suppressed, and those whom we know already stay as they are, but for those who only had
to say so: with a consent they are confirmed. Who is marked in the list as gone (unsubscribed, cleaned,
disabled) is suppressed. In batches, so that mail goes on meanwhile; a list of a million needs no more memory
than one of a hundred.

The next batch is read when the one before is written, never beside it: the thread that holds the store's lock
would have to wait for the one that reads.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.subscriber import Consent, SubscriberState, subscriber_key
from secondpost.store.subscriber_ports import BATCH_READERS_MAX, Imported, Reason, Subscribers
from secondpost.subscribers.lists import BadRow, Row, rows_of
from secondpost.subscribers.typed import NotAReader, check_reader
from secondpost.world.ports import Clock

BAD_ROWS_NAMED_MAX = 1_000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Every line is counted once. `bad` names the first BAD_ROWS_NAMED_MAX of `bad_count`."""

    added: int = 0
    confirmed: int = 0  # were pending, and are readers now
    known: int = 0  # readers already, or twice in the list
    suppressed: int = 0
    gone: int = 0  # the list says so; suppressed from now on, unless they have left here before
    bad_count: int = 0
    bad: tuple[BadRow, ...] = ()
    asked: int = 0  # beside that: a mail asks them to confirm
    unclear: int = 0  # beside that: the list says something of them that we do not understand

    @property
    def lines(self) -> int:
        return self.added + self.confirmed + self.known + self.suppressed + self.gone + self.bad_count


Progress = Callable[[ImportReport], None]


@dataclass(slots=True)
class _Tally:
    added: int = 0
    confirmed: int = 0
    known: int = 0
    suppressed: int = 0
    gone: int = 0
    bad_count: int = 0
    bad: list[BadRow] = field(default_factory=list)
    asked: int = 0
    unclear: int = 0

    def report(self) -> ImportReport:
        return ImportReport(
            self.added,
            self.confirmed,
            self.known,
            self.suppressed,
            self.gone,
            self.bad_count,
            tuple(self.bad),
            self.asked,
            self.unclear,
        )


@dataclass(frozen=True, slots=True)
class ListImport:
    subscribers: Subscribers
    clock: Clock
    ids: QueueIds
    arrived: Callable[[], None]  # there are confirmations to send
    own: frozenset[Domain]  # no reader is there

    async def run(
        self,
        newsletter: str,
        source: str,
        lines: Iterable[str],
        confirmed: str | None,
        invites: bool,
        progress: Progress,
    ) -> ImportReport:
        """`source` names the list, such as its file; `confirmed` says where and when they agreed, and makes
        them active; `invites` asks the others to confirm, each once. Raises NoList before anything
        was done, or ValueError when `confirmed` says nothing.
        """
        if confirmed is not None and len(confirmed.strip()) == 0:
            raise ValueError("say where and when they agreed")
        tally = _Tally()
        batch: dict[str, Row] = {}
        for read in rows_of(lines):
            row = self._checked(read)
            if isinstance(row, BadRow):
                tally.bad_count += 1
                if len(tally.bad) < BAD_ROWS_NAMED_MAX:
                    tally.bad.append(row)
                continue
            key = subscriber_key(row.mailbox)
            if key in batch:
                tally.known += 1
                # Whoever is marked as gone anywhere in the list is gone.
                if row.is_gone and not batch[key].is_gone:
                    batch[key] = row
                continue
            batch[key] = row
            if len(batch) == BATCH_READERS_MAX:
                await self._bring_in(newsletter, source, list(batch.values()), confirmed, invites, tally)
                batch.clear()
                progress(tally.report())
        await self._bring_in(newsletter, source, list(batch.values()), confirmed, invites, tally)
        report = tally.report()
        progress(report)
        return report

    def _checked(self, row: Row | BadRow) -> Row | BadRow:
        if isinstance(row, BadRow):
            return row
        try:
            check_reader(row.mailbox, self.own)
        except NotAReader as fault:
            return BadRow(row.line, str(fault))
        return row

    async def _bring_in(
        self,
        newsletter: str,
        source: str,
        rows: list[Row],
        confirmed: str | None,
        invites: bool,
        tally: _Tally,
    ) -> None:
        now_ms = self.clock.now_ms()
        gone = [row.mailbox for row in rows if row.is_gone]
        tally.gone += len(gone)
        # Who has left here is left already, and may come back by a double opt-in of their own.
        gone = [mailbox for mailbox in gone if not self._has_left(newsletter, mailbox)]
        if len(gone) > 0:
            await self.subscribers.suppress(newsletter, gone, Reason.IMPORTED, now_ms, source)
        wanted = [row for row in rows if not row.is_gone]
        tally.unclear += sum(row.is_unclear for row in wanted)
        agreed = [row for row in wanted if confirmed is not None and not row.is_waiting]
        if confirmed is not None and len(agreed) > 0:
            consent = Consent(where=confirmed, how="import", text=source, at_ms=now_ms)
            await self._add(newsletter, agreed, SubscriberState.ACTIVE, consent, False, tally)
        others = [row for row in wanted if confirmed is None or row.is_waiting]
        if len(others) > 0:
            await self._add(newsletter, others, SubscriberState.PENDING, None, invites, tally)

    def _has_left(self, newsletter: str, mailbox: Mailbox) -> bool:
        known = self.subscribers.find(newsletter, mailbox)
        return known is not None and known.state is SubscriberState.LEFT

    async def _add(
        self,
        newsletter: str,
        rows: list[Row],
        state: SubscriberState,
        consent: Consent | None,
        invites: bool,
        tally: _Tally,
    ) -> None:
        now_ms = self.clock.now_ms()
        messages = [self.ids.next(now_ms) for _ in rows] if invites else []
        imported = [Imported(row.mailbox, row.attributes) for row in rows]
        count = await self.subscribers.import_batch(newsletter, imported, state, consent, now_ms, messages)
        tally.added += count.added
        tally.confirmed += count.confirmed
        tally.known += count.known
        tally.suppressed += count.suppressed
        tally.asked += count.asked
        if count.asked > 0:
            self.arrived()


@dataclass(frozen=True, slots=True)
class SuppressReport:
    lines: int
    suppressed: int  # were not before
    bad: tuple[BadRow, ...]


async def suppress_list(
    subscribers: Subscribers, clock: Clock, newsletter: str, source: str, lines: Iterable[str]
) -> SuppressReport:
    """A list of those who are to get nothing; `newsletter` "" means from any. Raises NoList."""
    count = suppressed = 0
    bad: list[BadRow] = []
    batch: list[Mailbox] = []
    for row in rows_of(lines):
        count += 1
        if isinstance(row, BadRow):
            bad.append(row)
            continue
        batch.append(row.mailbox)
        if len(batch) == BATCH_READERS_MAX:
            suppressed += await _suppress(subscribers, clock, newsletter, source, batch)
            batch = []
    if len(batch) > 0:
        suppressed += await _suppress(subscribers, clock, newsletter, source, batch)
    return SuppressReport(count, suppressed, tuple(bad[:BAD_ROWS_NAMED_MAX]))


async def _suppress(
    subscribers: Subscribers, clock: Clock, newsletter: str, source: str, batch: list[Mailbox]
) -> int:
    return await subscribers.suppress(newsletter, batch, Reason.IMPORTED, clock.now_ms(), source)
