"""Accept a whole message into the spool: durable on return, logged, and announced to deliver."""

from collections.abc import Callable
from dataclasses import dataclass

from secondpost.mail.content import InFile
from secondpost.mail.envelope import Arrival
from secondpost.maillog import MailLog
from secondpost.store.ports import Intake
from secondpost.world.ports import Disk, DiskFailed, Work


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Accepts messages; calls `arrived` when there is something to deliver."""

    intake: Intake
    disk: Disk
    work: Work
    log: MailLog
    arrived: Callable[[], None]

    async def accept(self, arrival: Arrival) -> None:
        """Store a message; only after this returns may a client hear 250.

        Raises StoreUnavailable and StoreFull, after removing the content's file, and DiskFailed.
        """
        try:
            await self.intake.accept(arrival)
        except DiskFailed:
            raise  # the row may exist, and need the file; otherwise the file is swept later
        except Exception:
            await self._remove_file(arrival)
            raise
        self.log.accepted(arrival)
        self.arrived()

    async def _remove_file(self, arrival: Arrival) -> None:
        content = arrival.content
        if isinstance(content, InFile):
            name = content.name
            await self.work.run(lambda: self.disk.remove(name))
