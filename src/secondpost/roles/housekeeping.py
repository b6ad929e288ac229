"""The deliver role's periodic work on the stores."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial

from secondpost.deliver.copy_alarm import CopyAlarm
from secondpost.deliver.disk_alarms import DiskAlarms, fillings
from secondpost.deliver.outages import OutageAlarms
from secondpost.deliver.refused import RefusedMail
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.attack import ATTACKS_KEPT_MS
from secondpost.mail.daily import day_of
from secondpost.mail.duration import DAY_MS
from secondpost.maillog import MailLog
from secondpost.receive.knowledge import KNOWN_KEPT_MS, UNKNOWN_FRESH_MS
from secondpost.receive.proven import PROVEN_MS
from secondpost.roles.certificate_look import certificate_look
from secondpost.roles.parts import Parts, opened
from secondpost.spool.free_room import free_octets
from secondpost.store.copy_ports import CopyNotice
from secondpost.store.newsletter_store_ports import NewsletterKeeping
from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.world.background import Background
from secondpost.world.ports import Clock, DiskFull

CHECKPOINT_SECONDS_BUSY = 0.25
LEARNED_MAX = 200_000  # recipients; guessed addresses outnumber real ones
HISTORY_MS = 14 * DAY_MS  # how long `trace` shows ended deliveries
PRIMARY_MS = 31 * DAY_MS  # records of a primary no longer used
PENDING_MS = 14 * DAY_MS  # how long a sign-up waits for confirmation
PROVIDER_DAYS_MS = 400 * DAY_MS  # how long counts of mail to providers are kept
ISSUE_ROWS_MS = 365 * DAY_MS  # how long an issue's deliveries are kept


class Housekeeping:
    """Checkpoints the write-ahead logs, deletes old rows, and watches disk space."""

    def __init__(
        self,
        parts: Parts,
        readers: NewsletterKeeping | None,
        clock: Clock,
        log: MailLog,
        look_for_catch_alls: Callable[[], Coroutine[None, None, None]],
        background: Background,
    ) -> None:
        self._config = parts.config
        self._disk = parts.world.disk
        self._rhythms = parts.rhythms
        self._store = opened(parts.mail)
        self._reader_store = readers
        self._clock = clock
        self._alarms = parts.alarms
        self._look_for_catch_alls = look_for_catch_alls
        self._background = background
        self._stock = DiskAlarms(parts.alarms)
        self._certificate = certificate_look(
            self._config, parts.world.work, clock, parts.alarms, parts.open_file, parts.tally
        )
        self._outages = OutageAlarms(self._config, self._store, clock, parts.alarms)
        self._copy = CopyAlarm(_kept_in(self._store, readers), parts.alarms)
        free = partial(free_octets, self._disk, self._config.reserve)
        self._refused = RefusedMail(self._config, self._store, clock, log, free)

    def start(self) -> None:
        rhythms = self._rhythms
        for seconds, work in (
            (rhythms.checkpoint_seconds, self._checkpoint),
            (rhythms.witness_seconds, self._advance_epochs),
            (rhythms.copy_seconds, self._copy.look),
            (rhythms.prune_seconds, self._prune),
            (rhythms.catch_all_seconds, self._look_for_catch_alls),
            (rhythms.refused_seconds, self._refused.end),
            (rhythms.stock_seconds, self._look_at_stock),
            (rhythms.certificate_seconds, self._certificate),
        ):
            self._background(self._every(seconds, work))
        self._background(self._certificate())  # these also at once
        self._background(self._copy.look())
        self._background(self._advance_epochs())

    async def _every(self, seconds: float, work: Callable[[], Coroutine[None, None, None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except (StoreUnavailable, StoreFull) as error:
                self._alarms.begin(AlarmKind.HOUSEKEEPING_WAITS, "", str(error))

    async def _checkpoint(self) -> None:
        """Copy the logs in small pieces: a large one delays every sync of the disk."""
        while await self._copy_logs() > 0:
            await asyncio.sleep(CHECKPOINT_SECONDS_BUSY)

    async def _copy_logs(self) -> int:
        copied = await self._store.checkpoint()
        return copied if self._reader_store is None else copied + await self._reader_store.checkpoint()

    async def _advance_epochs(self) -> None:
        try:
            await self._store.advance_epoch()
            if self._reader_store is not None:
                await self._reader_store.advance_epoch()
        except DiskFull as error:  # in the database it has risen: the file follows the next time
            self._alarms.begin(AlarmKind.HOUSEKEEPING_WAITS, "", str(error))

    async def _look_at_stock(self) -> None:
        free = free_octets(self._disk, self._config.reserve)
        counts = await self._store.counts()
        self._stock.look(fillings(self._config, counts, free))
        await self._outages.look(counts)

    async def _prune(self) -> None:
        now_ms = self._clock.now_ms()
        while await self._store.prune(now_ms - HISTORY_MS) > 0:
            pass
        while await self._store.forget_learned(now_ms - KNOWN_KEPT_MS, now_ms - UNKNOWN_FRESH_MS) > 0:
            pass
        while await self._store.bound_learned(LEARNED_MAX) > 0:
            pass
        while await self._store.forget_prefixes(now_ms - PROVEN_MS) > 0:
            pass
        while await self._store.forget_attacks(day_of(now_ms - ATTACKS_KEPT_MS)) > 0:
            pass
        await self._store.forget_primaries(now_ms - PRIMARY_MS)
        await self._store.forget_days(day_of(now_ms - HISTORY_MS))
        if self._reader_store is not None:
            await forget_readers(self._reader_store, now_ms)


def _kept_in(mail: CopyNotice, readers: CopyNotice | None) -> tuple[tuple[str, CopyNotice], ...]:
    found = (("mail", mail),)
    return found if readers is None else (*found, ("newsletter", readers))


async def forget_readers(store: NewsletterKeeping, now_ms: int) -> None:
    """Delete unconfirmed sign-ups, old confirmations, and the deliveries of old issues."""
    while await store.prune(now_ms - HISTORY_MS) > 0:
        pass
    while await store.forget_pending(now_ms - PENDING_MS) > 0:
        pass
    while await store.forget_rows(now_ms - ISSUE_ROWS_MS) > 0:
        pass
    await store.forget_provider_days(day_of(now_ms - PROVIDER_DAYS_MS))
