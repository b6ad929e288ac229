"""Drops mail that primaries refused: after `keep_refused`, or earlier if there is no room for it.

It is kept for the owner to look at, but mail that waits comes first. Its room is outside the quota,
and while the disk is below the reserve, each round drops half of it.
"""

from collections.abc import Callable

from secondpost.config.records import Backup, Config
from secondpost.mail.duration import duration_text
from secondpost.mail.size import size_text
from secondpost.maillog import MailLog
from secondpost.store.owner_ports import Refused
from secondpost.store.ports import Keeping
from secondpost.world.ports import Clock

SHRINKS_TO_PART = 2  # per round, while the disk is short
IN_ITS_TIME, NO_ROOM, DISK_SHORT = "keep-refused", "room", "reserve"  # words in the log


class RefusedMail:
    """`free`: octets on the disk beyond the reserve."""

    def __init__(
        self, config: Config, keeping: Keeping, clock: Clock, log: MailLog, free: Callable[[], int]
    ) -> None:
        self._config = config
        self._keeping = keeping
        self._clock = clock
        self._log = log
        self._free = free

    async def end(self) -> None:
        """Drop refused mail that is too old, then what exceeds its room."""
        for refused in await self._keeping.refused():
            backup = self._config.backup_of(refused.domain)
            await self._end_too_old(refused, backup)
            await self._end_too_much(refused, backup)

    async def _end_too_old(self, refused: Refused, backup: Backup) -> None:
        before_ms = self._clock.now_ms() - backup.keep_refused_ms
        if refused.oldest_ms < before_ms:
            detail = f"kept for {duration_text(backup.keep_refused_ms)} after the primary refused it"
            await self._drop(refused, before_ms, None, IN_ITS_TIME, detail)

    async def _end_too_much(self, refused: Refused, backup: Backup) -> None:
        room = backup.refused_octets_max
        if refused.octets > room:
            detail = f"refused by the primary, and of such mail no more than {size_text(room)} is kept"
            await self._drop(refused, self._clock.now_ms() + 1, room, NO_ROOM, detail)
        elif refused.octets > 0 and self._free() <= 0:
            left = refused.octets // SHRINKS_TO_PART
            detail = "refused by the primary, and the disk has less left than `reserve`"
            await self._drop(refused, self._clock.now_ms() + 1, left, DISK_SHORT, detail)

    async def _drop(
        self, refused: Refused, before_ms: int, octets_left: int | None, why: str, detail: str
    ) -> None:
        now_ms = self._clock.now_ms()
        deliveries = octets = 0
        while True:
            dropped = await self._keeping.drop_refused(refused.domain, before_ms, octets_left, now_ms, detail)
            if dropped.deliveries == 0:
                break
            deliveries += dropped.deliveries
            octets += dropped.octets
        if deliveries > 0:
            self._log.dropped(refused.domain, deliveries, octets, why)
