"""Messages that wait because we cannot read or understand them, and the alarms about them.

There is one alarm for all messages of a kind, since any sender can send many. A message counts
until its delivery ends, or until it has not been tried for longer than the schedule ever waits:
then the owner dropped it, or its site is down.
"""

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import DeliveryId
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.queue_id import QueueId
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.spool.schedule import JITTER, WAIT_MS_MAX
from secondpost.world.ports import Clock

UNTRIED_MS = int(WAIT_MS_MAX * (1 + JITTER)) + HOUR_MS
MESSAGES_MAX = 1_000  # of one kind; further ones are counted once these are gone
ALL_MAIL = ""


class StuckMail:
    def __init__(self, clock: Clock, alarms: StandingAlarms) -> None:
        self._clock = clock
        self._alarms = alarms
        # By kind and message: when it was last tried.
        self._tried_ms: dict[AlarmKind, dict[QueueId, int]] = {}

    @property
    def has_any(self) -> bool:
        return len(self._tried_ms) > 0

    def add(self, kind: AlarmKind, id: DeliveryId, why: str) -> None:
        tried_ms = self._tried_ms.setdefault(kind, {})
        if id.queue_id in tried_ms or len(tried_ms) < MESSAGES_MAX:
            tried_ms[id.queue_id] = self._clock.now_ms()
        others = len(tried_ms) - (id.queue_id in tried_ms)
        more = "" if others == 0 else f"; {others} more wait"
        self._alarms.begin(kind, ALL_MAIL, f"{id}: {why}{more}")

    def ended(self, id: QueueId) -> None:
        """Take note that a delivery has ended."""
        for kind in tuple(self._tried_ms):
            self._tried_ms[kind].pop(id, None)
            self._end_if_none(kind)

    def look(self) -> None:
        """Forget messages that are not tried any more."""
        before_ms = self._clock.now_ms() - UNTRIED_MS
        for kind, tried_ms in tuple(self._tried_ms.items()):
            for id in [id for id, at_ms in tried_ms.items() if at_ms < before_ms]:
                del tried_ms[id]
            self._end_if_none(kind)

    def _end_if_none(self, kind: AlarmKind) -> None:
        if len(self._tried_ms[kind]) == 0:
            del self._tried_ms[kind]
            self._alarms.end(kind, ALL_MAIL)
