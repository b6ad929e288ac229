"""Alarms the owner while a database is a copy that may not send what it holds."""

from collections.abc import Sequence

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.store.copy_ports import CopyNotice


class CopyAlarm:
    """Looks at `stores`, each with what it keeps in the owner's words."""

    def __init__(self, stores: Sequence[tuple[str, CopyNotice]], alarms: StandingAlarms) -> None:
        self._stores = stores
        self._alarms = alarms

    async def look(self) -> None:
        for kept, store in self._stores:
            hold = await store.copy_hold()
            if hold is None:
                self._alarms.end(AlarmKind.SENDING_HELD, kept, "you accepted the copy")
            else:
                text = f"this store is a copy ({hold.why}): nothing of the {kept} in it goes out"
                self._alarms.begin(AlarmKind.SENDING_HELD, kept, text)
