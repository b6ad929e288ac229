"""Import a list of readers, line by line, as its report announced.

A reader who is active in the list becomes pending, unless the owner says where and when they
agreed. Those who left there are left here, those who bounced or complained are suppressed, and
lines that are not understood are skipped. A list can take a reader away but never brings back one
who left here. Our own export restores each reader's state as it was.

The import runs in batches, so that mail is delivered meanwhile and memory does not grow with the
list. A batch is read only after the one before is written, never beside it: the thread that holds
the store's lock would have to wait for the thread that reads.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.subscriber import Consent, SubscriberId, SubscriberState, subscriber_key
from secondpost.mail.subscriber_states import Reason
from secondpost.store.subscriber_ports import BATCH_READERS_MAX, HashedSuppression, Imported, Subscribers
from secondpost.subscribers.import_report import ImportProgress, ImportReport, ImportTally
from secondpost.subscribers.list_report import ListReport, PartReport
from secondpost.subscribers.list_rows import BadRow, HashRow, ListRow, OwnRow, ReaderRow, RowVerdict, checked
from secondpost.subscribers.own_export import OwnColumns
from secondpost.world.ports import Clock

EVIDENCE_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class ListImport:
    subscribers: Subscribers
    clock: Clock
    ids: QueueIds
    arrived: Callable[[], None]  # called when there are confirmations to send
    own: frozenset[Domain]  # this server's own domains, which have no readers

    async def run(
        self,
        newsletter: str,
        source: str,
        report: ListReport,
        confirmed: str | None,
        invites: bool,
        progress: ImportProgress,
    ) -> ImportReport:
        """Import the list that `report` describes, calling `progress` after each batch.

        `source` names the list, such as its file; `confirmed` says where and when the readers
        agreed, and makes them active; `invites` sends each of the others one mail that asks to
        confirm. Raises ValueError when `confirmed` is blank or the report stops the import.
        """
        if confirmed is not None and len(confirmed.strip()) == 0:
            raise ValueError("say where and when they agreed")
        if report.stops:
            raise ValueError("the list has a word in doubt")
        bringing = _Bringing(self, newsletter, source, confirmed, invites, self.clock.now_ms())
        for part in report.parts:
            for row in self._rows(part, newsletter):
                if bringing.take(row):
                    await bringing.write()
                    progress(bringing.tally.report())
        await bringing.write()
        if bringing.tally.hashes > 0:
            await self._recognise()
        done = bringing.tally.report()
        progress(done)
        return done

    def _rows(self, report: PartReport, newsletter: str) -> Iterator[ListRow]:
        own = OwnColumns.of(newsletter, report.part.head) if report.is_own else None
        now_ms = self.clock.now_ms()
        for record in report.part.records():
            if isinstance(record, BadRow):
                yield record
                continue
            line, cells = record
            row = report.columns.row(line, cells) if own is None else own.row(line, cells, now_ms)
            yield checked(row, self.own)

    async def _recognise(self) -> None:
        """Check whether imported hashes belong to readers we have."""
        after: SubscriberId | None = None
        while (after := await self.subscribers.recognise(after, BATCH_READERS_MAX)) is not None:
            pass


@dataclass(slots=True)
class _Bringing:
    """One import in progress."""

    by: ListImport
    newsletter: str
    source: str
    confirmed: str | None
    invites: bool
    started_ms: int
    tally: ImportTally = field(default_factory=ImportTally)
    _batch: dict[str, ReaderRow | OwnRow] = field(default_factory=dict)
    _hashed: list[HashedSuppression] = field(default_factory=list)

    def take(self, row: ListRow) -> bool:
        """Add a row to the batch; True when the batch is full."""
        match row:
            case BadRow():
                self.tally.count_bad(row)
            case HashRow():
                self.tally.hashes += 1
                self._hashed.extend(row.suppressions)
            case ReaderRow(verdict=RowVerdict.UNCLEAR):
                self.tally.unclear += 1
            case _:
                self._put(subscriber_key(row.mailbox), row)
        # One hash line may hold two suppressions.
        return len(self._batch) == BATCH_READERS_MAX or len(self._hashed) >= BATCH_READERS_MAX - 1

    def _put(self, key: str, row: ReaderRow | OwnRow) -> None:
        """Keep the stronger of two rows for one address; the store does the same across batches."""
        before = self._batch.get(key)
        if before is not None:
            self.tally.known += 1
            if _strength(row) <= _strength(before):
                return
        self._batch[key] = row

    async def write(self) -> None:
        rows = list(self._batch.values())
        self._batch.clear()
        await self._suppress([row for row in rows if _is_suppressed(row)])
        lines = [self._line(row) for row in rows if not _is_suppressed(row)]
        if len(lines) > 0:
            await self._bring_in(lines)
        if len(self._hashed) > 0:
            await self.by.subscribers.suppress_hashes(self._hashed)
            self._hashed.clear()

    async def _suppress(self, rows: list[ReaderRow | OwnRow]) -> None:
        said: dict[tuple[Reason, str], list[Mailbox]] = {}
        for row in rows:
            if isinstance(row, ReaderRow):
                evidence = f"{self.source}: {row.said}"[:EVIDENCE_CHARACTERS_MAX]
                said.setdefault((row.reason, evidence), []).append(row.mailbox)
        for (reason, evidence), mailboxes in said.items():
            now_ms = self.by.clock.now_ms()
            new = await self.by.subscribers.suppress(self.newsletter, mailboxes, reason, now_ms, evidence)
            self.tally.gone += new
            self.tally.suppressed += len(mailboxes) - new
            # A suppressed address is not added, but an existing reader with it must stop getting
            # mail.
            lines = [Imported(mailbox, state=SubscriberState.LEFT) for mailbox in mailboxes]
            await self.by.subscribers.import_batch(self.newsletter, lines, SubscriberState.LEFT, None, now_ms)

    def _line(self, row: ReaderRow | OwnRow) -> Imported:
        if isinstance(row, OwnRow):
            return self._own_line(row)
        is_active = row.verdict is RowVerdict.ACTIVE and self.confirmed is not None
        state = SubscriberState.PENDING
        if row.verdict is RowVerdict.LEFT:
            state = SubscriberState.LEFT
        elif is_active:
            state = SubscriberState.ACTIVE
        return Imported(
            row.mailbox,
            row.attributes,
            state,
            self._consent(row, is_active),
            _past(row.created_ms, self.started_ms),
            _past(row.left_ms, self.started_ms),
        )

    def _own_line(self, row: OwnRow) -> Imported:
        state = row.state
        if state is SubscriberState.ACTIVE and row.consent is None and self.confirmed is None:
            state = SubscriberState.PENDING
        return Imported(
            row.mailbox,
            row.attributes,
            state,
            row.consent,
            _past(row.created_ms, self.started_ms),
            _past(row.since_ms, self.started_ms),
            row.suppressions,
        )

    def _consent(self, row: ReaderRow, is_active: bool) -> Consent | None:
        """The consent that the list states for this reader; None where only the owner's word for
        all holds.
        """
        agreed = row.agreed
        if agreed is None or (not is_active and agreed.at_ms is None and agreed.where == ""):
            return None
        owner = self.confirmed if is_active and self.confirmed is not None else ""
        at_ms = _past(agreed.at_ms, self.started_ms)
        return Consent(
            where=agreed.where if agreed.where != "" else owner,
            how="import",
            text=self.source,
            at_ms=self.started_ms if at_ms is None else at_ms,
            address_prefix=agreed.prefix,
        )

    async def _bring_in(self, lines: list[Imported]) -> None:
        now_ms = self.by.clock.now_ms()
        shared = None
        if self.confirmed is not None:
            shared = Consent(self.confirmed, how="import", text=self.source, at_ms=self.started_ms)
        messages = [self.by.ids.next(now_ms) for _ in lines] if self.invites else []
        count = await self.by.subscribers.import_batch(
            self.newsletter, lines, SubscriberState.PENDING, shared, now_ms, messages
        )
        self.tally.added += count.added
        self.tally.confirmed += count.confirmed
        self.tally.known += count.known
        self.tally.suppressed += count.suppressed
        self.tally.left += count.left
        self.tally.asked += count.asked
        if count.asked > 0:
            self.by.arrived()


def _strength(row: ReaderRow | OwnRow) -> RowVerdict:
    if isinstance(row, ReaderRow):
        return row.verdict
    match row.state:
        case SubscriberState.ACTIVE:
            return RowVerdict.ACTIVE
        case SubscriberState.PENDING:
            return RowVerdict.PENDING
        case SubscriberState.LEFT:
            return RowVerdict.LEFT
        case SubscriberState.SUSPENDED | SubscriberState.COMPLAINED:
            return RowVerdict.SUPPRESSED


def _is_suppressed(row: ReaderRow | OwnRow) -> bool:
    return isinstance(row, ReaderRow) and row.verdict is RowVerdict.SUPPRESSED


def _past(at_ms: int | None, now_ms: int) -> int | None:
    """A time from the list, in milliseconds; times in the future are ignored."""
    return None if at_ms is None or at_ms > now_ms else at_ms
