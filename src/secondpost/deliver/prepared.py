"""Prepares mail before a connection is free for it: reads contents, signs readers' mails.

While a connection waits for the reply to its dot, the site's next messages are prepared, several at
once: a query, or a trip to a signer and back, costs nearly as much for one as for eight.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from secondpost.deliver.message import Body, Job, NothingToSend, Prepared
from secondpost.world.background import Background

MAILS_PER_HOP_MAX = 8
PREPARED_OCTETS_MAX = 1024 * 1024  # of one site; no more are begun beyond it

Prepare = Callable[[Sequence[Job]], Awaitable[Sequence[Body | NothingToSend]]]


class PreparedMails:
    """The prepared mails of one site. `changed`: some became ready or failed; `unreadable`: one
    that failed, and why.
    """

    def __init__(
        self,
        prepare: Prepare,
        background: Background,
        changed: Callable[[], None],
        unreadable: Callable[[Job, NothingToSend], None],
    ) -> None:
        self._prepare_all = prepare
        self._background = background
        self._changed = changed
        self._unreadable = unreadable
        self._prepared: deque[Prepared] = deque()
        self._octets = 0
        self._under_way = 0

    @property
    def count(self) -> int:
        """Number of mails prepared or being prepared."""
        return len(self._prepared) + self._under_way

    def prepare(self, jobs: deque[Job], mails: int) -> None:
        """Prepare jobs, in batches, until there are `mails`."""
        while len(jobs) > 0 and self.count < mails and self._octets < PREPARED_OCTETS_MAX:
            batch = [jobs.popleft() for _ in range(min(MAILS_PER_HOP_MAX, len(jobs)))]
            self._under_way += len(batch)
            self._octets += sum(map(_octets, batch))
            self._background(self._prepare(batch))

    def next(self) -> Prepared | None:
        if len(self._prepared) == 0:
            return None
        prepared = self._prepared.popleft()
        self._octets -= _octets(prepared.job)
        return prepared

    def take_back(self, of: Callable[[Job], bool]) -> list[Job]:
        """Remove and return the prepared jobs for which `of` is true; not those being prepared."""
        kept: deque[Prepared] = deque()
        jobs = []
        for prepared in self._prepared:
            if of(prepared.job):
                jobs.append(prepared.job)
                self._octets -= _octets(prepared.job)
            else:
                kept.append(prepared)
        self._prepared = kept
        return jobs

    async def _prepare(self, batch: list[Job]) -> None:
        bodies = await self._prepare_all(batch)
        self._under_way -= len(batch)
        for job, body in zip(batch, bodies, strict=True):
            if isinstance(body, NothingToSend):
                self._octets -= _octets(job)
                self._unreadable(job, body)
            else:
                self._prepared.append(Prepared(job, body))
        self._changed()


def _octets(job: Job) -> int:
    return 0 if job.first.file is not None else job.first.size
