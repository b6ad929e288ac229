"""Notes where accepted mail came from, and stores the notes every few seconds.

In memory, so that a flood costs one write in some seconds. A crash loses only notes.
"""

from collections.abc import Iterator

from secondpost.mail.arrivals import OTHERS, CameFrom, NotedMail
from secondpost.mail.network import site_prefix
from secondpost.store.arrival_ports import ArrivalsIntake
from secondpost.store.ports import StoreFull, StoreUnavailable

NOTE_SECONDS = 2.0
NOTES_MAX = 5_000  # at once in memory; mail beyond them is not noted
NOTES_PER_WRITE_MAX = 200


class ArrivalNotes:
    """`hour_ms`: how long an hour of the watch is."""

    def __init__(self, intake: ArrivalsIntake, hour_ms: int) -> None:
        self._intake = intake
        self._hour_ms = hour_ms
        self._notes: list[CameFrom] = []

    def note(self, mail: NotedMail) -> None:
        """Call once for each message that was accepted. Neither waits nor fails."""
        room = NOTES_MAX - len(self._notes)
        self._notes.extend(list(self._of(mail))[:room])

    def _of(self, mail: NotedMail) -> Iterator[CameFrom]:
        network = site_prefix(mail.peer_address)
        hour_ms = mail.arrived_ms - mail.arrived_ms % self._hour_ms
        for domain in sorted(mail.known | mail.unknown, key=str):
            author = mail.author if domain in mail.known else OTHERS
            yield CameFrom(mail.id, domain, mail.arrived_ms, hour_ms, network, author)

    async def write(self) -> None:
        """Store the notes; on failure they are kept for the next call."""
        while len(self._notes) > 0:
            some = self._notes[:NOTES_PER_WRITE_MAX]
            try:
                await self._intake.note_arrivals(some)
            except (StoreUnavailable, StoreFull):
                return
            del self._notes[: len(some)]
