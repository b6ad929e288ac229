"""The alarm about a role that died: it ends once the role has run for a while."""

import asyncio

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import StandingAlarms

HEALTHY_SECONDS = 60.0  # such a role starts again with the first pause, too


class RoleHealth:
    def __init__(self, role: str, alarms: StandingAlarms) -> None:
        self._role = role
        self._alarms = alarms
        self._timer: asyncio.TimerHandle | None = None

    def started(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(HEALTHY_SECONDS, self._healthy)

    def died(self, detail: str) -> None:
        self.stopped()
        self._alarms.begin(AlarmKind.ROLE_DIED, self._role, detail)

    def stopped(self) -> None:
        """The role ended because the service does."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _healthy(self) -> None:
        self._timer = None
        self._alarms.end(AlarmKind.ROLE_DIED, self._role)
