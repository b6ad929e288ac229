"""The rounds in which the deliver role writes down what stands in all processes, and sends the owner
what is due.

It runs in the deliver role, the only one that every service has and that may see the mail.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Protocol
from zoneinfo import ZoneInfo

from secondpost.compose.alarm_mail import alarm_subject, alarm_text
from secondpost.compose.own_mail import OwnHeading, own_arrival, own_message
from secondpost.compose.report_mail import Figures, report_subject, report_text
from secondpost.config.records import Config
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.daily import day_of
from secondpost.mail.duration import DAY_MS
from secondpost.mail.envelope import Arrival
from secondpost.mail.owner_notice import AlarmRecord, Notice, NoticeChannel, ReportKind
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.protocols.alarm_statements import stated
from secondpost.store.alarm_ports import AlarmsKeeping
from secondpost.store.owner_ports import Desk
from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.watch.noted import noted
from secondpost.watch.notices import NoticeDue, notices_due
from secondpost.watch.posts import posts_of
from secondpost.watch.reports import ReportDue, ReportsBegin, report_due
from secondpost.watch.roads import reachable_owners
from secondpost.watch.roll import AlarmRoll
from secondpost.world.ports import Clock

OWN_PLACE = 0  # of this process in the roll; connections count from 1
OWN_ROLE = "deliver"
REST_SECONDS = 0.5  # after a round, whatever changes
NOTICES_KEPT_MS = 31 * DAY_MS


class AlarmsStore(AlarmsKeeping, Desk, Protocol):
    """Alarms, and the figures of a report."""


@dataclass(frozen=True, slots=True)
class MailToOwner:
    """Makes mails to the owner. `sign` puts a signature in front of a message dated then."""

    config: Config
    ids: QueueIds
    sign: Callable[[bytes, int], bytes]
    store: AlarmsKeeping

    async def mail(self, subject: Callable[[OwnHeading], str], text: str, now_ms: int) -> Arrival:
        owners = reachable_owners(self.config, await self.store.domains_down())
        heading = OwnHeading(self.config.hostname, owners, self.ids.next(now_ms), now_ms)
        message = own_message(heading, subject(heading), text)
        return own_arrival(heading, self.sign(message, now_ms))


def free_times(now_ms: int, taken: Set[int]) -> Iterator[int]:
    """Times from now on, without those taken."""
    return (at_ms for at_ms in count(now_ms) if at_ms not in taken)


class AlarmDesk:
    def __init__(
        self,
        config: Config,
        store: AlarmsStore,
        clock: Clock,
        roll: AlarmRoll,
        alarms: StandingAlarms,
        own_mail: MailToOwner,
        newsletters: Callable[[], Awaitable[Sequence[str]]],
        sent: Callable[[], None],
    ) -> None:
        """`alarms`: those of this process. `newsletters`: a line about each, for reports. `sent` is
        called when there is new mail to deliver.
        """
        self._config = config
        self._store = store
        self._clock = clock
        self._roll = roll
        self._alarms = alarms
        self._own_mail = own_mail
        self._newsletters = newsletters
        self._sent = sent
        self._zone = ZoneInfo(config.alarms.timezone)
        self._channels = (
            (NoticeChannel.MAIL,)
            if config.alarms.webhook is None
            else (NoticeChannel.MAIL, NoticeChannel.WEBHOOK)
        )
        self._due = asyncio.Event()
        alarms.notify(self.changed)

    def changed(self) -> None:
        """An alarm began or ended in some process: look soon."""
        self._due.set()

    async def run(self, look_seconds: float) -> None:
        """Look every `look_seconds`, and soon after a change, until cancelled."""
        while True:
            self._due.clear()
            try:
                await self.look()
            except (StoreUnavailable, StoreFull) as error:
                self._alarms.begin(AlarmKind.HOUSEKEEPING_WAITS, "", str(error))
            await asyncio.sleep(REST_SECONDS)
            try:
                async with asyncio.timeout(look_seconds):
                    await self._due.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """One round. Raises StoreUnavailable and StoreFull; the next round does what is left."""
        now_ms = self._clock.now_ms()
        own = stated(OWN_ROLE, self._alarms.standing(), self._alarms.ended())
        self._roll.heard(OWN_PLACE, own)
        records = await self._write(now_ms)
        sent = await self._store.sent_notices()
        for channel in self._channels:
            # Each has a time of its own, also after the clock was set back to that of an earlier one.
            free = free_times(now_ms, {one.at_ms for one in sent if one.channel is channel})
            for due, at_ms in zip(notices_due(channel, records, sent, now_ms), free, strict=False):
                await self._give(channel, due, at_ms)
        for kind in ReportKind:
            await self._report(kind, records, now_ms)
        if len(sent) > 0 and sent[0].at_ms < now_ms - NOTICES_KEPT_MS:
            await self._store.forget_notices(now_ms - NOTICES_KEPT_MS)

    async def _write(self, now_ms: int) -> Sequence[AlarmRecord]:
        records = await self._store.alarms()
        gone = self._roll.gone
        found = noted(records, self._roll.states(), now_ms)
        if not found.is_nothing:
            await self._store.note_alarms(found.begun, found.changed, found.gone)
            records = await self._store.alarms()
        self._roll.noted(gone)
        return records

    async def _give(self, channel: NoticeChannel, due: NoticeDue, now_ms: int) -> None:
        match channel:
            case NoticeChannel.MAIL:
                mail = await self._mail(due.notices, now_ms)
                if await self._store.give_notice(due.batch, due.notices, due.roles, now_ms, mail=mail):
                    self._sent()
            case NoticeChannel.WEBHOOK:
                posts = posts_of(due.notices, self._config.hostname, now_ms)
                await self._store.give_notice(due.batch, due.notices, due.roles, now_ms, posts=posts)

    async def _report(self, kind: ReportKind, records: Sequence[AlarmRecord], now_ms: int) -> None:
        last_ms = await self._store.report_slot(kind)
        match report_due(kind, self._config.alarms, last_ms, now_ms):
            case ReportsBegin():
                await self._store.give_report(kind, now_ms, last_ms, None)
            case ReportDue(slot_ms, days):
                standing = [record for record in records if record.ended_ms is None]
                text = report_text(kind, standing, await self._figures(days, now_ms), self._zone, now_ms)
                mail = await self._own_mail.mail(partial(report_subject, kind, standing), text, now_ms)
                if await self._store.give_report(kind, slot_ms, last_ms, mail):
                    self._sent()
            case None:
                return

    async def _figures(self, days: int, now_ms: int) -> Figures:
        counts, newsletters = await self._store.counts(), await self._newsletters()
        yesterday = day_of(now_ms) - 1
        day_counts = await self._store.day_counts(yesterday, days)
        attacks = await self._store.attacks(yesterday + 1 - days)
        before_today = [attack for attack in attacks if attack.day <= yesterday]
        return Figures(counts, days, day_counts, newsletters, before_today)

    async def _mail(self, notices: Sequence[Notice], now_ms: int) -> Arrival:
        text = alarm_text(notices, self._zone)
        return await self._own_mail.mail(lambda heading: alarm_subject(heading, notices), text, now_ms)
