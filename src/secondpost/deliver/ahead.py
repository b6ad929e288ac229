"""Readers' mails that are made before a connection is free for them.

While a connection waits for the answer to its dot, the next mail is filled in and signed in another thread,
some of them in one hop there and back: a hop costs the loop nearly as much as sending a mail does.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass

from secondpost.deliver.assemble import ReaderMail
from secondpost.deliver.outside import Job
from secondpost.deliver.readers import Unreadable
from secondpost.mail.delivery import Claimed

MAILS_PER_HOP_MAX = 8

Making = Callable[[Sequence[Claimed]], Awaitable[list[ReaderMail | Unreadable]]]


@dataclass(frozen=True, slots=True)
class Made:
    job: Job
    mail: ReaderMail


class MailsAhead:
    """Of one site. `changed`: some are made, or cannot be; `unmade`: what could not be, and why."""

    def __init__(
        self,
        making: Making,
        background: Callable[[Coroutine[None, None, None]], None],
        changed: Callable[[], None],
        unmade: Callable[[Claimed, Unreadable], None],
    ) -> None:
        self._make_them = making
        self._background = background
        self._changed = changed
        self._unmade = unmade
        self._made: deque[Made] = deque()
        self._making = 0

    @property
    def count(self) -> int:
        """Of those that are made, or about to be."""
        return len(self._made) + self._making

    def make(self, jobs: deque[Job], mails: int) -> None:
        """Take jobs, a hop full at a time, until there are so many mails."""
        while len(jobs) > 0 and self.count < mails:
            batch = [jobs.popleft() for _ in range(min(MAILS_PER_HOP_MAX, len(jobs)))]
            self._making += len(batch)
            self._background(self._make(batch))

    def next(self) -> Made | None:
        return self._made.popleft() if len(self._made) > 0 else None

    def take_back(self, of: Callable[[Job], bool]) -> list[Job]:
        """What of these is made and not on its way; what is being made comes later."""
        jobs = [made.job for made in self._made if of(made.job)]
        self._made = deque(made for made in self._made if not of(made.job))
        return jobs

    async def _make(self, batch: list[Job]) -> None:
        mails = await self._make_them([job.first for job in batch])
        self._making -= len(batch)
        for job, mail in zip(batch, mails, strict=True):
            if isinstance(mail, Unreadable):
                self._unmade(job.first, mail)
            else:
                self._made.append(Made(job, mail))
        self._changed()
