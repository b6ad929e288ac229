"""The mail of one site under its lease: claims what is due, sorts out what belongs to the site, has
it prepared, and hands back what is not sent.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum, auto

from secondpost.deliver.context import DeliveryContext
from secondpost.deliver.message import Job, NothingToSend, Prepared
from secondpost.deliver.prepared import PreparedMails
from secondpost.deliver.sorting import Sorting
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import Claimed
from secondpost.mail.outcome import Outcome
from secondpost.mail.plan import Plan
from secondpost.store.ports import Lease, StoreFull, StoreUnavailable

LOOK_AGAIN_SECONDS_MIN = 0.02  # for more mail, while the provider's bounds allow little at a time
CLAIM_AT_ONCE = 200  # rows: a crash may leave so many claimed, and maybe delivered


class _Claiming(Enum):
    IDLE = auto()
    UNDER_WAY = auto()
    ASKED_AGAIN = auto()  # under way, and there may be new mail since it began


class LeasedMail:
    """Callbacks: `changed`: there may be more to send, or nothing left; `settle`: a row has ended
    or waits for DNS; `elsewhere`: rows can be claimed for another site; `wants_more`: call `claim`,
    if it is time.
    """

    def __init__(
        self,
        context: DeliveryContext,
        lease: Lease,
        settle: Callable[[Claimed, Outcome], None],
        elsewhere: Callable[[], None],
        wants_more: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self._context = context
        self._lease = lease
        self._wants_more = wants_more
        self._changed = changed
        self._sorting = Sorting(context, lease, self._take, settle, elsewhere, self._sorted)
        self._jobs: deque[Job] = deque()
        prepare = context.contents.of_jobs if context.readers is None else context.readers.of_jobs
        self._prepared = PreparedMails(prepare, context.background, changed, self._cannot_prepare)
        self._claiming = _Claiming.IDLE
        self._looks: asyncio.TimerHandle | None = None  # when the provider's bounds allow more
        self.plan: Plan | None = None  # the site's hosts, once a row was sorted to it

    @property
    def at_hand(self) -> int:
        """Number of messages claimed and not on their way."""
        return len(self._jobs) + self._prepared.count

    @property
    def is_busy(self) -> bool:
        """Whether rows are being claimed or sorted."""
        return self._claiming is not _Claiming.IDLE or self._sorting.rows > 0

    def prepare(self, mails: int) -> None:
        """Have up to `mails` messages ready before a connection is free."""
        self._prepared.prepare(self._jobs, mails)

    def next(self) -> Prepared | None:
        return self._prepared.next()

    def first(self) -> Job | None:
        """Remove and return a message at hand, prepared or not; None if there is none."""
        prepared = self._prepared.next()
        if prepared is not None:
            return prepared.job
        return self._jobs.popleft() if len(self._jobs) > 0 else None

    def again(self, job: Job) -> None:
        """Take back a message that was not sent; it comes first."""
        self._jobs.appendleft(job)

    def put_back(self, of: Callable[[Job], bool] = lambda job: True) -> None:
        """Hand back, untried, the messages at hand for which `of` is true; not those being
        prepared.
        """
        for job in (*self._prepared.take_back(of), *filter(of, self._jobs)):
            self._context.outcomes.hand_back(self._lease, job.claimed)
        self._jobs = deque(job for job in self._jobs if not of(job))

    def stop_sorting(self) -> None:
        self._sorting.stop()

    async def finish(self) -> None:
        """Wait until all outcomes are durable, and give the lease back."""
        if self._looks is not None:
            self._looks.cancel()
        await self._context.outcomes.finished(self._lease)
        await self._context.sites.give_back(self._lease)

    # ------------------------------------------------------------ claiming

    def claim(self, enough: int) -> bool:
        """Claim more unless `enough` messages are at hand. Returns whether a claim was or will be
        made.
        """
        if self._claiming is not _Claiming.IDLE:
            self._claiming = _Claiming.ASKED_AGAIN
            return True
        if self._sorting.is_full or self.at_hand >= enough:
            return False
        self._claiming = _Claiming.UNDER_WAY
        self._context.background(self._claim())
        return True

    async def _claim(self) -> None:
        try:
            claimed = await self._claim_within_bounds()
        except (StoreUnavailable, StoreFull) as error:
            self._context.alarms.begin(AlarmKind.CLAIM_WAITS, "", str(error))
            claimed = []
        self._sorting.sort(claimed)
        asked_again = self._claiming is _Claiming.ASKED_AGAIN
        self._claiming = _Claiming.IDLE
        if self._may_be_more(len(claimed), asked_again):
            self._wants_more()
        self._changed()

    async def _claim_within_bounds(self) -> list[Claimed]:
        """Claim what may be sent; if its provider's bounds left nothing, look again in time."""
        claims, now_ms = self._context.claims, self._context.clock.now_ms()
        traffic, site = self._context.traffic_in(self._lease.lane), self._lease.site
        if traffic is None:
            return await claims.claim(self._lease, now_ms, CLAIM_AT_ONCE)
        claimed: list[Claimed] = []
        most = traffic.allowance(site, CLAIM_AT_ONCE)
        if most > 0:
            claimed = await claims.claim(self._lease, now_ms, most)
            traffic.claimed(site, claimed)
        if most < CLAIM_AT_ONCE:
            self._look_in(max(traffic.wait_seconds(site), LOOK_AGAIN_SECONDS_MIN))
        return claimed

    def _look_in(self, seconds: float) -> None:
        if self._looks is not None:
            self._looks.cancel()
        self._looks = asyncio.get_running_loop().call_later(seconds, self._wants_more)

    def _may_be_more(self, rows: int, asked_again: bool) -> bool:
        if rows == 0:
            return asked_again
        none_to_send = self.at_hand == 0 and self._sorting.rows == 0
        return none_to_send or (rows > CLAIM_AT_ONCE // 2 and self.at_hand == 0)

    def _take(self, plan: Plan, jobs: Iterable[Job]) -> None:
        self.plan = plan
        self._jobs.extend(jobs)

    def _sorted(self) -> None:
        if self.at_hand == 0:
            self._wants_more()
        self._changed()

    def _cannot_prepare(self, job: Job, unreadable: NothingToSend) -> None:
        self._context.outcomes.unreadable(self._lease, job, unreadable.why)
